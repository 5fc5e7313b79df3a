// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the list of processes against a guest that lies about it: lists without end, counts that
// are not so, arguments of any size. Every listing ends, soon, and says of whom it is not sure.
#include "kernel/test_guest.h"
#include "tests/tap.h"

static const struct gb_process *one(const struct gb_processes *p)
{
	return gb_process_find(p, TEST_PID);
}

static const struct gb_process *kthread(const struct gb_processes *p)
{
	return gb_process_find(p, TEST_KTHREAD_PID);
}

// Only the process is torn, and it is there; the kernel thread is as it should be.
static void check_only_one_is_torn(const struct gb_processes *p)
{
	CHECK(p->torn);
	CHECK(one(p) && one(p)->torn);
	CHECK(kthread(p) && !kthread(p)->torn && kthread(p)->thread_count == 1);
}

static uint64_t va_at(enum test_object o, enum gb_member_id m)
{
	return test_guest_va(test_guest_at(o, m));
}

// A chain of list_heads in memory that nobody uses; returns how many. The last leads to `end`.
static unsigned long_chain(struct test_guest *g, uint64_t end)
{
	unsigned n = (1u << 20) / 16;

	for (unsigned i = 0; i < n; i++) {
		uint64_t at = TEST_SCRATCH_AT + 16 * i;

		test_guest_put(g, at, i + 1 < n ? test_guest_va(at + 16) : end);
	}
	return n;
}

static void task_lists_end(void)
{
	static const enum test_object to[] = {TEST_TASK, TEST_KTHREAD};
	struct gb_processes p;
	struct test_guest g;

	for (int i = 0; i < 2; i++) { // the last one leads to itself; or to the one before
		REQUIRE(test_guest_open(&g));
		test_guest_set(&g, TEST_KTHREAD, GB_M_TASK_TASKS, va_at(to[i], GB_M_TASK_TASKS));
		REQUIRE_OK(test_guest_list(&g, &p), g.err);
		CHECK(p.torn);
		CHECK(p.count >= 2 && p.count < 8); // met again, not walked until the budget ends
		test_guest_free(&g);
	}
}

// No circle, but more tasks than RAM can hold; each of them says it is of the same process.
static void task_lists_have_a_budget(void)
{
	struct gb_processes p = {};
	struct test_guest g;
	unsigned n;

	REQUIRE(test_guest_open(&g));
	n = long_chain(&g, va_at(TEST_TASK, GB_M_TASK_TASKS));
	test_guest_set(&g, TEST_TASK, GB_M_TASK_TASKS, test_guest_va(TEST_SCRATCH_AT));
	REQUIRE_OK(test_guest_list(&g, &p), g.err);
	CHECK(p.torn);
	CHECK(p.count > 1000 && p.count < n);
	test_guest_free(&g);
}

static void thread_lists_end(void)
{
	static const enum test_object to[] = {TEST_TASK, TEST_THREAD};
	struct gb_processes p;
	struct test_guest g;

	for (int i = 0; i < 2; i++) {
		REQUIRE(test_guest_open(&g));
		test_guest_set(&g, TEST_THREAD, GB_M_TASK_THREAD_NODE,
			       va_at(to[i], GB_M_TASK_THREAD_NODE));
		REQUIRE_OK(test_guest_list(&g, &p), g.err);
		check_only_one_is_torn(&p);
		CHECK(one(&p)->thread_count < 8);
		test_guest_free(&g);
	}
}

// nr_threads says what the list may cost, and the list what there is: neither is believed alone.
static void counts_of_threads_are_checked(void)
{
	static const uint32_t counts[] = {0, 1, 3, 1000, INT32_MAX, UINT32_MAX};
	struct gb_processes p;
	struct test_guest g;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		REQUIRE(test_guest_open(&g));
		test_guest_set(&g, TEST_SIGNAL, GB_M_SIGNAL_NR_THREADS, counts[i]);
		REQUIRE_OK(test_guest_list(&g, &p), g.err);
		check_only_one_is_torn(&p);
		CHECK_EQ(one(&p)->thread_count, 2);
		test_guest_free(&g);
	}
}

// 65536 "threads" before its own, and a count to match. What it costs is its own share.
static void a_process_cannot_starve_others(void)
{
	static const uint32_t counts[] = {2, UINT32_MAX};
	struct gb_processes p;
	struct test_guest g;

	for (int i = 0; i < 2; i++) {
		unsigned n;

		REQUIRE(test_guest_open(&g));
		// as tasks, they are of this process, too: all see the same number where tgid is
		n = long_chain(&g, va_at(TEST_TASK, GB_M_TASK_THREAD_NODE));
		for (unsigned j = 0; j < n; j++)
			test_guest_put(&g, TEST_SCRATCH_AT + 16 * j + 8,
				       TEST_PID | (uint64_t)TEST_PID << 32);
		test_guest_set(&g, TEST_SIGNAL, GB_M_SIGNAL_THREAD_HEAD,
			       test_guest_va(TEST_SCRATCH_AT));
		test_guest_set(&g, TEST_SIGNAL, GB_M_SIGNAL_NR_THREADS, counts[i]);
		REQUIRE_OK(test_guest_list(&g, &p), g.err);
		check_only_one_is_torn(&p);
		// its own count, and what may come while it is read; or all of its share
		CHECK(one(&p)->thread_count > (i == 0 ? 50 : 5000));
		CHECK(one(&p)->thread_count < (i == 0 ? 70 : n));
		test_guest_free(&g);
	}
}

