// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of names and states of tasks, also of a guest that leaves out what ends a text.
#include "base/cleanup.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#define PF_KTHREAD 0x200000u
#define PF_WQ_WORKER 0x20u
#define TEXT_AT TEST_SCRATCH_AT // a text; its kthread, worker and queue lie behind it
#define KTHREAD_AT (TEST_SCRATCH_AT + 0x1000)
#define WORKER_AT (TEST_SCRATCH_AT + 0x2000)
#define QUEUE_AT (TEST_SCRATCH_AT + 0x3000)

static const struct gb_process *read_task(struct test_guest *g, int32_t pid)
{
	static const struct gb_process nobody;
	struct gb_processes p;

	if (test_guest_list(g, &p) != 0) {
		tap_fail_("%s", g->err.message);
		return &nobody;
	}
	CHECK_EQ(p.count, 2);
	CHECK(!p.torn);
	return gb_process_find(&p, pid);
}

static void put_text(struct test_guest *g, uint64_t pa, const char *text, size_t len)
{
	memcpy(g->bytes + pa, text, len);
}

static void states_have_letters(void)
{
	static const struct {
		uint32_t state, exit_state;
		char letter;
	} cases[] = {
		{0, 0, 'R'},     {1, 0, 'S'},       {2, 0, 'D'},
		{4, 0, 'T'},     {8, 0, 't'},       {0, 0x10, 'X'},
		{0, 0x20, 'Z'},  {0x80, 0x20, 'Z'}, {0x40, 0, 'P'},
		{0x402, 0, 'I'}, {0x1000, 0, 'D'},  {0x8000, 0, 'D'},
		{0x80, 0, 'R'},  {0x102, 0, 'D'},   {UINT32_MAX, UINT32_MAX, 'P'},
		{0, 0x80, 'R'},  {0x2001, 0, 'S'},  {0x402, 0x20, 'I'},
	};
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_guest_set(&g, TEST_TASK, GB_M_TASK_STATE, cases[i].state);
		test_guest_set(&g, TEST_TASK, GB_M_TASK_EXIT_STATE, cases[i].exit_state);
		CHECK_EQ(read_task(&g, TEST_PID)->state, cases[i].letter);
	}
	test_guest_free(&g);
}

// 16 bytes and no NUL; the bytes behind it belong to another member. What is in a name is the
// guest's: whoever shows it escapes it.
static void names_end_without_a_nul(void)
{
	static const struct {
		const char *bytes, *name;
	} cases[] = {
		{"0123456789abcdef", "0123456789abcdef"},
		{"\x1b[2J\xe2\x80\xae\n<b>\0\0\0\0", "\x1b[2J\xe2\x80\xae\n<b>"},
		{"\xff\xfe\x80%s%n\0hidden..", "\xff\xfe\x80%s%n"},
		{"\0hidden..........", ""},
	};
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct gb_process *p;

		put_text(&g, test_guest_at(TEST_TASK, GB_M_TASK_COMM), cases[i].bytes, 16);
		put_text(&g, test_guest_at(TEST_THREAD, GB_M_TASK_COMM), cases[i].bytes, 16);
		p = read_task(&g, TEST_PID);
		CHECK_STR(p->comm, cases[i].name);
		REQUIRE(p->thread_count == 2);
		CHECK_STR(p->threads[1].comm, cases[i].name);
	}
	test_guest_free(&g);
}

static void make_kthread(struct test_guest *g, uint32_t flags)
{
	test_guest_set(g, TEST_KTHREAD, GB_M_TASK_FLAGS, PF_KTHREAD | flags);
	test_guest_set(g, TEST_KTHREAD, GB_M_TASK_KTHREAD, test_guest_va(KTHREAD_AT));
	test_guest_put(g, KTHREAD_AT + test_guest_offset(GB_M_KTHREAD_DATA),
		       test_guest_va(WORKER_AT));
	test_guest_put(g, KTHREAD_AT + test_guest_offset(GB_M_KTHREAD_FULL_NAME),
		       test_guest_va(TEXT_AT));
}

static void kernel_threads_have_long_names(void)
{
	static const char long_name[] = "a_kernel_thread_with_a_name_that_has_more_than_15_bytes";
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	CHECK_STR(read_task(&g, TEST_KTHREAD_PID)->comm, "kthread");
	make_kthread(&g, 0);
	put_text(&g, TEXT_AT, long_name, sizeof(long_name));
	CHECK_STR(read_task(&g, TEST_KTHREAD_PID)->comm, long_name);
	memset(g.bytes + TEXT_AT, 'x', 4096); // never ends
	CHECK_EQ(strlen(read_task(&g, TEST_KTHREAD_PID)->comm), 63);
	// the last bytes of RAM, and nothing behind them
	memset(g.bytes + TEST_GUEST_SIZE - 8, 'y', 8);
	test_guest_put(&g, KTHREAD_AT + test_guest_offset(GB_M_KTHREAD_FULL_NAME),
		       test_guest_va(TEST_GUEST_SIZE - 8));
	REQUIRE_OK(test_guest_list(&g, &p), g.err);
	CHECK(p.torn);
	CHECK_STR(gb_process_find(&p, TEST_KTHREAD_PID)->comm, "kthread");
	test_guest_free(&g);
}

static void workers_tell_their_queue(void)
{
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	make_kthread(&g, PF_WQ_WORKER);
	put_text(&g, test_guest_at(TEST_KTHREAD, GB_M_TASK_COMM), "kworker/0:1", 12);
	CHECK_STR(read_task(&g, TEST_KTHREAD_PID)->comm, "kworker/0:1");
	test_guest_put(&g, WORKER_AT + test_guest_offset(GB_M_WORKER_POOL), 1);
	put_text(&g, WORKER_AT + test_guest_offset(GB_M_WORKER_DESC), "events", 7);
	CHECK_STR(read_task(&g, TEST_KTHREAD_PID)->comm, "kworker/0:1-events");
	test_guest_put(&g, WORKER_AT + test_guest_offset(GB_M_WORKER_CURRENT), 1);
	CHECK_STR(read_task(&g, TEST_KTHREAD_PID)->comm, "kworker/0:1+events");
	memset(g.bytes + WORKER_AT + test_guest_offset(GB_M_WORKER_DESC), 'd', 32);
	CHECK_EQ(strlen(read_task(&g, TEST_KTHREAD_PID)->comm), 11 + 1 + 32);
	// a rescuer has the name of its queue, of 64 bytes here and without an end
	put_text(&g, test_guest_at(TEST_KTHREAD, GB_M_TASK_COMM), "kworker/R-short", 16);
	test_guest_put(&g, WORKER_AT + test_guest_offset(GB_M_WORKER_POOL), 0);
	test_guest_put(&g, WORKER_AT + test_guest_offset(GB_M_WORKER_RESCUE),
		       test_guest_va(QUEUE_AT));
	memset(g.bytes + QUEUE_AT + test_guest_offset(GB_M_WORKQUEUE_NAME), 'q', 64);
	CHECK_EQ(strlen(read_task(&g, TEST_KTHREAD_PID)->comm), 63);
	test_guest_free(&g);
}

TAP_MAIN(TAP_CASE(states_have_letters), TAP_CASE(names_end_without_a_nul),
	 TAP_CASE(kernel_threads_have_long_names), TAP_CASE(workers_tell_their_queue))
