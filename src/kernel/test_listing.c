// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of what "not torn" promises of a process: a guest that changes while it is read.
//
// The guest's hand is in gb_guard_check(), through which the linker sends every call of the library
// (--wrap): a word changes when a process has been read and is back when it is read again. Nothing
// but the check can notice. One test has a real writer at the same time.
#include "base/clock.h"
#include "kernel/test_guest.h"
#include "ram/guard.h"
#include "tests/tap.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define ALWAYS 1000u

static struct {
	struct test_guest *g;
	uint64_t at;
	uint8_t flip;
	unsigned after;  // so many checks
	unsigned times;  // that it is still to be done
	unsigned checks; // seen so far
	bool stays;      // what it did is not undone
	bool leaves;     // the last task goes at the first check
} hand;

int __real_gb_guard_check(struct gb_guard *g, bool *unchanged_ret, struct gb_error *err);
int __wrap_gb_guard_check(struct gb_guard *g, bool *unchanged_ret, struct gb_error *err);
int __wrap_gb_guard_check(struct gb_guard *g, bool *unchanged_ret, struct gb_error *err)
{
	bool act = ++hand.checks > hand.after && hand.times > 0;
	int r;

	hand.times -= act;
	if (hand.leaves && hand.checks == 1)
		test_guest_put(hand.g, test_guest_at(TEST_TASK, GB_M_TASK_TASKS),
			       test_guest_get(hand.g,
					      test_guest_at(TEST_KTHREAD, GB_M_TASK_TASKS)));
	if (act)
		hand.g->bytes[hand.at] ^= hand.flip;
	r = __real_gb_guard_check(g, unchanged_ret, err);
	if (act && !hand.stays)
		hand.g->bytes[hand.at] ^= hand.flip;
	return r;
}

enum { ONE = 1, KTHREAD = 2 }; // who is made of it

static const struct row {
	const char *what;
	unsigned whose;
	enum test_object object;
	enum gb_member_id member;
	uint32_t behind; // bytes
} rows[] = {
	{"name", ONE, TEST_TASK, GB_M_TASK_COMM, 2},
	{"state", ONE, TEST_TASK, GB_M_TASK_STATE, 0},
	{"flags", KTHREAD, TEST_KTHREAD, GB_M_TASK_FLAGS, 0},
	{"address of the credentials", ONE, TEST_TASK, GB_M_TASK_REAL_CRED, 0},
	{"user", ONE | KTHREAD, TEST_CRED, GB_M_CRED_EUID, 0},
	{"number of threads", ONE, TEST_SIGNAL, GB_M_SIGNAL_NR_THREADS, 0},
	{"first thread", ONE, TEST_SIGNAL, GB_M_SIGNAL_THREAD_HEAD, 0},
	{"next thread", ONE, TEST_TASK, GB_M_TASK_THREAD_NODE, 0},
	{"end of the threads", ONE, TEST_THREAD, GB_M_TASK_THREAD_NODE, 0},
	{"name of a thread", ONE, TEST_THREAD, GB_M_TASK_COMM, 0},
	{"id of a thread", ONE, TEST_THREAD, GB_M_TASK_PID, 0},
	{"group of a thread", ONE, TEST_THREAD, GB_M_TASK_TGID, 0},
	{"root of the tree", ONE, TEST_MM, GB_M_MM_MT, 0},
	{"number of VMAs", ONE, TEST_MM, GB_M_MM_MAP_COUNT, 0},
	{"page tables", ONE, TEST_MM, GB_M_MM_PGD, 1},
	{"end of the heap", ONE, TEST_MM, GB_M_MM_BRK, 1},
	{"stack", ONE, TEST_MM, GB_M_MM_START_STACK, 1},
	{"end of the arguments", ONE, TEST_MM, GB_M_MM_ARG_END, 0},
	{"arguments", ONE, 0, 0, TEST_ARGS_AT + 3},
	{"page table of the arguments", ONE, 0, 0, TEST_USER_AT + 0x2000 + 24},
	{"last page table of the arguments", ONE, 0, 0, TEST_USER_AT + 0x4000},
	{"pivot", ONE, TEST_MAPLE, GB_M_MAPLE_RANGE_PIVOT, 10},
	{"slot", ONE, TEST_MAPLE, GB_M_MAPLE_RANGE_SLOT, 8},
	{"slot that is empty", ONE, TEST_MAPLE, GB_M_MAPLE_RANGE_SLOT, 32},
	{"start of a VMA", ONE, TEST_VMA1, GB_M_VMA_START, 1},
	{"end of a VMA", ONE, TEST_VMA1, GB_M_VMA_END, 1},
	{"rights of a VMA", ONE, TEST_VMA2, GB_M_VMA_FLAGS, 0},
	{"offset of a VMA", ONE, TEST_VMA1, GB_M_VMA_PGOFF, 0},
	{"file of a VMA", ONE, TEST_VMA2, GB_M_VMA_FILE, 0},
	{"inode", ONE, TEST_INODE, GB_M_INODE_INO, 0},
	{"device", ONE, TEST_SUPER, GB_M_SUPER_DEV, 0},
	{"dentry of a file", ONE, TEST_FILE, GB_M_FILE_DENTRY, 0},
	{"length of a file's name", ONE, TEST_DENTRY, GB_M_DENTRY_LEN, 0},
	{"name of a file", ONE, TEST_DENTRY, GB_M_TASK_FLAGS, TEST_NAME_AT},
	{"mount", ONE, TEST_MOUNT, GB_M_MOUNT_ROOT, 0},
	{"root directory", ONE, TEST_FS, GB_M_FS_ROOT_DENTRY, 0},
	{"neighbour in the list", 0, TEST_TASK, GB_M_TASK_TASKS, 8},
	{"neighbour of a thread", 0, TEST_TASK, GB_M_TASK_THREAD_NODE, 8},
	{"resident pages", 0, TEST_MM, GB_M_MM_RSS, 0},
	{"other mappings of a file", 0, TEST_VMA1, GB_M_VMA_SHARED, 0},
};

