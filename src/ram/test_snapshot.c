// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of snapshots: equal to what was there, of private memory, holes kept.
#include "base/cleanup.h"
#include "ram/snapshot.h"
#include "ram/test_image.h"
#include "ram/walk.h"
#include "tests/random.h"
#include "tests/tap.h"

#define MIB ((size_t)1 << 20)
#define SIZE (9 * MIB)

static void some_data(struct test_image *i, uint64_t seed)
{
	struct test_random r = {seed};

	for (int n = 0; n < 600; n++)
		memset(i->bytes + test_random_below(&r, SIZE / 4096) * 4096, (int)(seed + n), 4096);
}

static bool same(struct gb_ram *a, struct gb_ram *b)
{
	GB_CLEANUP(gb_cleanup_free) char *x = malloc(2 * MIB);
	GB_CLEANUP(gb_cleanup_free) char *y = malloc(2 * MIB);
	const struct gb_layout *l = gb_ram_layout(a);

	for (size_t s = 0; s < l->count; s++)
		for (uint64_t at = 0; at < l->segments[s].size; at += MIB) {
			gb_gpa gpa = {l->segments[s].gpa.v + at};

			if (gb_ram_read(a, gpa, x, MIB, NULL) != 0 ||
			    gb_ram_read(b, gpa, y, MIB, NULL) != 0 || memcmp(x, y, MIB) != 0)
				return false;
		}
	return true;
}

static int count_bytes(void *arg, gb_gpa gpa, const uint8_t *bytes, size_t len)
{
	(void)gpa;
	(void)bytes;
	*(uint64_t *)arg += len;
	return 0;
}

static uint64_t data_bytes(struct gb_ram *ram)
{
	uint64_t n = 0;

	return gb_ram_visit(ram, (gb_gpa){0}, UINT64_MAX, count_bytes, &n, NULL) == 0 ? n
										      : UINT64_MAX;
}

// Segments that begin and end inside a huge page, in another order than in the file.
static void make_layout(struct gb_layout *l)
{
	*l = (struct gb_layout){};
	gb_layout_add(l, (struct gb_segment){{0}, 3 * MIB, 5 * MIB}, NULL);
	gb_layout_add(l, (struct gb_segment){{16 * MIB}, 4 * MIB, MIB}, NULL);
}

static void a_snapshot_is_equal_and_stays_so(void)
{
	struct gb_layout l;

	make_layout(&l);
	for (int split = 0; split < 2; split++) {
		GB_CLEANUP(gb_ram_cleanup) struct gb_ram *shot = NULL;
		struct gb_error err = {};
		struct test_image i;
		uint64_t v = 0, before;

		REQUIRE(test_image_make(&i, SIZE, split ? &l : NULL));
		some_data(&i, 1);
		before = test_image_blocks(&i);
		REQUIRE_OK(gb_ram_snapshot(i.ram, &shot, &err), err);
		CHECK_EQ(test_image_blocks(&i), before);
		CHECK(same(i.ram, shot));
		CHECK_EQ(data_bytes(shot), data_bytes(i.ram));
		if (!split)
			CHECK_EQ(data_bytes(shot), before * 512);
		i.bytes[5 * MIB] ^= 1;
		CHECK(!same(i.ram, shot));
		CHECK_EQ(gb_ram_read_u64(shot, (gb_gpa){SIZE * 4}, &v, &err), GB_EFAULT);
		test_image_free(&i);
	}
}

static void its_memory_can_be_used_again(void)
{
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *shot = NULL;
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *copy = NULL;
	struct gb_error err = {};
	struct test_image i, other;

	REQUIRE(test_image_make(&i, SIZE, NULL) && test_image_make(&other, 2 * MIB, NULL));
	some_data(&i, 1);
	REQUIRE_OK(gb_ram_snapshot(i.ram, &shot, &err), err);
	CHECK(test_image_punch(&i, 0, SIZE));
	some_data(&i, 2); // other pages, others are holes now
	REQUIRE_OK(gb_ram_snapshot(i.ram, &shot, &err), err);
	CHECK(same(i.ram, shot));
	CHECK_EQ(data_bytes(shot), data_bytes(i.ram));
	REQUIRE_OK(gb_ram_snapshot(shot, &copy, &err), err); // of a snapshot
	CHECK(same(copy, shot));
	CHECK_EQ(gb_ram_snapshot(other.ram, &shot, &err), GB_EUSAGE);
	CHECK_EQ(gb_ram_snapshot(shot, &shot, &err), GB_EUSAGE);
	CHECK_EQ(gb_ram_snapshot(other.ram, &i.ram, &err), GB_EUSAGE);
	CHECK(same(i.ram, shot));
	test_image_free(&other);
	test_image_free(&i);
}

static void a_file_that_shrinks_gives_no_snapshot(void)
{
	struct gb_ram *shot = NULL;
	struct gb_error err = {};
	struct test_image i;

	REQUIRE(test_image_make(&i, SIZE, NULL));
	some_data(&i, 1);
	REQUIRE(ftruncate(i.fd, 4096) == 0);
	CHECK_EQ(gb_ram_snapshot(i.ram, &shot, &err), GB_EGONE);
	CHECK(!shot);
	test_image_free(&i);
}

static void walks_work_in_a_snapshot(void)
{
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *shot = NULL;
	const struct gb_space space = {{0x1000}, 4};
	struct gb_error err = {};
	struct test_image i;
	uint64_t v = 0;

	REQUIRE(test_image_make(&i, SIZE, NULL));
	for (uint64_t t = 1; t < 5; t++)
		((uint64_t *)(void *)i.bytes)[t * 512] = (t + 1) << 12 | 1;
	i.bytes[0x5008] = 42;
	REQUIRE_OK(gb_ram_snapshot(i.ram, &shot, &err), err);
	memset(i.bytes, 0, 0x6000);
	CHECK_OK(gb_space_read_u64(shot, space, (gb_gva){8}, &v, &err), err);
	CHECK_EQ(v, 42);
	CHECK_EQ(gb_space_read_u64(i.ram, space, (gb_gva){8}, &v, &err), GB_EFAULT);
	test_image_free(&i);
}

TAP_MAIN(TAP_CASE(a_snapshot_is_equal_and_stays_so), TAP_CASE(its_memory_can_be_used_again),
	 TAP_CASE(a_file_that_shrinks_gives_no_snapshot), TAP_CASE(walks_work_in_a_snapshot))
