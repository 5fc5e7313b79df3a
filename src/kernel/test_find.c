// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of finding and reading a kernel, on a small guest made by code.
#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/frames.h"
#include "kernel/maps_text.h"
#include "kernel/page.h"
#include "kernel/symbols.h"
#include "kernel/test_guest.h"
#include "kernel/types.h"
#include "tests/tap.h"

static void finds_a_kernel_with_each_order_of_symbols(void)
{
	for (int order = 0; order < TEST_ORDER_COUNT; order++) {
		const struct gb_kernel_info *info;
		struct gb_symbol s;
		struct test_guest g;
		uint64_t offset;

		REQUIRE(test_guest_make(&g, order));
		REQUIRE_OK(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), g.err);
		info = gb_kernel_info(g.kernel);
		CHECK_STR(info->banner, TEST_GUEST_BANNER);
		CHECK_STR(info->release, "9.9.9-test");
		CHECK_EQ(info->paging_levels, 4);
		CHECK_EQ(info->phys_base.v, 0x100000);
		CHECK_EQ(info->kaslr_slide, 0);
		CHECK_EQ(gb_symbol_find(g.kernel, "init_task", SIZE_MAX, &s), 0);
		CHECK_EQ(s.address.v, 0xffffffff81080000);
		CHECK_EQ(gb_symbol_find(g.kernel, "sys__start_of_something_long7", SIZE_MAX, &s),
			 0);
		CHECK_EQ(s.address.v, 0xffffffff81000070);
		CHECK_EQ(gb_symbol_nearest(g.kernel, (gb_gva){0xffffffff81000073}, &s, &offset), 0);
		CHECK_STR(s.name, "sys__start_of_something_long7");
		CHECK_EQ(offset, 3);
		CHECK_EQ(gb_symbol_nearest(g.kernel, (gb_gva){0x1000}, &s, &offset), GB_ENOTFOUND);
		test_guest_free(&g);
	}
}

static void reads_processes_threads_and_maps(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	GB_CLEANUP(gb_buf_deinit) struct gb_buf maps = {};
	const struct gb_process *one, *kthread;
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(test_guest_make(&g, TEST_ORDER_B));
	REQUIRE_OK(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), g.err);
	REQUIRE_OK(gb_process_list(g.kernel, GB_PROCESS_NAMES | GB_PROCESS_ARGS, &arena, &p,
				   &g.err),
		   g.err);
	CHECK_EQ(p.count, 2);
	CHECK(!p.torn);
	one = gb_process_find(&p, TEST_PID);
	kthread = gb_process_find(&p, TEST_KTHREAD_PID);
	REQUIRE(one && kthread);
	CHECK(!one->torn);
	CHECK_STR(one->comm, "one");
	CHECK_STR(one->args, "one --two");
	CHECK_EQ(one->uid, 1000);
	CHECK_EQ(one->state, 'S');
	REQUIRE(one->thread_count == 2);
	CHECK_EQ(one->threads[1].tid, TEST_TID);
	CHECK_STR(one->threads[1].comm, "thread");
	gb_maps_text(one, &maps);
	CHECK_STR(
		maps.data,
		"00400000-00402000 r-xp 00000000 08:01 4711                               /a\\012exe\n"
		"00600000-00602000 rw-p 00000000 00:00 0                                  [heap]\n");
	CHECK(kthread->kernel_thread);
	CHECK_EQ(kthread->vma_count, 0);
	test_guest_free(&g);
}

static void classifies_frames(void)
{
	static const struct {
		uint64_t pfn;
		enum gb_frame_class class;
		int32_t pid;
		const char *owner;
	} want[] = {
		{0x000, GB_FRAME_RESERVED, 0, "reserved at boot"},
		{0x101, GB_FRAME_KERNEL_TEXT, 0, NULL},
		{0x110, GB_FRAME_KERNEL_RODATA, 0, NULL},
		{0x180, GB_FRAME_KERNEL_DATA, 0, "kernel at init_task"},
		{0x201, GB_FRAME_PAGE_TABLE, 0, "page table of the kernel"},
		{0x302, GB_FRAME_SLAB, 0, NULL},
		{0x400, GB_FRAME_VMEMMAP, 0, "struct pages"},
		{0x503, GB_FRAME_PAGE_TABLE, 0, "page table of pid 1 one"},
		{0x505, GB_FRAME_CODE, 1, "pid 1 one /a\\012exe"},
		{0x506, GB_FRAME_HEAP, 1, "pid 1 one heap"},
		{0x6ff, GB_FRAME_UNKNOWN, 0, "kernel"},
		{0x700, GB_FRAME_FREE, 0, "free"},
		{0x7ff, GB_FRAME_FREE, 0, "free"},
	};
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	GB_CLEANUP(gb_frames_deinit) struct gb_frames f = {};
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(test_guest_make(&g, TEST_ORDER_B));
	REQUIRE_OK(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), g.err);
	REQUIRE_OK(gb_process_list(g.kernel, GB_PROCESS_NAMES, &arena, &p, &g.err), g.err);
	for (int again = 0; again < 2; again++)
		REQUIRE_OK(gb_frames_classify(g.kernel, &p, &f, &g.err), g.err);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf owner = {};

		CHECK_STR(gb_frame_class_name(f.classes[want[i].pfn]),
			  gb_frame_class_name(want[i].class));
		CHECK_EQ(f.pids[want[i].pfn], want[i].pid);
		gb_frame_describe(g.kernel, &p, &f, want[i].pfn, &owner);
		if (want[i].owner)
			CHECK_STR(owner.data, want[i].owner);
	}
	CHECK_EQ(f.mappers[0x505], 1);
	CHECK_EQ(f.by_class[GB_FRAME_FREE], 256);
	test_guest_free(&g);
}

