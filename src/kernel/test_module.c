// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the list of modules: who uses whom, parts of memory, and lists without end.
#include "base/cleanup.h"
#include "kernel/internal.h"
#include "kernel/module.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#define ONE_AT TEST_SCRATCH_AT
#define TWO_AT (TEST_SCRATCH_AT + 0x2000)
#define USE_AT (TEST_SCRATCH_AT + 0x4000)

static void put(struct test_guest *g, uint64_t at, enum gb_member_id m, uint64_t v)
{
	test_guest_put(g, at + test_guest_offset(m), v);
}

// The virtual address of a list_head in an object.
static uint64_t link_at(uint64_t at, enum gb_member_id m)
{
	return test_guest_va(at + test_guest_offset(m));
}

static uint64_t head_va(void)
{
	return 0xffffffff81000000 + test_guest_symbol(GB_Y_MODULES) - 0x100000;
}

static void put_module(struct test_guest *g, uint64_t at, const char *name, uint64_t base,
		       uint64_t size)
{
	uint64_t mem = at + test_guest_offset(GB_M_MODULE_MEM);

	memcpy(g->bytes + at + test_guest_offset(GB_M_MODULE_NAME), name, strlen(name) + 1);
	put(g, at, GB_M_MODULE_REFS, 1);
	put(g, at, GB_M_MODULE_INIT, 0xffffffff81000000);
	put(g, at, GB_M_MODULE_EXIT, 0xffffffff81000000);
	put(g, at, GB_M_MODULE_USERS, link_at(at, GB_M_MODULE_USERS));
	put(g, mem, GB_M_MODULE_MEMORY_BASE, base);
	put(g, mem, GB_M_MODULE_MEMORY_SIZE, size);
}

// Two modules; the second uses the first.
static bool open_two(struct test_guest *g)
{
	if (!test_guest_open(g))
		return false;
	put_module(g, ONE_AT, "one", 0xffffffffc0001000, 4096);
	put_module(g, TWO_AT, "two", 0xffffffffc0002000, 8192);
	put(g, ONE_AT, GB_M_MODULE_REFS, 2);
	put(g, ONE_AT, GB_M_MODULE_USERS, link_at(USE_AT, GB_M_MODULE_USE_LIST));
	put(g, USE_AT, GB_M_MODULE_USE_LIST, link_at(ONE_AT, GB_M_MODULE_USERS));
	put(g, USE_AT, GB_M_MODULE_USE_SOURCE, test_guest_va(TWO_AT));
	test_guest_put(g, test_guest_symbol(GB_Y_MODULES), link_at(TWO_AT, GB_M_MODULE_LIST));
	put(g, TWO_AT, GB_M_MODULE_LIST, link_at(ONE_AT, GB_M_MODULE_LIST));
	put(g, ONE_AT, GB_M_MODULE_LIST, head_va());
	return true;
}

static const char *list(struct test_guest *g, bool torn)
{
	static char text[4096];
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	GB_CLEANUP(gb_buf_deinit) struct gb_buf out = {};
	struct gb_modules modules = {};

	if (gb_module_list(g->kernel, &arena, &modules, &g->err) != 0) {
		tap_fail_("%s", g->err.message);
		return "";
	}
	CHECK_EQ(modules.torn, torn);
	for (size_t i = 0; i < modules.count; i++)
		gb_module_print(&modules.list[i], &out);
	snprintf(text, sizeof(text), "%s", out.data ? out.data : "");
	return text;
}

#define ONE "one 4096 1 two, Live 0xffffffffc0001000\n"
#define TWO "two 8192 0 - Live 0xffffffffc0002000\n"

static void modules_and_who_uses_them(void)
{
	struct test_guest g;

	REQUIRE(open_two(&g));
	CHECK_STR(list(&g, false), TWO ONE);
	test_guest_put(&g, test_guest_symbol(GB_Y_MODULES), head_va());
	CHECK_STR(list(&g, false), "");
	test_guest_free(&g);
}

