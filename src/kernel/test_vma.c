// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of memory maps: both kinds of tree, and trees of a guest that lies: circles, branches that
// meet again, depth without end, counts and ranges that are not so. What is not sure is torn.
#include "base/cleanup.h"
#include "kernel/maps_text.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#define LEAF (1u << 3) // type in a pointer to a node of the maple tree
#define RANGE (2u << 3)
#define NODES 4096u // in the memory that nobody uses

static const struct gb_process *read_one(struct test_guest *g)
{
	static const struct gb_process nobody;
	const struct gb_process *one;
	struct gb_processes p;

	if (test_guest_list(g, &p) != 0) {
		tap_fail_("%s", g->err.message);
		return &nobody;
	}
	CHECK(!gb_process_find(&p, TEST_KTHREAD_PID)->torn);
	one = gb_process_find(&p, TEST_PID);
	CHECK_EQ(p.torn, one->torn);
	return one;
}

static uint64_t node_pa(unsigned n)
{
	return TEST_SCRATCH_AT + 256 * n;
}

static uint64_t slot_pa(unsigned n, unsigned slot)
{
	return node_pa(n) + test_guest_offset(GB_M_MAPLE_RANGE_SLOT) + 8 * slot;
}

// A node whose first `used` slots lead to the same place.
static void make_wide_node(struct test_guest *g, unsigned n, uint64_t entry, unsigned used,
			   uint64_t width)
{
	uint64_t pivots = node_pa(n) + test_guest_offset(GB_M_MAPLE_RANGE_PIVOT);

	for (unsigned i = 0; i < used; i++) {
		test_guest_put(g, slot_pa(n, i), entry);
		if (i < 15)
			test_guest_put(g, pivots + 8 * i,
				       i + 1 < used ? width * (i + 1) - 1 : UINT64_MAX);
	}
}

static void make_node(struct test_guest *g, unsigned n, uint64_t entry, unsigned used)
{
	make_wide_node(g, n, entry, used, 0x1000);
}

static uint64_t entry_of(unsigned n, unsigned type)
{
	return test_guest_va(node_pa(n)) | type;
}

static void set_root(struct test_guest *g, uint64_t entry)
{
	test_guest_set(g, TEST_MM, GB_M_MM_MT, entry | 2);
	test_guest_set(g, TEST_MM, GB_M_MM_MAP_COUNT, UINT32_MAX); // the guest pays what it likes
}

static void both_trees_give_the_same_map(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf maple = {}, red_black = {};
	const struct gb_process *one;
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	one = read_one(&g);
	CHECK(!one->torn);
	gb_maps_text(one, &maple);
	test_guest_free(&g);

	REQUIRE(test_guest_make(&g, TEST_ORDER_B));
	test_guest_plant_rb_tree(g.bytes);
	REQUIRE_OK(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), g.err);
	one = read_one(&g);
	CHECK(!one->torn);
	CHECK_EQ(one->vma_count, 2);
	gb_maps_text(one, &red_black);
	CHECK_STR(red_black.data, maple.data);
	test_guest_free(&g);
}

// A tree of nothing: each node leads 16 times to the next, so that 16^n ways lead to the end.
static void branches_that_meet_again_cost_no_more(void)
{
	for (unsigned depth = 3; depth < 20; depth += 5) {
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(test_guest_open(&g));
		for (unsigned n = 0; n < depth; n++)
			make_node(&g, n, entry_of(n + 1, n + 1 < depth ? RANGE : LEAF), 16);
		set_root(&g, entry_of(0, RANGE));
		one = read_one(&g);
		CHECK(one->torn);
		CHECK_EQ(one->vma_count, 0);
		test_guest_free(&g);
	}
}

static void maple_trees_in_circles_end(void)
{
	const struct gb_process *one;
	struct test_guest g;

	for (unsigned used = 1; used <= 16; used += 15) {
		REQUIRE(test_guest_open(&g));
		make_node(&g, 0, entry_of(0, RANGE), used);
		set_root(&g, entry_of(0, RANGE));
		one = read_one(&g);
		CHECK(one->torn);
		CHECK_EQ(one->vma_count, 0);
		test_guest_free(&g);
	}
}

// A way down of one slot each, longer than any tree of Linux; the VMA at its end is not believed.
static void depth_has_a_limit(void)
{
	static const unsigned depths[] = {2, 10, 30, 1000};

	for (int i = 0; i < 4; i++) {
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(test_guest_open(&g));
		for (unsigned n = 0; n < depths[i]; n++)
			make_node(&g, n, entry_of(n + 1, RANGE), 1);
		test_guest_put(&g, slot_pa(depths[i] - 1, 0),
			       test_guest_va(test_guest_object(TEST_MAPLE)) | LEAF);
		set_root(&g, entry_of(0, RANGE));
		test_guest_set(&g, TEST_MM, GB_M_MM_MAP_COUNT, 2);
		one = read_one(&g);
		CHECK_EQ(one->torn, depths[i] > 16);
		CHECK_EQ(one->vma_count, depths[i] > 16 ? 0 : 2);
		test_guest_free(&g);
	}
}