static void arguments_have_a_length(void)
{
	static const struct {
		uint64_t start, end;
		size_t len;
	} cases[] = {
		{0x600100, 0x60010a, 9},             // as built
		{0x600100, 0x600200, 9},             // zeros behind it are cut
		{0x600103, 0x600103, 0},             //
		{0x600100, 0x6000ff, 0},             // ends before it starts
		{0, UINT64_MAX, 0},                  // nothing is mapped there
		{UINT64_MAX - 4, UINT64_MAX, 0},     //
		{0xffff888000300000, UINT64_MAX, 0}, // the kernel's, not the process's
		{0x600ff0, 0x601010, 32},            // in two pages
		{0x600ff0, UINT64_MAX, 4096},        // as much as is taken at most
		{0x601ff0, 0x602010, 16},            // up to the end of what is mapped
	};
	struct gb_processes p;
	struct test_guest g;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		REQUIRE(test_guest_open(&g));
		memset(g.bytes + TEST_USER_AT + 0x6ff0, 'x', 0x1010);
		test_guest_put(&g, TEST_USER_AT + 0x4008, (TEST_USER_AT + 0x7000) | 7);
		test_guest_set(&g, TEST_MM, GB_M_MM_ARG_START, cases[i].start);
		test_guest_set(&g, TEST_MM, GB_M_MM_ARG_END, cases[i].end);
		REQUIRE_OK(test_guest_list(&g, &p), g.err);
		CHECK_EQ(strlen(one(&p)->args), cases[i].len);
		CHECK(!p.torn);
		test_guest_free(&g);
	}
}

// Pointers into nowhere, one at a time.
static void what_cannot_be_read_is_torn(void)
{
	static const struct {
		enum test_object o;
		enum gb_member_id m;
	} pointers[] = {
		{TEST_TASK, GB_M_TASK_SIGNAL},
		{TEST_TASK, GB_M_TASK_REAL_CRED},
		{TEST_TASK, GB_M_TASK_REAL_PARENT},
		{TEST_TASK, GB_M_TASK_MM},
		{TEST_TASK, GB_M_TASK_FILES},
		{TEST_FILES, GB_M_FILES_FDT},
		{TEST_FDTABLE, GB_M_FDTABLE_FD},
		{TEST_MM, GB_M_MM_PGD},
		{TEST_MM, GB_M_MM_MT},
		{TEST_SIGNAL, GB_M_SIGNAL_THREAD_HEAD},
		{TEST_THREAD, GB_M_TASK_THREAD_NODE},
		{TEST_VMA1, GB_M_VMA_FILE},
		{TEST_FILE, GB_M_FILE_INODE},
	};
	static const uint64_t nowhere[] = {0x1008,
					   0xffff888000800000,
					   0xffff8880007ffffc,
					   0xffffffff811ffffc,
					   UINT64_MAX - 3,
					   0xffffc90000000000};
	struct gb_processes p;
	struct test_guest g;

	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		for (size_t j = 0; j < sizeof(nowhere) / sizeof(nowhere[0]); j++) {
			// the kernel's page tables lead there; what is a table is told elsewhere
			bool table = pointers[i].m == GB_M_MM_PGD && nowhere[j] >> 32 == 0xffff8880;

			if (table || (pointers[i].m == GB_M_MM_PGD && j == 3))
				continue;
			REQUIRE(test_guest_open(&g));
			test_guest_set(&g, pointers[i].o, pointers[i].m, nowhere[j]);
			REQUIRE_OK(test_guest_list(&g, &p), g.err);
			CHECK_EQ(p.count, 2);
			check_only_one_is_torn(&p);
			test_guest_free(&g);
		}
}