// What is damaged is refused with a reason, or marked torn; never an empty list.
static void damage_is_told(void)
{
	static const struct {
		const char *what;
		uint32_t at, len;
	} damages[] = {
		{"no types", 0x140000, 24},
		{"no token table", 0x112000, 0x8000},
		{"no page tables", 0x190000, 4096},
		{"no init_task", 0x180000, 4096},
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct test_guest g;

		REQUIRE(test_guest_make(&g, TEST_ORDER_B));
		memset(g.bytes + damages[i].at, 0, damages[i].len);
		CHECK_EQ(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), GB_EUNKNOWN);
		CHECK(strstr(g.err.message, "kernel") != NULL);
		test_guest_free(&g);
	}
}

static void lists_without_end_are_torn(void)
{
	struct gb_arena arena = {};
	struct gb_processes p;
	const uint32_t *places;
	struct test_guest g;
	uint64_t next;

	REQUIRE(test_guest_make(&g, TEST_ORDER_B));
	REQUIRE_OK(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), g.err);
	test_guest_places(&places);
	// the list of tasks: find the leader's link to the kernel thread, and point it to itself
	REQUIRE_OK(gb_process_list(g.kernel, 0, &arena, &p, &g.err), g.err);
	for (uint64_t at = places[8]; at < places[8] + 0x400; at += 8) {
		memcpy(&next, g.bytes + at, 8);
		if (next - p.list[1].task.v < 0x400) {
			next = p.list[0].task.v + (at - places[8]);
			memcpy(g.bytes + at, &next, 8);
			break;
		}
	}
	REQUIRE_OK(gb_process_list(g.kernel, 0, &arena, &p, &g.err), g.err);
	CHECK(p.torn);
	CHECK(p.count < 100000);
	gb_arena_deinit(&arena);
	test_guest_free(&g);
}

// RAM full of what a kernel is found by. Each place is looked at, none for long.
static void landmarks_everywhere_end(void)
{
	static const uint32_t headers[][6] = {
		{0x0001eb9f, 24, 0, 4, 4, 4096},             // small, and everywhere
		{0x0001eb9f, 24, 0, 4 << 20, 4 << 20, 4096}, // half of RAM, and everywhere
		{0x0001eb9f, 24, 0, 4, 4, 63 << 20},         // more than RAM
	};
	struct test_guest g;

	for (int kind = 0; kind < 4; kind++) {
		uint64_t start = gb_clock_ns();

		REQUIRE(test_guest_make(&g, TEST_ORDER_B));
		for (size_t at = 0; at < TEST_GUEST_SIZE; at += 32) {
			if (kind < 3)
				memcpy(g.bytes + at, headers[kind], 24);
			else
				memcpy(g.bytes + at,
				       "0\0001\0002\0003\0004\0005\0006\0007\0008\0009", 20);
		}
		CHECK_EQ(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), GB_EUNKNOWN);
		CHECK(strstr(g.err.message, "no Linux kernel") != NULL);
		CHECK(gb_clock_ns() - start < 60 * GB_SECOND);
		printf("# kind %d: %.2f s\n", kind, (double)(gb_clock_ns() - start) / GB_SECOND);
		test_guest_free(&g);
	}
}

static void an_empty_guest_is_no_linux(void)
{
	struct test_guest g;

	REQUIRE(test_guest_make(&g, TEST_ORDER_B));
	memset(g.bytes, 0, TEST_GUEST_SIZE);
	CHECK_EQ(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), GB_EUNKNOWN);
	CHECK(strstr(g.err.message, "no Linux kernel was found") != NULL);
	test_guest_free(&g);
}

// A running kernel is found twice; any difference is one.
static void two_findings_are_compared(void)
{
	static const char *const changes[] = {"glass@box", "PG_locked"}; // info, a type

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct gb_kernel *same = NULL, *other = NULL;
		struct test_guest g;
		uint8_t *at;

		REQUIRE(test_guest_make(&g, TEST_ORDER_B));
		REQUIRE_OK(gb_kernel_open(g.ram, NULL, &g.kernel, &g.err), g.err);
		REQUIRE_OK(gb_kernel_open(g.ram, NULL, &same, &g.err), g.err);
		CHECK(gb_kernel_same(g.kernel, same));
		at = memmem(g.bytes, TEST_GUEST_SIZE, changes[i], strlen(changes[i]));
		REQUIRE(at);
		at[4] ^= 1;
		REQUIRE_OK(gb_kernel_open(g.ram, NULL, &other, &g.err), g.err);
		CHECK(!gb_kernel_same(g.kernel, other));
		gb_kernel_close(same);
		gb_kernel_close(other);
		test_guest_free(&g);
	}
}

TAP_MAIN(TAP_CASE(finds_a_kernel_with_each_order_of_symbols),
	 TAP_CASE(reads_processes_threads_and_maps), TAP_CASE(classifies_frames),
	 TAP_CASE(damage_is_told), TAP_CASE(lists_without_end_are_torn),
	 TAP_CASE(an_empty_guest_is_no_linux), TAP_CASE(landmarks_everywhere_end),
	 TAP_CASE(two_findings_are_compared))
