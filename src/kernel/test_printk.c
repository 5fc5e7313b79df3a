// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the kernel's log: blocks that wrap, records that are not final, and a ring that lies.
#include "base/cleanup.h"
#include "kernel/internal.h"
#include "kernel/printk.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#define RING_AT test_guest_object(TEST_PRB)
#define DATA_AT test_guest_object(TEST_PRB_TEXT)
#define DESC_BITS 4u
#define TEXT_BITS 8u

enum { RESERVED, COMMITTED, FINAL, REUSABLE };

static void put(struct test_guest *g, uint64_t at, enum gb_member_id m, uint64_t v)
{
	test_guest_put(g, at + test_guest_offset(m), v);
}

static uint64_t desc_at(const struct test_guest *g, uint64_t id)
{
	return test_guest_object(TEST_PRB_DESCS) +
	       id % (1 << DESC_BITS) * g->kernel->offsets.structs[GB_S_PRB_DESC].size;
}

static uint64_t info_at(const struct test_guest *g, uint64_t id)
{
	return test_guest_object(TEST_PRB_INFOS) +
	       id % (1 << DESC_BITS) * g->kernel->offsets.structs[GB_S_PRINTK_INFO].size;
}

static void put_record(struct test_guest *g, uint64_t id, unsigned state, uint64_t begin,
		       uint64_t next, size_t len)
{
	put(g, desc_at(g, id), GB_M_PRB_DESC_STATE, id | (uint64_t)state << 62);
	put(g, desc_at(g, id), GB_M_PRB_DESC_BEGIN, begin);
	put(g, desc_at(g, id), GB_M_PRB_DESC_NEXT, next);
	put(g, info_at(g, id), GB_M_PRINTK_SEQ, id + 1000);
	put(g, info_at(g, id), GB_M_PRINTK_TIME, 12345678901 + id);
	put(g, info_at(g, id), GB_M_PRINTK_LEN, len);
	put(g, info_at(g, id), GB_M_PRINTK_FACILITY, 1 | 6 << 13); // user, info
	put(g, info_at(g, id), GB_M_PRINTK_CALLER, 77);
}

// A record as the kernel makes it: at a logical position, with its block at an index of the ring.
static uint64_t add_at(struct test_guest *g, uint64_t id, uint64_t begin, uint64_t index,
		       const char *text)
{
	size_t len = strlen(text), size = 8 + ((len + 7) & ~(size_t)7);
	uint64_t next = index == begin % (1 << TEXT_BITS)
				? begin + size
				: (((begin >> TEXT_BITS) + 1) << TEXT_BITS) + size;

	test_guest_put(g, DATA_AT + index, id);
	memcpy(g->bytes + DATA_AT + index + 8, text, len);
	put_record(g, id, FINAL, begin, next, len);
	return next;
}

static uint64_t add(struct test_guest *g, uint64_t id, uint64_t begin, const char *text)
{
	return add_at(g, id, begin, begin % (1 << TEXT_BITS), text);
}

static bool open_ring(struct test_guest *g, uint64_t tail, uint64_t head)
{
	if (!test_guest_open(g))
		return false;
	put(g, RING_AT, GB_M_PRB_HEAD, head | (uint64_t)REUSABLE << 62);
	put(g, RING_AT, GB_M_PRB_TAIL, tail | (uint64_t)REUSABLE << 62);
	return true;
}

// All lines, with a bar after each.
static const char *read_log(struct test_guest *g, size_t damaged)
{
	static char text[4096];
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	GB_CLEANUP(gb_buf_deinit) struct gb_buf out = {};
	struct gb_printk log = {};

	if (gb_printk_read(g->kernel, &arena, &log, &g->err) != 0) {
		tap_fail_("%s", g->err.message);
		return "";
	}
	CHECK_EQ(log.damaged, damaged);
	for (size_t i = 0; i < log.count; i++)
		gb_printk_print(&log.list[i], false, &out);
	snprintf(text, sizeof(text), "%s", out.data ? out.data : "");
	return text;
}

static void the_guest_as_built_has_one(void)
{
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	CHECK_STR(read_log(&g, 0), "[    0.000000] hello\n");
	test_guest_free(&g);
}