static void states_and_taints(void)
{
	static const struct {
		uint64_t state, taints;
		bool exit;
		const char *line;
	} cases[] = {
		{0, 1 << 12 | 1 << 13, true, "two 8192 0 - Live 0xffffffffc0002000 (OE)\n"},
		{1, 1, true, "two 8192 0 - Loading 0xffffffffc0002000 (P+)\n"},
		{2, 1, true, "two 8192 -1 - Unloading 0xffffffffc0002000 (P-)\n"},
		{1, 0, true, "two 8192 0 - Loading 0xffffffffc0002000\n"},
		{3, 0, true, ""},
		{0, 0, false, "two 8192 0 [permanent], Live 0xffffffffc0002000\n"},
	};
	struct test_guest g;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[200];

		REQUIRE(open_two(&g));
		put(&g, TWO_AT, GB_M_MODULE_STATE, cases[i].state);
		put(&g, TWO_AT, GB_M_MODULE_TAINTS, cases[i].taints);
		if (cases[i].state == 2) // nobody holds it any more
			put(&g, TWO_AT, GB_M_MODULE_REFS, 0);
		if (!cases[i].exit)
			put(&g, TWO_AT, GB_M_MODULE_EXIT, 0);
		snprintf(want, sizeof(want), "%s" ONE, cases[i].line);
		CHECK_STR(list(&g, false), want);
		test_guest_free(&g);
	}
}

// What cannot be read, and lists that never come back to their head.
static void lies_are_torn(void)
{
	static const struct {
		uint64_t at;
		enum gb_member_id m;
		uint64_t v;
	} lies[] = {
		{ONE_AT, GB_M_MODULE_LIST, 0x1008}, {ONE_AT, GB_M_MODULE_LIST, 0},
		{ONE_AT, GB_M_MODULE_STATE, 77},    {ONE_AT, GB_M_MODULE_USERS, 0x1008},
		{USE_AT, GB_M_MODULE_USE_LIST, 0},  {USE_AT, GB_M_MODULE_USE_SOURCE, 0x1008},
	};
	struct test_guest g;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		REQUIRE(open_two(&g));
		put(&g, lies[i].at, lies[i].m, lies[i].v);
		if (strncmp(list(&g, true), TWO, strlen(TWO)) != 0)
			tap_fail_("lie %zu: the other module is lost", i);
		test_guest_free(&g);
	}
	REQUIRE(open_two(&g));
	put(&g, ONE_AT, GB_M_MODULE_LIST, link_at(TWO_AT, GB_M_MODULE_LIST));
	CHECK(strlen(list(&g, true)) < 600);
	put(&g, USE_AT, GB_M_MODULE_USE_LIST, link_at(USE_AT, GB_M_MODULE_USE_LIST));
	CHECK(strlen(list(&g, true)) < 600);
	test_guest_free(&g);
}

// More users than a kernel can have modules, on a list that does not meet itself.
static void users_have_a_budget(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	struct gb_modules modules = {};
	struct test_guest g;
	uint64_t before = ONE_AT + test_guest_offset(GB_M_MODULE_USERS);

	REQUIRE(open_two(&g));
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t use = USE_AT + 64 * i;

		test_guest_put(&g, before, link_at(use, GB_M_MODULE_USE_LIST));
		put(&g, use, GB_M_MODULE_USE_SOURCE, test_guest_va(TWO_AT));
		before = use + test_guest_offset(GB_M_MODULE_USE_LIST);
	}
	test_guest_put(&g, before, link_at(ONE_AT, GB_M_MODULE_USERS));
	REQUIRE_OK(gb_module_list(g.kernel, &arena, &modules, &g.err), g.err);
	CHECK(modules.torn);
	CHECK_EQ(modules.count, 2);
	CHECK(modules.list[1].user_count <= 1024);
	test_guest_free(&g);
}

static void memory_has_a_limit(void)
{
	struct gb_arena arena = {.limit = 64};
	struct gb_modules modules = {};
	struct test_guest g;

	REQUIRE(open_two(&g));
	CHECK_EQ(gb_module_list(g.kernel, &arena, &modules, &g.err), GB_ENOMEM);
	CHECK(!modules.list);
	gb_arena_deinit(&arena);
	test_guest_free(&g);
}

TAP_MAIN(TAP_CASE(modules_and_who_uses_them), TAP_CASE(states_and_taints), TAP_CASE(lies_are_torn),
	 TAP_CASE(users_have_a_budget), TAP_CASE(memory_has_a_limit))