static uint64_t place_of(const struct row *row)
{
	if (!row->object)
		return row->behind;
	if (row->behind == TEST_NAME_AT)
		return test_guest_object(row->object) + TEST_NAME_AT;
	return test_guest_at(row->object, row->member) + row->behind;
}

static int list(struct test_guest *g, struct gb_processes *p)
{
	hand.checks = 0;
	return test_guest_list(g, p);
}

static void check_torn(const struct row *row, const struct gb_processes *p, bool one, bool kthread)
{
	const struct gb_process *a = gb_process_find(p, TEST_PID),
				*b = gb_process_find(p, TEST_KTHREAD_PID);

	if (!a || !b || a->torn != one || b->torn != kthread || p->torn != (one || kthread))
		tap_fail_("%s: torn %d %d, all %d", row->what, a && a->torn, b && b->torn, p->torn);
}

static void a_change_tears_who_is_made_of_it(void)
{
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool one = rows[i].whose & ONE, kthread = rows[i].whose & KTHREAD;

		hand.g = &g;
		hand.at = place_of(&rows[i]);
		hand.flip = 1;
		hand.times = ALWAYS;
		REQUIRE_OK(list(&g, &p), g.err);
		check_torn(&rows[i], &p, one, kthread);
		CHECK_EQ(hand.checks,
			 (one ? GB_STABLE_TRIES : 1) + (kthread ? GB_STABLE_TRIES : 1));
	}
	hand.times = 0;
	test_guest_free(&g);
}

static void a_change_that_ends_is_read_again(void)
{
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned times = 1; times < GB_STABLE_TRIES; times += 3) {
			hand.g = &g;
			hand.at = place_of(&rows[i]);
			hand.flip = 1;
			hand.times = times;
			REQUIRE_OK(list(&g, &p), g.err);
			check_torn(&rows[i], &p, false, false);
			// the kernel thread is read second: the first change is before its time
			CHECK_EQ(hand.checks, 2 + (rows[i].whose & ONE ? times : 0) +
						      (rows[i].whose == KTHREAD ? times - 1 : 0));
			CHECK_STR(gb_process_find(&p, TEST_PID)->vmas[0].name, "/a\\012exe");
		}
	hand.times = 0;
	test_guest_free(&g);
}

