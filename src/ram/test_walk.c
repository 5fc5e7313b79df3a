// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of page walks, on tables built in a small RAM image.
#include "base/cleanup.h"
#include "ram/test_image.h"
#include "ram/walk.h"
#include "tests/random.h"
#include "tests/tap.h"

#define RAM_SIZE ((size_t)4 << 20)

struct image {
	struct test_image file;
	uint64_t *words;
	struct gb_ram *ram;
};

static bool image_make(struct image *i)
{
	bool made = test_image_make(&i->file, RAM_SIZE, NULL);

	i->words = (uint64_t *)(void *)i->file.bytes;
	i->ram = i->file.ram;
	return made;
}

static void image_free(struct image *i)
{
	test_image_free(&i->file);
}

static void set(struct image *i, uint64_t table, unsigned slot, uint64_t entry)
{
	i->words[table / 8 + slot] = entry;
}

// 4 levels: 0x1000 -> 0x2000 -> 0x3000 -> 0x4000 -> page 0x5000 at GVA 0, 2 MiB page at GVA 2 MiB
static void build(struct image *i)
{
	set(i, 0x1000, 0, 0x2000 | 7);
	set(i, 0x2000, 0, 0x3000 | 7);
	set(i, 0x3000, 0, 0x4000 | 7);
	set(i, 0x3000, 1, 0x200000 | 0x83 | GB_PTE_NX);
	set(i, 0x4000, 0, 0x5000 | 5);
	set(i, 0x1000, 511, 0x2000 | 3); // the same tables seen from the top of the address space
	i->words[0x5008 / 8] = 0x1122334455667788;
}

static void walks_pages_of_each_size(void)
{
	const struct gb_space space = {{0x1000 | 0x5}, 4}; // flag bits of CR3 are ignored
	struct gb_error err = {};
	struct gb_walk w;
	struct image i;
	uint64_t v = 0;

	REQUIRE(image_make(&i));
	build(&i);
	CHECK_OK(gb_space_read_u64(i.ram, space, (gb_gva){8}, &v, &err), err);
	CHECK_EQ(v, 0x1122334455667788);
	CHECK_OK(gb_walk(i.ram, space, (gb_gva){0x200123}, &w, &err), err);
	CHECK_EQ(w.gpa.v, 0x200123);
	CHECK_EQ(w.page_size, 2 << 20);
	CHECK_EQ(w.rights & GB_PTE_NX, GB_PTE_NX);
	CHECK_EQ(w.rights & GB_PTE_USER, 0);
	CHECK_OK(gb_walk(i.ram, space, (gb_gva){0xffffff8000000008}, &w, &err), err);
	CHECK_EQ(w.gpa.v, 0x5008);
	CHECK_EQ(w.rights & (GB_PTE_USER | GB_PTE_WRITE), 0);
	CHECK_EQ(gb_walk(i.ram, space, (gb_gva){0x1000}, &w, &err), GB_EFAULT);
	CHECK_EQ(w.depth, 4);
	CHECK_EQ(gb_walk(i.ram, space, (gb_gva){0x800000000000}, &w, &err), GB_EFAULT);
	CHECK_EQ(gb_space_read(i.ram, space, (gb_gva){0xffc}, &v, 8, &err), GB_EFAULT);
	image_free(&i);
}

static int count_leaf(void *arg, const struct gb_leaf *leaf)
{
	size_t *n = arg;

	*n += leaf->size == 4096 ? 1 : 100;
	return 0;
}

static void leaves_end_in_cycles_and_budgets(void)
{
	const struct gb_space space = {{0x1000}, 4};
	struct gb_error err = {};
	struct image i;
	size_t n = 0;
	struct gb_leaves how = {.last = {UINT64_MAX}, .budget = 100, .leaf = count_leaf, .arg = &n};

	REQUIRE(image_make(&i));
	build(&i);
	CHECK_OK(gb_space_leaves(i.ram, space, &how, &err), err);
	CHECK_EQ(n, 202);
	set(&i, 0x3000, 2, 0x1000 | 7);        // back to the root
	set(&i, 0x3000, 3, 0x40000000000 | 7); // outside of RAM
	n = 0;
	CHECK_OK(gb_space_leaves(i.ram, space, &how, &err), err);
	CHECK_EQ(n, 202);
	how.budget = 3;
	CHECK_EQ(gb_space_leaves(i.ram, space, &how, &err), GB_ERANGE);
	how.budget = 100;
	how.first.v = 0xffffff8000000000;
	n = 0;
	CHECK_OK(gb_space_leaves(i.ram, space, &how, &err), err);
	CHECK_EQ(n, 101);
	image_free(&i);
}