static void types_of_nodes_are_checked(void)
{
	for (unsigned type = 0; type < 16; type++) {
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(test_guest_open(&g));
		test_guest_set(&g, TEST_MM, GB_M_MM_MT,
			       test_guest_va(test_guest_object(TEST_MAPLE)) | type << 3 | 2);
		one = read_one(&g);
		CHECK_EQ(one->torn, type != 1); // a leaf, as built
		CHECK_EQ(one->vma_count, type == 1 ? 2 : 0);
		make_node(&g, 0, test_guest_va(test_guest_object(TEST_MAPLE)) | LEAF, 1);
		test_guest_set(&g, TEST_MM, GB_M_MM_MT, test_guest_va(node_pa(0)) | type << 3 | 2);
		one = read_one(&g);
		CHECK_EQ(one->torn, type != 2 && type != 3); // the two that lead on
		test_guest_free(&g);
	}
}

// 112 empty leaves, and then the one that was built: more nodes than two VMAs can need.
static void empty_nodes_are_not_paid_for(void)
{
	for (unsigned branches = 1; branches < 8; branches += 6) {
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(test_guest_open(&g));
		make_wide_node(&g, 0, 0, 8, 0x10000);
		make_node(&g, 1, entry_of(2, LEAF), 16);
		for (unsigned i = 0; i < branches; i++)
			test_guest_put(&g, slot_pa(0, i), entry_of(1, RANGE));
		test_guest_put(&g, slot_pa(0, 7),
			       test_guest_va(test_guest_object(TEST_MAPLE)) | LEAF);
		set_root(&g, entry_of(0, RANGE));
		test_guest_set(&g, TEST_MM, GB_M_MM_MAP_COUNT, 2);
		one = read_one(&g);
		CHECK_EQ(one->torn, branches > 1);
		CHECK_EQ(one->vma_count, branches > 1 ? 0 : 2);
		test_guest_free(&g);
	}
}

// What a node says of its range must lie in what the node above says of it.
static void nodes_keep_to_their_range(void)
{
	static const uint64_t ends[] = {0x601fff, 0x401000};

	for (int i = 0; i < 2; i++) {
		struct test_guest g;

		REQUIRE(test_guest_open(&g));
		make_node(&g, 0, test_guest_va(test_guest_object(TEST_MAPLE)) | LEAF, 1);
		test_guest_put(&g, node_pa(0) + test_guest_offset(GB_M_MAPLE_RANGE_PIVOT), ends[i]);
		set_root(&g, entry_of(0, RANGE));
		test_guest_set(&g, TEST_MM, GB_M_MM_MAP_COUNT, 2);
		CHECK_EQ(read_one(&g)->torn, i == 1);
		test_guest_free(&g);
	}
}

static void counts_of_vmas_are_checked(void)
{
	static const uint32_t counts[] = {0, 1, 2, 3, INT32_MAX, UINT32_MAX};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(test_guest_open(&g));
		test_guest_set(&g, TEST_MM, GB_M_MM_MAP_COUNT, counts[i]);
		one = read_one(&g);
		CHECK_EQ(one->torn, counts[i] != 2);
		CHECK_EQ(one->vma_count, 2);
		test_guest_free(&g);
	}
}

static void vmas_must_be_what_the_tree_says(void)
{
	static const struct {
		enum test_object o;
		enum gb_member_id m;
		uint64_t v;
	} lies[] = {
		{TEST_VMA1, GB_M_VMA_START, 0x402000}, // empty
		{TEST_VMA1, GB_M_VMA_START, 0x403000}, // ends before it starts
		{TEST_VMA1, GB_M_VMA_END, 0x403000},   // not where the tree has it
		{TEST_VMA1, GB_M_VMA_END, 0x600001},   // into the next one
		{TEST_VMA2, GB_M_VMA_START, 0x401000}, // begins in the one before
		{TEST_VMA1, GB_M_VMA_MM, 0},           // somebody else's
		{TEST_MAPLE, GB_M_MAPLE_RANGE_PIVOT, UINT64_MAX},
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(test_guest_open(&g));
		test_guest_set(&g, lies[i].o, lies[i].m, lies[i].v);
		one = read_one(&g);
		if (!one->torn)
			tap_fail_("lie %zu was believed", i);
		for (size_t v = 0; v < one->vma_count; v++)
			CHECK(one->vmas[v].start < one->vmas[v].end);
		test_guest_free(&g);
	}
}