// Two processes map the same file. Its name is read once; it is verified with each of them.
static void names_that_were_kept_are_verified(void)
{
	struct row row = {.what = "name that was kept"};
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	test_guest_set(&g, TEST_KTHREAD, GB_M_TASK_FLAGS, 0);
	test_guest_set(&g, TEST_KTHREAD, GB_M_TASK_MM, test_guest_va(test_guest_object(TEST_MM)));
	hand.g = &g;
	hand.at = test_guest_object(TEST_DENTRY) + TEST_NAME_AT;
	hand.flip = 1;
	hand.after = 1;
	hand.times = ALWAYS;
	REQUIRE_OK(list(&g, &p), g.err);
	check_torn(&row, &p, false, true);
	CHECK_STR(gb_process_find(&p, TEST_KTHREAD_PID)->vmas[0].name, "/a\\012exe");
	// one that changes for good is not kept
	hand.flip = 'a' ^ 'b';
	hand.times = 1;
	hand.stays = true;
	REQUIRE_OK(list(&g, &p), g.err);
	check_torn(&row, &p, false, false);
	CHECK_STR(gb_process_find(&p, TEST_KTHREAD_PID)->vmas[0].name, "/b\\012exe");
	hand.after = 0;
	hand.stays = false;
	test_guest_free(&g);
}

// The list of tasks is verified by walking it again: here the last one leaves while it is read.
static void a_list_that_changes_is_read_again(void)
{
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(test_guest_open(&g));
	hand.g = &g;
	hand.leaves = true;
	REQUIRE_OK(list(&g, &p), g.err);
	CHECK(!p.torn);
	CHECK_EQ(p.count, 1);
	CHECK_EQ(hand.checks, 3);
	hand.leaves = false;
	test_guest_free(&g);
}

// The rights of both VMAs, counted up by a guest that never rests: first of the one, then of the
// other. At no instant is the second ahead, and the first is ahead by one at most.
struct writer {
	volatile uint64_t *first, *second;
	atomic_bool stop;
};

static void *count_up(void *arg)
{
	struct writer *w = arg;

	for (uint64_t n = 8; !atomic_load_explicit(&w->stop, memory_order_relaxed); n += 8) {
		*w->first = n;
		*w->second = n;
		for (int i = 0; i < 2000; i++) // or no read would ever be whole
			atomic_signal_fence(memory_order_seq_cst);
	}
	return NULL;
}

static bool one_cpu(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) < 2;
}

static void vmas_are_of_one_instant(void)
{
	uint64_t end = gb_clock_ns() + 20 * GB_SECOND;
	unsigned wrong = 0, whole = 0, again = 0;
	struct gb_processes p;
	struct test_guest g;
	struct writer w = {};
	pthread_t thread;

	if (one_cpu())
		TAP_SKIP("a writer at the same time needs two CPUs");
	REQUIRE(test_guest_open(&g));
	w.first = (volatile uint64_t *)(void *)(g.bytes + test_guest_at(TEST_VMA1, GB_M_VMA_FLAGS));
	w.second =
		(volatile uint64_t *)(void *)(g.bytes + test_guest_at(TEST_VMA2, GB_M_VMA_FLAGS));
	*w.first = *w.second = 0;
	REQUIRE(pthread_create(&thread, NULL, count_up, &w) == 0);
	while ((whole < 1000 || again < 100) && gb_clock_ns() < end) {
		const struct gb_vma *v;

		CHECK_OK(list(&g, &p), g.err);
		v = gb_process_find(&p, TEST_PID)->vmas;
		again += hand.checks > 2;
		whole += !p.torn;
		wrong += !p.torn && v[0].flags - v[1].flags > 8;
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	CHECK_EQ(wrong, 0);
	CHECK(whole >= 1000);
	CHECK(again > 0);
	printf("# whole %u, read again %u\n", whole, again);
	test_guest_free(&g);
}

TAP_MAIN(TAP_CASE(a_change_tears_who_is_made_of_it), TAP_CASE(a_change_that_ends_is_read_again),
	 TAP_CASE(names_that_were_kept_are_verified), TAP_CASE(a_list_that_changes_is_read_again),
	 TAP_CASE(vmas_are_of_one_instant))