static void records_come_in_order(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	struct gb_printk log = {};
	struct test_guest g;
	uint64_t at;

	REQUIRE(open_ring(&g, 14, 17)); // the array begins anew between them
	at = add(&g, 14, 0, "one");
	at = add(&g, 15, at, "two\nlines");
	at = add(&g, 16, at, "three");
	add(&g, 17, at, "12345678");
	CHECK_STR(read_log(&g, 0), "[   12.345678] one\n[   12.345678] two\n[   12.345678] lines\n"
				   "[   12.345678] three\n[   12.345678] 12345678\n");
	REQUIRE_OK(gb_printk_read(g.kernel, &arena, &log, &g.err), g.err);
	REQUIRE(log.count == 4);
	CHECK_EQ(log.list[1].seq, 1015);
	CHECK_EQ(log.list[1].facility, 1);
	CHECK_EQ(log.list[1].level, 6);
	CHECK_EQ(log.list[1].caller, 77);
	CHECK_EQ(log.list[1].len, 9);
	test_guest_free(&g);
}

static void what_is_not_final_is_not_shown(void)
{
	struct test_guest g;

	for (unsigned state = RESERVED; state <= REUSABLE; state++) {
		REQUIRE(open_ring(&g, 0, 1));
		add(&g, 1, add(&g, 0, 0, "first"), "second");
		put(&g, desc_at(&g, 0), GB_M_PRB_DESC_STATE, (uint64_t)state << 62);
		CHECK_STR(read_log(&g, 0), state == FINAL
						   ? "[   12.345678] first\n[   12.345678] second\n"
						   : "[   12.345678] second\n");
		// of another record: this one was overwritten
		put(&g, desc_at(&g, 0), GB_M_PRB_DESC_STATE, 16 | (uint64_t)FINAL << 62);
		CHECK_STR(read_log(&g, 0), "[   12.345678] second\n");
		test_guest_free(&g);
	}
}

static void blocks_wrap(void)
{
	struct test_guest g;

	REQUIRE(open_ring(&g, 0, 2));
	add(&g, 0, 0xf0 - 0x10, "before");
	add_at(&g, 1, 0xf0, 0, "too long for the end");
	add(&g, 2, 0x100 + 0x40, "behind");
	CHECK_STR(read_log(&g, 0), "[   12.345678] before\n[   12.345678] too long for the end\n"
				   "[   12.345678] behind\n");
	// up to the very end: older kernels begin anew then, newer ones do not
	add(&g, 1, 0xf0, "to the e");
	CHECK_STR(read_log(&g, 0),
		  "[   12.345678] before\n[   12.345678] to the e\n[   12.345678] behind\n");
	add_at(&g, 1, 0xf0, 0, "to the e");
	CHECK_STR(read_log(&g, 0),
		  "[   12.345678] before\n[   12.345678] to the e\n[   12.345678] behind\n");
	test_guest_free(&g);
}

static void records_without_text(void)
{
	struct test_guest g;

	REQUIRE(open_ring(&g, 0, 2));
	put_record(&g, 0, FINAL, 3, 3, 0);  // empty
	put_record(&g, 1, FINAL, 1, 1, 20); // lost
	add(&g, 2, 0, "");
	CHECK_STR(read_log(&g, 0), "[   12.345678] \n[   12.345678] \n");
	test_guest_free(&g);
}

static void texts_are_not_longer_than_their_block(void)
{
	struct test_guest g;

	REQUIRE(open_ring(&g, 0, 1));
	add(&g, 1, add(&g, 0, 0, "12345678"), "next");
	put(&g, info_at(&g, 0), GB_M_PRINTK_LEN, 9);
	CHECK_STR(read_log(&g, 1), "[   12.345678] next\n");
	test_guest_free(&g);
}

// One record lies; the others are as they were.
static void lies_are_told_from_records(void)
{
	static const struct {
		uint64_t begin, next;
	} lies[] = {
		{0x10, 0x8},
		{0x11, 0x20},
		{0x18, 0x30},
		{0x20, 0x20},
		{0x20, 0x10},
		{0x10, 0x2000010},
		{UINT64_MAX - 7, 0},
		{0x10, 0x210},
		{0, 0x100},
		{0x10, 0x12},
		{0x10, UINT64_MAX & ~7ull},
	};
	struct test_guest g;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		REQUIRE(open_ring(&g, 0, 2));
		add(&g, 2, add(&g, 1, add(&g, 0, 0, "first"), "second"), "third");
		put(&g, desc_at(&g, 1), GB_M_PRB_DESC_BEGIN, lies[i].begin);
		put(&g, desc_at(&g, 1), GB_M_PRB_DESC_NEXT, lies[i].next);
		if (strcmp(read_log(&g, 1), "[   12.345678] first\n[   12.345678] third\n") != 0)
			tap_fail_("lie %zu", i);
		test_guest_free(&g);
	}
}