// 5 levels: 0x10000 -> 0x11000 -> 0x12000 -> 0x13000 -> 0x14000, leaves of each size
static void build_5(struct image *i)
{
	for (uint64_t t = 0x10000; t < 0x14000; t += 0x1000) {
		set(i, t, 1, (t + 0x1000) | 7);
		set(i, t, 511, (t + 0x1000) | 7);
	}
	set(i, 0x12000, 2, 0x83);                     // 1 GiB at 0
	set(i, 0x12000, 3, (uint64_t)7 << 30 | 0x83); // 1 GiB outside of RAM
	set(i, 0x13000, 2, 0x200000 | 0xe7);          // 2 MiB, accessed and dirty
	set(i, 0x14000, 1, 0x15000 | 0x25 | GB_PTE_NX);
	set(i, 0x14000, 2, 0x16000 | 0x67);
	set(i, 0x14000, 511, 0x17000 | 3);
	i->words[0x15ff8 / 8] = 0x1111;
	i->words[0x16000 / 8] = 0x2222;
	i->words[0x200018 / 8] = 0x3333;
}

static void walks_five_levels(void)
{
	static const struct {
		uint64_t gva, gpa, size, rights;
	} want[] = {
		{0x01008040201123, 0x15123, 4096, 0x25 | GB_PTE_NX},
		{0x01008040202fff, 0x16fff, 4096, 0x67},
		{0x01008040400018, 0x200018, 2 << 20, 0xe7},
		{0x01008080012345, 0x12345, 1 << 30, 0x83 & ~GB_PTE_USER},
		{0x010080c0000000, (uint64_t)7 << 30, 1 << 30, 0x83},
		{0xffffffffffffffff, 0x17fff, 4096, 3},
	};
	const struct gb_space space = {{0x10000}, 5};
	struct gb_error err = {};
	struct image i;
	uint64_t v = 0;

	REQUIRE(image_make(&i));
	build_5(&i);
	for (size_t n = 0; n < sizeof(want) / sizeof(want[0]); n++) {
		struct gb_walk w;

		CHECK_OK(gb_walk(i.ram, space, (gb_gva){want[n].gva}, &w, &err), err);
		CHECK_EQ(w.gpa.v, want[n].gpa);
		CHECK_EQ(w.page_size, want[n].size);
		CHECK_EQ(w.rights, want[n].rights);
		CHECK_EQ(w.entries[w.depth - 1], w.entry);
		CHECK_EQ(w.tables[0].v, 0x10000 + 8 * (want[n].gva >> 48 & 511));
	}
	CHECK_OK(gb_space_read_u64(i.ram, space, (gb_gva){0x01008040201ff8}, &v, &err), err);
	CHECK_EQ(v, 0x1111);
	CHECK_OK(gb_space_read_u64(i.ram, space, (gb_gva){0x01008040201ffc}, &v, &err), err);
	CHECK_EQ(v, 0x222200000000); // across two pages that are not side by side
	CHECK_EQ(gb_space_read_u64(i.ram, space, (gb_gva){0x010080c0000000}, &v, &err), GB_EFAULT);
	CHECK_EQ(err.address, (uint64_t)7 << 30);
	CHECK_EQ(gb_space_read_u64(i.ram, space, (gb_gva){0x100000000000000}, &v, &err), GB_EFAULT);
	image_free(&i);
}

static void bad_walks_are_refused(void)
{
	static const struct {
		struct gb_space space;
		uint64_t gva, len;
		int code;
		const char *says;
	} bad[] = {
		{{{0x10000}, 3}, 0, 8, GB_ERANGE, "4 or 5 levels"},
		{{{0x10000}, 6}, 0, 8, GB_ERANGE, "4 or 5 levels"},
		{{{0x10000}, 0}, 0, 8, GB_ERANGE, "4 or 5 levels"},
		{{{0x10000}, 5}, 0xfffffffffffffffc, 8, GB_EFAULT, "wraps"},
		{{{0x10000}, 5}, 0x0100000000000000, 8, GB_EFAULT, "canonical"},
		{{{0x10000}, 4}, 0x0000800000000000, 8, GB_EFAULT, "canonical"},
		{{{0x10000}, 5}, 0x0002000000000000, 8, GB_EFAULT, "no page"},
		{{{0x10000}, 5}, 0x0003000000000000, 8, GB_EFAULT, "no page"}, // reserved bit
		{{{0x10000}, 5}, 0x0004000000000000, 8, GB_EFAULT, "no RAM"},
		{{{0xfffffffff000}, 5}, 0, 8, GB_EFAULT, "no RAM"},
	};
	struct image i;

	REQUIRE(image_make(&i));
	build_5(&i);
	set(&i, 0x10000, 3, 0x11000 | 0x87);
	set(&i, 0x10000, 4, 0x7fffff000 | 7);
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		struct gb_error err = {};
		uint64_t v;

		CHECK_EQ(gb_space_read(i.ram, bad[n].space, (gb_gva){bad[n].gva}, &v, bad[n].len,
				       &err),
			 bad[n].code);
		if (!strstr(err.message, bad[n].says))
			tap_fail_("\"%s\" does not say \"%s\"", err.message, bad[n].says);
	}
	image_free(&i);
}

