// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of what proves the layout of an image: a guest that says it has RAM above the PCI hole, with more evidence or less.
// Real ones are in tests/kernel.
#include "kernel/image.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#include <stdio.h>
#include <unistd.h>

#define LOW ((uint64_t)TEST_GUEST_SIZE) // of RAM below the hole; the guest lies there
#define HIGH ((uint64_t)TEST_GUEST_SIZE)
#define HOLE_END ((uint64_t)1 << 32)
#define FIRMWARE 0x20000u

// What the kernel has, besides its own image and max_pfn.
struct evidence {
	bool userspace;
	uint64_t low_end; // max_low_pfn_mapped
	enum { ALONE, LOW_TASK, HIGH_TASK, WRONG_TASK } first;
};

static void put_frames(struct test_guest *g, enum gb_symbol_id id, uint64_t bytes)
{
	test_guest_put(g, test_guest_symbol(id), bytes >> GB_PAGE_SHIFT);
}

// at: where the file holds what lies at HOLE_END.
static void put_first_task(struct test_guest *g, const struct evidence *e, uint64_t at)
{
	uint64_t list = test_guest_symbol(GB_Y_INIT_TASK) + test_guest_offset(GB_M_TASK_TASKS);
	uint64_t head = test_guest_get(g, test_guest_at(TEST_TASK, GB_M_TASK_TASKS) + 8);

	if (e->first == ALONE)
		test_guest_put(g, list, head);
	if (e->first == WRONG_TASK)
		test_guest_put(g, test_guest_at(TEST_TASK, GB_M_TASK_TASKS) + 8, 0);
	if (e->first == HIGH_TASK) {
		test_guest_put(g, list, test_guest_va(HOLE_END + 0x1000));
		CHECK_EQ(pwrite(g->fd, &head, 8, (off_t)(at + 0x1008)), 8);
	}
}

// The guest as evidence has it, in a file of so many bytes.
static void make_image(struct test_guest *g, const struct evidence *e, uint64_t size)
{
	REQUIRE(test_guest_make(g, TEST_ORDER_B));
	put_frames(g, GB_Y_MAX_PFN, HOLE_END + HIGH);
	put_frames(g, GB_Y_MAX_LOW_PFN_MAPPED, e->low_end);
	REQUIRE(ftruncate(g->fd, (off_t)size) == 0);
	put_first_task(g, e, size > LOW + HIGH ? HOLE_END : LOW);
	if (!e->userspace)
		test_guest_set(g, TEST_TASK, GB_M_TASK_MM, 0);
}

enum outcome { PROVED, UNPROVED, UNPLACED, REFUSED };

static enum outcome outcome(const struct evidence *e, uint64_t size, uint64_t split)
{
	struct test_guest g = {};
	struct gb_image i = {};
	struct gb_error err = {};
	enum outcome o;
	char path[64];
	int r;

	make_image(&g, e, size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", g.fd);
	r = gb_image_open(path, split, &i, &err);
	CHECK(r == 0 || r == GB_EUNKNOWN);
	o = r ? REFUSED : i.unplaced ? UNPLACED : i.unproved ? UNPROVED : PROVED;
	CHECK_EQ(i.kernel != NULL, o == PROVED || o == UNPROVED);
	gb_image_close(&i);
	test_guest_free(&g);
	return o;
}

static void a_kernel_says_what_it_can(void)
{
	static const struct {
		struct evidence e;
		enum outcome found, split, wrong; // without --split, with it, with a page less
	} cases[] = {
		{{false, 0, HIGH_TASK}, PROVED, PROVED, REFUSED},
		{{false, LOW - FIRMWARE, LOW_TASK}, PROVED, PROVED, UNPROVED},
		{{false, LOW - FIRMWARE, ALONE}, PROVED, PROVED, UNPROVED},
		{{false, 0, LOW_TASK}, UNPLACED, UNPROVED, UNPROVED},
		{{false, 0, ALONE}, UNPLACED, UNPROVED, UNPROVED},
		{{false, 1 << 20, ALONE}, UNPLACED, UNPROVED, UNPROVED}, // not mapped yet
		{{true, 0, LOW_TASK}, UNPLACED, UNPROVED, UNPROVED},     // it lies low
		{{true, LOW - FIRMWARE, LOW_TASK}, PROVED, PROVED, UNPROVED},
		{{false, LOW - FIRMWARE, WRONG_TASK}, UNPLACED, REFUSED, REFUSED},
		{{false, HOLE_END / 2, ALONE}, UNPLACED, REFUSED, REFUSED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQ(outcome(&cases[i].e, LOW + HIGH, 0), cases[i].found);
		CHECK_EQ(outcome(&cases[i].e, LOW + HIGH, LOW), cases[i].split);
		CHECK_EQ(outcome(&cases[i].e, LOW + HIGH, LOW - GB_PAGE_SIZE), cases[i].wrong);
	}
}

// A file with the hole in it: where RAM ends below says nothing of it.
static void a_file_may_hold_the_hole(void)
{
	const struct evidence task = {false, LOW - FIRMWARE, HIGH_TASK},
			      none = {false, LOW - FIRMWARE, ALONE};

	CHECK_EQ(outcome(&task, HOLE_END + HIGH, 0), PROVED);
	CHECK_EQ(outcome(&task, HOLE_END + HIGH, HOLE_END), PROVED);
	CHECK_EQ(outcome(&none, HOLE_END + HIGH, 0), UNPLACED);
	CHECK_EQ(outcome(&none, HOLE_END + HIGH, HOLE_END), UNPROVED);
	CHECK_EQ(outcome(&none, HOLE_END + HIGH, LOW),
		 UNPROVED); // or something stands behind the RAM
	CHECK_EQ(outcome(&none, HOLE_END + HIGH, 2 * LOW), UNPROVED);
	CHECK_EQ(outcome(&none, HOLE_END + HIGH, HOLE_END / 2), REFUSED);
}

TAP_MAIN(TAP_CASE(a_kernel_says_what_it_can), TAP_CASE(a_file_may_hold_the_hole))