// Each block lies in the text of the one before, and reaches to the end of the ring: more text than a ring can hold.
static void texts_have_a_budget(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	struct gb_printk log = {};
	struct test_guest g;
	size_t bytes = 0;

	REQUIRE(open_ring(&g, 0, 15));
	for (uint64_t id = 0; id < 16; id++) {
		test_guest_put(&g, DATA_AT + 8 * id, id);
		put_record(&g, id, FINAL, 8 * id, 1 << TEXT_BITS, (1 << TEXT_BITS) - 8 * id - 8);
	}
	REQUIRE_OK(gb_printk_read(g.kernel, &arena, &log, &g.err), g.err);
	for (size_t i = 0; i < log.count; i++)
		bytes += log.list[i].len;
	CHECK(log.damaged > 0 && bytes <= 2 << TEXT_BITS);
	CHECK_EQ(log.count + log.damaged, 16);
	test_guest_free(&g);
}

static void rings_that_are_none_are_refused(void)
{
	static const struct {
		enum gb_member_id m;
		uint64_t v;
	} lies[] = {
		{GB_M_PRB_COUNT_BITS, 0},
		{GB_M_PRB_COUNT_BITS, 23},
		{GB_M_PRB_COUNT_BITS, UINT64_MAX},
		{GB_M_PRB_SIZE_BITS, 0},
		{GB_M_PRB_SIZE_BITS, 32},
		{GB_M_PRB_SIZE_BITS, 64},
		{GB_M_PRB_HEAD, 16},
		{GB_M_PRB_TAIL, 1},
		{GB_M_PRB_HEAD, UINT64_MAX},
	};
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	struct gb_printk log = {};
	struct test_guest g;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		REQUIRE(open_ring(&g, 0, 0));
		put(&g, RING_AT, lies[i].m, lies[i].v);
		CHECK_EQ(gb_printk_read(g.kernel, &arena, &log, &g.err), GB_EUNKNOWN);
		CHECK(!log.list && g.err.message[0]);
		test_guest_free(&g);
	}
	REQUIRE(open_ring(&g, 0, 0));
	test_guest_put(&g, test_guest_symbol(GB_Y_PRB), 0);
	CHECK_EQ(gb_printk_read(g.kernel, &arena, &log, &g.err), GB_EUNKNOWN);
	test_guest_free(&g);
}

static void pointers_into_nowhere_are_damage(void)
{
	static const enum gb_member_id pointers[] = {GB_M_PRB_DESCS, GB_M_PRB_INFOS, GB_M_PRB_DATA};
	struct test_guest g;

	for (int i = 0; i < 3; i++) {
		REQUIRE(open_ring(&g, 0, 1));
		add(&g, 1, add(&g, 0, 0, "first"), "second");
		put(&g, RING_AT, pointers[i], 0x1008);
		CHECK_STR(read_log(&g, 2), "");
		test_guest_free(&g);
	}
}

static void memory_has_a_limit(void)
{
	struct gb_arena arena = {.limit = 16};
	struct gb_printk log = {};
	struct test_guest g;

	REQUIRE(open_ring(&g, 0, 1));
	CHECK_EQ(gb_printk_read(g.kernel, &arena, &log, &g.err), GB_ENOMEM);
	gb_arena_deinit(&arena);
	test_guest_free(&g);
}

TAP_MAIN(TAP_CASE(the_guest_as_built_has_one), TAP_CASE(records_come_in_order),
	 TAP_CASE(what_is_not_final_is_not_shown), TAP_CASE(blocks_wrap),
	 TAP_CASE(records_without_text), TAP_CASE(texts_are_not_longer_than_their_block),
	 TAP_CASE(lies_are_told_from_records), TAP_CASE(texts_have_a_budget),
	 TAP_CASE(rings_that_are_none_are_refused), TAP_CASE(pointers_into_nowhere_are_damage),
	 TAP_CASE(memory_has_a_limit))
