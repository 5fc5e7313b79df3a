// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the arena.
#include "base/arena.h"
#include "base/cleanup.h"
#include "tests/tap.h"

static void arena_zeroes_aligns_and_keeps_its_limit(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena a = {.limit = 1 << 20};

	for (size_t size = 0; size < 5000; size += 37) {
		unsigned char *p = gb_arena_alloc(&a, size);

		REQUIRE(p);
		CHECK_EQ((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			CHECK_EQ(p[i], 0);
		memset(p, 0xff, size);
	}
	CHECK(!gb_arena_alloc(&a, 1 << 20));
	CHECK(!gb_arena_array(&a, SIZE_MAX / 2, 4));
	gb_arena_reset(&a);
	CHECK_STR(gb_arena_strndup(&a, "hello", 4), "hell");
}

// Lists of processes are made in the same arena again and again: what it had is zeros then, too.
static void a_reset_arena_is_as_new(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena a = {};

	for (int round = 0; round < 5; round++) {
		for (size_t n = 1; n < 100000; n *= 3) {
			unsigned char *p = gb_arena_array(&a, n, 3);
			size_t i = 0;

			REQUIRE(p);
			while (i < 3 * n && p[i] == 0)
				i++;
			CHECK_EQ(i, 3 * n);
			memset(p, 0xee, 3 * n);
		}
		gb_arena_reset(&a);
		CHECK_EQ(a.total, 0);
	}
}

static void limits_count_what_was_handed_out(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena a = {.limit = 64};

	CHECK(gb_arena_alloc(&a, 48) != NULL);
	CHECK(!gb_arena_alloc(&a, 17)); // rounded up to 32
	CHECK(gb_arena_alloc(&a, 16) != NULL);
	CHECK(!gb_arena_alloc(&a, 1));
	CHECK_EQ(a.total, 64);
	a.limit = 32; // less than there is: nothing more, and no wrap
	CHECK(!gb_arena_alloc(&a, 1));
	CHECK(!gb_arena_alloc(&a, SIZE_MAX));
	CHECK(!gb_arena_strndup(&a, "", SIZE_MAX));
	gb_arena_deinit(&a);
	CHECK_EQ(a.limit, 32);
}

static void rewinding_frees_what_came_after(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena a = {};

	for (size_t before = 0; before < 10000; before += 999) {
		char *kept = gb_arena_strndup(&a, "kept", 4);
		struct gb_arena_mark mark;

		CHECK(before == 0 || gb_arena_alloc(&a, before));
		mark = gb_arena_mark(&a);
		for (int round = 0; round < 4; round++) {
			char *p = gb_arena_alloc(&a, 16);

			REQUIRE(p && gb_arena_alloc(&a, 100000)); // in a block of its own
			CHECK_EQ(p[0], 0);
			memset(p, 0xee, 16);
			gb_arena_rewind(&a, mark);
			CHECK_EQ(a.total, mark.total);
		}
		CHECK_STR(kept, "kept");
	}
}

static void an_arena_tells_whether_its_limit_refused(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena a = {.limit = 64};

	CHECK(gb_arena_alloc(&a, 64) && !a.refused);
	CHECK(!gb_arena_alloc(&a, 1) && a.refused);
}

TAP_MAIN(TAP_CASE(arena_zeroes_aligns_and_keeps_its_limit), TAP_CASE(a_reset_arena_is_as_new),
	 TAP_CASE(limits_count_what_was_handed_out), TAP_CASE(rewinding_frees_what_came_after),
	 TAP_CASE(an_arena_tells_whether_its_limit_refused))
