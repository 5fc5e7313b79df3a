// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Fuzz target: page walks through tables that the input bends.
//
// Input: u8 levels (bit 0), u64 GVA, u32 root, patches. Every leaf that a visit reports must be
// what a single walk finds at that address, and no walk may find a page that the visit left out.
#include "base/cleanup.h"
#include "fuzz/fuzz.h"
#include "ram/guard.h"

#include <string.h>

#define SIZE ((size_t)1 << 20)
#define BUDGET 64u

static struct fuzz_image image;

static void set(uint8_t *bytes, uint64_t table, unsigned slot, uint64_t entry)
{
	memcpy(bytes + table + 8 * slot, &entry, sizeof(entry));
}

// 0x1000 (5) -> 0x2000 (4) -> 0x3000 (3) -> 0x4000 (2) -> 0x5000 (1) -> pages, and leaves of all
// sizes
static void build(uint8_t *bytes, size_t size)
{
	(void)size;
	for (uint64_t t = 0x1000; t < 0x5000; t += 0x1000) {
		set(bytes, t, 0, (t + 0x1000) | 7);
		set(bytes, t, 511, (t + 0x1000) | 3);
	}
	set(bytes, 0x3000, 1, 0x40000000 | 0x83);
	set(bytes, 0x4000, 1, 0x000000 | 0xe3 | GB_PTE_NX);
	for (unsigned i = 0; i < 512; i += 3)
		set(bytes, 0x5000, i, (i % 256) << 12 | 0x67);
}

static int check_leaf(void *arg, const struct gb_leaf *leaf)
{
	const struct gb_space *space = arg;
	struct gb_error err = {};
	struct gb_walk walk;

	if (gb_walk(image.ram, *space, leaf->gva, &walk, &err) != 0 || walk.gpa.v != leaf->gpa.v ||
	    walk.page_size != leaf->size || walk.rights != leaf->rights)
		__builtin_trap();
	return 0;
}

struct search {
	gb_gva gva;
	bool found;
};

static int find_leaf(void *arg, const struct gb_leaf *leaf)
{
	struct search *s = arg;

	s->found |= s->gva.v - leaf->gva.v < leaf->size;
	return 0;
}

// A walk follows a table that leads back to itself, a visit does not: only then may they differ.
static bool has_cycle(const struct gb_walk *walk)
{
	for (unsigned i = 0; i < walk->depth; i++)
		for (unsigned k = 0; k < i; k++)
			if (walk->tables[i].v >> 12 == walk->tables[k].v >> 12)
				return true;
	return false;
}

static void check_walk(struct gb_ram *ram, struct gb_space space, gb_gva gva)
{
	struct search s = {.gva = gva};
	struct gb_leaves how = {.first = gva,
				.last = gva,
				.budget = 8,
				.leaf = find_leaf,
				.arg = &s};
	struct gb_walk walk;
	int r = gb_walk(ram, space, gva, &walk, NULL);

	if (walk.depth > space.levels)
		__builtin_trap();
	if (gb_space_leaves(ram, space, &how, NULL) != 0 ||
	    (!has_cycle(&walk) && s.found != (r == 0)))
		__builtin_trap();
}

// The two ways of reading give the same bytes, and what was read stays so: nobody writes here.
static void check_read(struct gb_ram *ram, struct gb_space space, gb_gva gva)
{
	GB_CLEANUP(gb_guard_deinit) struct gb_guard g = gb_guard_init(ram);
	uint8_t plain[5000] = {}, guarded[5000] = {};
	bool unchanged = false;
	int r = gb_space_read(ram, space, gva, plain, sizeof(plain), NULL);

	if (gb_guard_space_read(&g, space, gva, guarded, sizeof(guarded), NULL) != r ||
	    memcmp(plain, guarded, sizeof(plain)) != 0)
		__builtin_trap();
	if (gb_guard_check(&g, &unchanged, NULL) != 0 || !unchanged)
		__builtin_trap();
}

static void check(struct gb_ram *ram, struct gb_space space, gb_gva gva)
{
	struct gb_leaves all = {.last = {UINT64_MAX},
				.budget = BUDGET,
				.leaf = check_leaf,
				.arg = &space};
	int r = gb_space_leaves(ram, space, &all, NULL);

	if (r != 0 && r != GB_ERANGE)
		__builtin_trap();
	check_walk(ram, space, gva);
	check_read(ram, space, gva);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_cursor c = gb_cursor_init(data, size, "input");
	struct gb_space space;
	uint8_t levels;
	uint64_t gva;
	uint32_t root;

	fuzz_image_open(&image, SIZE, NULL, build);
	if (gb_cursor_u8(&c, &levels, NULL) != 0 || gb_cursor_u64(&c, &gva, NULL) != 0 ||
	    gb_cursor_u32(&c, &root, NULL) != 0)
		return 0;
	space = (struct gb_space){{root}, 4 + (levels & 1)};
	fuzz_image_patch(&image, &c);
	check(image.ram, space, (gb_gva){gva});
	fuzz_image_restore(&image, &c);
	return 0;
}

size_t fuzz_seed(unsigned n, uint8_t *buf, size_t cap)
{
	static const struct {
		uint8_t levels;
		uint64_t gva;
		uint32_t root, at;
		uint64_t entry;
	} seeds[] = {
		{0, 0x3000, 0x2000, 0x5018, 0x7067},                // 4 KiB
		{1, 0x200123, 0x1000, 0x5000, 0},                   // 2 MiB
		{1, 0x40000000, 0x1000, 0x5000, 7},                 // 1 GiB
		{0, 0xffffffffc0000000, 0x2000, 0x4ff8, 0x2007},    // back to the root
		{1, 0xffffffffffffffff, 0x1000, 0x5ff8, 0x8067},    // the last page
		{0, 0xffff800000000000, 0x2fff, 0x2000, 0xfff007},  // outside of RAM
		{1, 0x00ffffffffffffff, 0x1000, 0x1000, 0x2087},    // reserved bit
		{0, 0x800000000000, 0x2000, 0x3008, 0x7fffffff083}, // not canonical
	};
	size_t len = 0;

	if (n >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(buf, &seeds[n].levels, 1);
	memcpy(buf + 1, &seeds[n].gva, 8);
	memcpy(buf + 9, &seeds[n].root, 4);
	len = 13;
	return fuzz_seed_patch(buf, cap, len, seeds[n].at, &seeds[n].entry, sizeof(seeds[n].entry));
}