static bool open_old(struct test_guest *g)
{
	if (!test_guest_make(g, TEST_ORDER_B))
		return false;
	test_guest_plant_rb_tree(g->bytes);
	return gb_kernel_open(g->ram, NULL, &g->kernel, &g->err) == 0;
}

static uint64_t rb_pa(enum test_object vma, enum gb_member_id side)
{
	return test_guest_at(vma, GB_M_VMA_RB) + test_guest_offset(side);
}

static void red_black_trees_in_circles_end(void)
{
	static const struct {
		enum test_object from, to;
		enum gb_member_id side;
	} circles[] = {
		{TEST_VMA1, TEST_VMA1, GB_M_RB_LEFT},  {TEST_VMA1, TEST_VMA2, GB_M_RB_LEFT},
		{TEST_VMA1, TEST_VMA1, GB_M_RB_RIGHT}, {TEST_VMA1, TEST_VMA2, GB_M_RB_RIGHT},
		{TEST_VMA2, TEST_VMA2, GB_M_RB_RIGHT}, {TEST_VMA2, TEST_VMA1, GB_M_RB_RIGHT},
	};

	for (size_t i = 0; i < sizeof(circles) / sizeof(circles[0]); i++) {
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(open_old(&g));
		test_guest_put(&g, rb_pa(circles[i].from, circles[i].side),
			       test_guest_va(test_guest_at(circles[i].to, GB_M_VMA_RB)));
		test_guest_set(&g, TEST_MM, GB_M_MM_MAP_COUNT, UINT32_MAX);
		one = read_one(&g);
		CHECK(one->torn);
		CHECK(one->vma_count <= 2);
		test_guest_free(&g);
	}
}

// A list instead of a tree: deeper than any that is balanced, in both directions.
static void red_black_trees_have_a_depth(void)
{
	for (int side = 0; side < 2; side++) {
		enum gb_member_id m = side ? GB_M_RB_RIGHT : GB_M_RB_LEFT;
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(open_old(&g));
		for (unsigned n = 0; n < NODES; n++)
			test_guest_put(&g, node_pa(n) + test_guest_offset(m),
				       n + 1 < NODES ? test_guest_va(node_pa(n + 1)) : 0);
		test_guest_set(&g, TEST_MM, GB_M_MM_RB, test_guest_va(node_pa(0)));
		test_guest_set(&g, TEST_MM, GB_M_MM_MAP_COUNT, NODES);
		one = read_one(&g);
		CHECK(one->torn);
		CHECK_EQ(one->vma_count, 0);
		test_guest_free(&g);
	}
}

// The same of VMAs that are right, each to the right of the one before: a list that a careless
// reader follows as deep as it is long.
static void red_black_trees_of_vmas_have_a_depth(void)
{
	static const unsigned counts[] = {50, 3000};

	for (int i = 0; i < 2; i++) {
		const struct gb_process *one;
		struct test_guest g;

		REQUIRE(open_old(&g));
		for (unsigned n = 0; n < counts[i]; n++) {
			uint64_t vma = TEST_SCRATCH_AT + 320 * n,
				 rb = vma + test_guest_offset(GB_M_VMA_RB);

			test_guest_put(&g, vma + test_guest_offset(GB_M_VMA_START), 0x1000 * n);
			test_guest_put(&g, vma + test_guest_offset(GB_M_VMA_END),
				       0x1000 * n + 0x1000);
			test_guest_put(&g, vma + test_guest_offset(GB_M_VMA_MM),
				       test_guest_va(test_guest_object(TEST_MM)));
			test_guest_put(&g, rb + test_guest_offset(GB_M_RB_RIGHT),
				       n + 1 < counts[i] ? test_guest_va(rb + 320) : 0);
		}
		test_guest_set(&g, TEST_MM, GB_M_MM_RB,
			       test_guest_va(TEST_SCRATCH_AT + test_guest_offset(GB_M_VMA_RB)));
		test_guest_set(&g, TEST_MM, GB_M_MM_MAP_COUNT, counts[i]);
		one = read_one(&g);
		CHECK_EQ(one->torn, i == 1);
		CHECK(one->vma_count >= 50 && one->vma_count < 70);
		test_guest_free(&g);
	}
}

TAP_MAIN(TAP_CASE(both_trees_give_the_same_map), TAP_CASE(branches_that_meet_again_cost_no_more),
	 TAP_CASE(maple_trees_in_circles_end), TAP_CASE(depth_has_a_limit),
	 TAP_CASE(types_of_nodes_are_checked), TAP_CASE(empty_nodes_are_not_paid_for),
	 TAP_CASE(nodes_keep_to_their_range), TAP_CASE(counts_of_vmas_are_checked),
	 TAP_CASE(vmas_must_be_what_the_tree_says), TAP_CASE(red_black_trees_in_circles_end),
	 TAP_CASE(red_black_trees_have_a_depth), TAP_CASE(red_black_trees_of_vmas_have_a_depth))