static void descriptors_are_listed(void)
{
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	REQUIRE_OK(test_guest_list(&g, &p), g.err);
	CHECK(!p.torn && !kthread(&p)->files);
	REQUIRE(one(&p)->file_count == 1);
	CHECK_EQ(one(&p)->files[0].fd, 2);
	CHECK_EQ(one(&p)->files[0].flags, 2);
	CHECK_STR(one(&p)->files[0].name, "/a\\012exe");
	// a kernel thread has those of its parent, and /proc shows none
	test_guest_set(&g, TEST_KTHREAD, GB_M_TASK_FILES,
		       test_guest_va(test_guest_object(TEST_FILES)));
	REQUIRE_OK(test_guest_list(&g, &p), g.err);
	CHECK(!p.torn && kthread(&p)->file_count == 0);
	// one that leads nowhere is there, and has no name
	test_guest_put(&g, test_guest_object(TEST_FDTABLE) + TEST_NAME_AT + 8, 0x1008);
	REQUIRE_OK(test_guest_list(&g, &p), g.err);
	check_only_one_is_torn(&p);
	REQUIRE(one(&p)->file_count == 2);
	CHECK_EQ(one(&p)->files[0].fd, 1);
	CHECK_STR(one(&p)->files[0].name, "");
	CHECK_STR(one(&p)->files[1].name, "/a\\012exe");
	test_guest_free(&g);
}

// More than its share, whatever there is to be read: it is cut, and nobody else is.
static void counts_of_descriptors_are_checked(void)
{
	static const uint32_t counts[] = {0, 2, 3, 1 << 20, (1 << 20) + 1, INT32_MAX, UINT32_MAX};
	struct gb_processes p;
	struct test_guest g;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		REQUIRE(test_guest_open(&g));
		test_guest_set(&g, TEST_FDTABLE, GB_M_FDTABLE_MAX, counts[i]);
		REQUIRE_OK(test_guest_list(&g, &p), g.err);
		CHECK_EQ(one(&p)->torn, counts[i] > 3);
		CHECK(!kthread(&p)->torn);
		CHECK_EQ(one(&p)->cut, counts[i] > 3);
		CHECK(counts[i] > 3 || one(&p)->file_count == (counts[i] == 3));
		test_guest_free(&g);
	}
}

static void memory_has_a_limit(void)
{
	struct gb_processes p = {};
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	g.arena.limit = 100; // not even the list
	CHECK_EQ(test_guest_list(&g, &p), GB_ENOMEM);
	CHECK(strstr(g.err.message, "no memory") != NULL);
	CHECK(!p.list);
	CHECK_EQ(g.arena.limit, 100);
	g.arena.limit = 0;
	CHECK_OK(test_guest_list(&g, &p), g.err);
	CHECK_EQ(g.arena.limit, 0);
	test_guest_free(&g);
}

// It has as many threads as it says, for which the caller has no memory. Nobody else is the worse.
static void who_takes_too_much_memory_is_left_out(void)
{
	static const size_t limits[] = {16 << 10, 1 << 20}; // of the latter, half is too little
	struct gb_processes p = {};
	struct test_guest g;

	for (int i = 0; i < 2; i++) {
		unsigned n;

		REQUIRE(test_guest_open(&g));
		n = long_chain(&g, va_at(TEST_TASK, GB_M_TASK_THREAD_NODE));
		test_guest_set(&g, TEST_SIGNAL, GB_M_SIGNAL_THREAD_HEAD,
			       test_guest_va(TEST_SCRATCH_AT));
		test_guest_set(&g, TEST_SIGNAL, GB_M_SIGNAL_NR_THREADS, n + 2);
		g.arena.limit = limits[i];
		REQUIRE_OK(test_guest_list(&g, &p), g.err);
		check_only_one_is_torn(&p);
		CHECK_EQ(one(&p)->thread_count, 0);
		CHECK(!one(&p)->threads && !one(&p)->vmas && one(&p)->vma_count == 0);
		CHECK_STR(one(&p)->args, "");
		CHECK_EQ(g.err.code, 0);
		CHECK_EQ(g.arena.limit, limits[i]);
		CHECK(one(&p)->cut && !kthread(&p)->cut);
		test_guest_free(&g);
	}
}

static void a_kernel_without_processes_says_so(void)
{
	struct gb_processes p = {};
	struct test_guest g;
	uint64_t head;

	REQUIRE(test_guest_open(&g));
	head = test_guest_symbol(GB_Y_INIT_TASK) + test_guest_offset(GB_M_TASK_TASKS);
	test_guest_put(&g, head, test_guest_get(&g, test_guest_at(TEST_KTHREAD, GB_M_TASK_TASKS)));
	CHECK_EQ(test_guest_list(&g, &p), GB_EUNKNOWN);
	CHECK(strstr(g.err.message, "still starting") != NULL);
	test_guest_free(&g);
}

TAP_MAIN(TAP_CASE(task_lists_end), TAP_CASE(task_lists_have_a_budget), TAP_CASE(thread_lists_end),
	 TAP_CASE(counts_of_threads_are_checked), TAP_CASE(a_process_cannot_starve_others),
	 TAP_CASE(arguments_have_a_length), TAP_CASE(what_cannot_be_read_is_torn),
	 TAP_CASE(descriptors_are_listed), TAP_CASE(counts_of_descriptors_are_checked),
	 TAP_CASE(memory_has_a_limit), TAP_CASE(who_takes_too_much_memory_is_left_out),
	 TAP_CASE(a_kernel_without_processes_says_so))