// Page-table isolation: the even page maps all, the odd one the user half and an entry stub.
static void isolated_tables_come_in_pairs(void)
{
	const struct gb_space kernel = {{0x1000 * 0x20}, 4}, user = {{0x1000 * 0x21}, 4};
	const gb_gva in_user = {0x8}, in_kernel = {0xffff888000000008}, stub = {0xffffff8000000008};
	struct gb_error err = {};
	struct image i;
	uint64_t v = 0;

	REQUIRE(image_make(&i));
	build(&i);
	set(&i, 0x20000, 0, 0x2000 | 7 | GB_PTE_NX); // Linux: user pages cannot run under this one
	set(&i, 0x20000, 273, 0x2000 | 3);
	set(&i, 0x20000, 511, 0x2000 | 3);
	set(&i, 0x21000, 0, 0x2000 | 7);
	set(&i, 0x21000, 511, 0x2000 | 3);
	CHECK_OK(gb_space_read_u64(i.ram, kernel, in_user, &v, &err), err);
	CHECK_OK(gb_space_read_u64(i.ram, kernel, in_kernel, &v, &err), err);
	CHECK_OK(gb_space_read_u64(i.ram, user, in_user, &v, &err), err);
	CHECK_OK(gb_space_read_u64(i.ram, user, stub, &v, &err), err);
	CHECK_EQ(gb_space_read_u64(i.ram, user, in_kernel, &v, &err), GB_EFAULT);
	for (int half = 0; half < 2; half++) {
		struct gb_walk w;

		CHECK_OK(gb_walk(i.ram, half ? user : kernel, in_user, &w, &err), err);
		CHECK_EQ(w.rights & GB_PTE_NX, half ? 0 : GB_PTE_NX);
		CHECK_EQ(w.gpa.v, 0x5008);
	}
	image_free(&i);
}

// The plain twin: the manual's words, level by level, straight from the image.
struct plain_walk {
	bool mapped;
	uint64_t gpa, size, rights;
};

static struct plain_walk walk_plainly(const uint64_t *words, struct gb_space space, uint64_t gva)
{
	struct plain_walk w = {.rights = GB_PTE_WRITE | GB_PTE_USER};
	uint64_t table = space.root.v / 4096 * 4096, nx = 0, entry = 0;
	int64_t extended =
		(int64_t)(gva << (space.levels == 5 ? 7 : 16)) >> (space.levels == 5 ? 7 : 16);

	if ((uint64_t)extended != gva)
		return w;
	for (int shift = space.levels == 5 ? 48 : 39; shift >= 12; shift -= 9) {
		if (table >= RAM_SIZE)
			return w;
		entry = words[table / 8 + (gva >> shift) % 512];
		if (!(entry & 1) || ((entry & 0x80) && shift >= 39))
			return w;
		w.rights &= entry;
		nx |= entry >> 63;
		w.size = (uint64_t)1 << shift;
		if (shift == 12 || (entry & 0x80))
			break;
		table = entry & 0xffffffffff000;
	}
	w.mapped = true;
	w.gpa = (entry & 0xffffffffff000) / w.size * w.size + gva % w.size;
	w.rights |= nx << 63 | (entry & (1 | 0x20 | 0x40 | 0x80));
	return w;
}

#define TABLES 24u

// Tables that lead to each other at random: cycles, large pages, holes, ends outside of RAM.
static void random_tables(struct image *i, struct test_random *r, unsigned a_table)
{
	for (uint64_t w = 0; w < TABLES * 512; w++)
		i->words[w] = 0;
	for (unsigned n = 0; n < TABLES * a_table; n++) {
		uint64_t to = test_random_below(r, 20) ? test_random_below(r, TABLES)
						       : test_random_u64(r) >> 24;
		uint64_t flags = test_random_u64(r) & (GB_PTE_NX | 0x7ff0000000000e7e);

		flags |= test_random_below(r, 8) ? 1 : 0;
		flags |= test_random_below(r, 6) ? 0 : 0x80;
		i->words[test_random_below(r, TABLES * 512)] = (to << 12 & GB_PTE_ADDRESS) | flags;
	}
}

// An address whose first steps are present, most of the time.
static uint64_t random_gva(const struct image *i, struct gb_space space, struct test_random *r)
{
	uint64_t gva = test_random_below(r, 4096), table = space.root.v / 4096;

	for (int level = (int)space.levels; level > 0; level--) {
		uint64_t slot = test_random_below(r, 512);

		for (int n = 0; n < 512 && table < TABLES && !(i->words[table * 512 + slot] & 1);
		     n++)
			slot = (slot + 1) % 512;
		gva |= slot << (12 + 9 * (level - 1));
		if (table < TABLES)
			table = (i->words[table * 512 + slot] & GB_PTE_ADDRESS) >> 12;
	}
	if (gva >> (space.levels == 5 ? 56 : 47) & 1)
		gva |= space.levels == 5 ? 0xfe00000000000000 : 0xffff000000000000;
	return test_random_below(r, 50) ? gva : test_random_u64(r);
}

static void random_walks_equal_plain_ones(void)
{
	struct test_random r = {5};
	unsigned mapped = 0, large = 0, not_mapped = 0;
	struct image i;

	REQUIRE(image_make(&i));
	for (int round = 0; round < 50; round++) {
		random_tables(&i, &r, 60);
		for (int n = 0; n < 1000; n++) {
			struct gb_space space = {{test_random_below(&r, TABLES) << 12 | 0x18},
						 4 + (unsigned)test_random_below(&r, 2)};
			uint64_t gva = random_gva(&i, space, &r);
			struct plain_walk want = walk_plainly(i.words, space, gva);
			struct gb_walk got = {};
			int code = gb_walk(i.ram, space, (gb_gva){gva}, &got, NULL);

			CHECK_EQ(code, want.mapped ? 0 : GB_EFAULT);
			CHECK(!want.mapped ||
			      (got.gpa.v == want.gpa && got.page_size == want.size &&
			       got.rights == want.rights));
			mapped += want.mapped;
			large += want.mapped && want.size > 4096;
			not_mapped += !want.mapped;
		}
	}
	CHECK(mapped > 10000 && large > 1000 && not_mapped > 5000); // all sorts were there
	image_free(&i);
}

struct leaf_check {
	const struct image *image;
	struct gb_space space;
	uint64_t last;
	unsigned leaves, tables, wrong;
};

static int check_leaf(void *arg, const struct gb_leaf *leaf)
{
	struct leaf_check *c = arg;
	struct plain_walk want = walk_plainly(c->image->words, c->space, leaf->gva.v);

	c->wrong += !want.mapped || want.gpa != leaf->gpa.v || want.size != leaf->size ||
		    want.rights != leaf->rights;
	c->wrong += c->leaves++ && leaf->gva.v <= c->last; // ascending
	c->last = leaf->gva.v;
	return 0;
}

static int count_table(void *arg, gb_gpa table, unsigned level)
{
	struct leaf_check *c = arg;

	c->wrong += table.v >= RAM_SIZE || level < 1 || level > c->space.levels;
	c->tables++;
	return 0;
}

static void random_visits_equal_plain_walks(void)
{
	struct test_random r = {6};
	unsigned leaves = 0, over_budget = 0;
	struct image i;

	REQUIRE(image_make(&i));
	for (int round = 0; round < 60; round++) {
		struct leaf_check c = {.image = &i, .space = {{0}, 4 + round % 2}};
		struct gb_leaves how = {.last = {UINT64_MAX},
					.budget = 500,
					.leaf = check_leaf,
					.table = count_table,
					.arg = &c};
		int code;

		random_tables(&i, &r, 1 + (unsigned)round);
		code = gb_space_leaves(i.ram, c.space, &how, NULL);
		CHECK(code == 0 || code == GB_ERANGE);
		CHECK(c.tables <= how.budget);
		CHECK_EQ(c.wrong, 0);
		leaves += c.leaves;
		over_budget += code == GB_ERANGE;
	}
	CHECK(leaves > 1000);
	CHECK(over_budget > 0 && over_budget < 60);
	image_free(&i);
}

TAP_MAIN(TAP_CASE(walks_pages_of_each_size), TAP_CASE(leaves_end_in_cycles_and_budgets),
	 TAP_CASE(walks_five_levels), TAP_CASE(bad_walks_are_refused),
	 TAP_CASE(isolated_tables_come_in_pairs), TAP_CASE(random_walks_equal_plain_ones),
	 TAP_CASE(random_visits_equal_plain_walks))
