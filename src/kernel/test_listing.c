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
	{"table of descriptors", ONE, TEST_FILES, GB_M_FILES_FDT, 0},
	{"number of descriptors", ONE, TEST_FDTABLE, GB_M_FDTABLE_MAX, 0},
	{"descriptor", ONE, TEST_FDTABLE, GB_M_FDTABLE_FD, TEST_NAME_AT},
	{"flags of a file", ONE, TEST_FILE, GB_M_FILE_FLAGS, 0},
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

// 45 VMAs in three leaves, each of a file of its own; the first lies as deep as a name can be long, each other one
// directory higher.
#define DEEP_DIRECTORIES 1900u
#define DEEP_LEAVES 3u
#define DEEP_VMAS (15 * DEEP_LEAVES)
#define DEEP_AT TEST_DENTRY_AT(DEEP_DIRECTORIES) // root and leaves, then the VMAs
#define DEEP_VMA_AT(n) (DEEP_AT + 0x1000 + 0x200 * (n))
#define DEEP_FILE_AT(n) (DEEP_VMA_AT(DEEP_VMAS) + 0x100 * (n))

static void put_slot(struct test_guest *g, uint64_t node, unsigned slot, uint64_t entry,
		     uint64_t pivot)
{
	test_guest_put(g, node + test_guest_offset(GB_M_MAPLE_RANGE_SLOT) + 8 * slot, entry);
	test_guest_put(g, node + test_guest_offset(GB_M_MAPLE_RANGE_PIVOT) + 8 * slot, pivot);
}

static void put_deep_leaf(struct test_guest *g, unsigned leaf)
{
	for (unsigned i = 0; i < 15; i++) {
		unsigned n = 15 * leaf + i;
		uint64_t vma = DEEP_VMA_AT(n);

		memcpy(g->bytes + vma, g->bytes + test_guest_object(TEST_VMA1), 0x200);
		test_guest_put(g, vma + test_guest_offset(GB_M_VMA_START), 0x1000 * n);
		test_guest_put(g, vma + test_guest_offset(GB_M_VMA_END), 0x1000 * (n + 1));
		test_guest_put(g, vma + test_guest_offset(GB_M_VMA_FILE),
			       test_guest_va(DEEP_FILE_AT(n)));
		memcpy(g->bytes + DEEP_FILE_AT(n), g->bytes + test_guest_object(TEST_FILE), 0x100);
		test_guest_put(g, DEEP_FILE_AT(n) + test_guest_offset(GB_M_FILE_DENTRY),
			       test_guest_va(TEST_DENTRY_AT(n)));
		put_slot(g, DEEP_AT + 256 * (1 + leaf), i, test_guest_va(vma),
			 0x1000 * (n + 1) - 1);
	}
	put_slot(g, DEEP_AT, leaf, test_guest_va(DEEP_AT + 256 * (1 + leaf)) | 1 << 3,
		 0x1000 * 15 * (leaf + 1) - 1);
}

static bool open_deep(struct test_guest *g)
{
	if (!test_guest_open(g))
		return false;
	test_guest_put_path(g, DEEP_DIRECTORIES, 1);
	for (unsigned leaf = 0; leaf < DEEP_LEAVES; leaf++)
		put_deep_leaf(g, leaf);
	test_guest_set(g, TEST_MM, GB_M_MM_MT, test_guest_va(DEEP_AT) | 2 << 3 | 2);
	test_guest_set(g, TEST_MM, GB_M_MM_MAP_COUNT, DEEP_VMAS);
	return true;
}

// Every name is made of half a megabyte of the guest: who has many such files does not get them
// all, is read once, and takes nothing from others.
static void names_have_a_budget(void)
{
	const struct gb_process *one;
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(open_deep(&g));
	REQUIRE_OK(list(&g, &p), g.err);
	one = gb_process_find(&p, TEST_PID);
	CHECK(one->torn && gb_process_find_cut(&p) == one);
	CHECK(!gb_process_find(&p, TEST_KTHREAD_PID)->torn);
	CHECK_EQ(hand.checks, 2);
	REQUIRE(one->vma_count == DEEP_VMAS);
	CHECK_EQ(strlen(one->vmas[0].name), 2 * DEEP_DIRECTORIES);
	CHECK_STR(one->vmas[DEEP_VMAS - 1].name, "");
	test_guest_free(&g);
}

// The same file again and again is named once, however deep it lies.
static void a_file_is_named_once(void)
{
	const struct gb_process *one;
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(open_deep(&g));
	for (unsigned n = 0; n < DEEP_VMAS; n++)
		test_guest_put(&g, DEEP_FILE_AT(n) + test_guest_offset(GB_M_FILE_DENTRY),
			       test_guest_va(TEST_DENTRY_AT(0)));
	REQUIRE_OK(list(&g, &p), g.err);
	one = gb_process_find(&p, TEST_PID);
	CHECK(!p.torn);
	REQUIRE(one->vma_count == DEEP_VMAS);
	for (unsigned n = 0; n < DEEP_VMAS; n++)
		CHECK_EQ(strlen(one->vmas[n].name), 2 * DEEP_DIRECTORIES);
	test_guest_free(&g);
}

// Some names fit, and then the memory map does not, and nothing is left of it; or it does, and some
// names are missing.
static void who_names_too_much_is_left_out(void)
{
	unsigned out = 0, cut = 0;
	struct gb_processes p;
	struct test_guest g;

	REQUIRE(open_deep(&g));
	for (g.arena.limit = 16 << 10; g.arena.limit < 32 << 10; g.arena.limit += 256) {
		const struct gb_process *one;

		REQUIRE_OK(list(&g, &p), g.err);
		one = gb_process_find(&p, TEST_PID);
		CHECK(one->torn && one->cut);
		CHECK(one->vma_count == (one->vmas ? DEEP_VMAS : 0));
		CHECK(one->vmas || g.arena.total < 2 << 10);
		CHECK(!gb_process_find(&p, TEST_KTHREAD_PID)->torn);
		CHECK_EQ(hand.checks, one->vmas ? 2 : 1);
		out += !one->vmas;
		cut += one->vmas != NULL;
	}
	CHECK(out > 0 && cut > 0);
	test_guest_free(&g);
}

// A process that changes all the time is read again and again; only its last reading is kept.
static void attempts_leave_nothing_behind(void)
{
	struct gb_processes p;
	struct test_guest g;
	size_t once;

	REQUIRE(test_guest_open(&g));
	hand.g = &g;
	hand.at = test_guest_at(TEST_VMA1, GB_M_VMA_FLAGS);
	hand.flip = 1;
	hand.times = 0;
	REQUIRE_OK(list(&g, &p), g.err);
	once = g.arena.total;
	hand.times = ALWAYS;
	REQUIRE_OK(list(&g, &p), g.err);
	CHECK(gb_process_find(&p, TEST_PID)->torn && !gb_process_find_cut(&p));
	CHECK_EQ(hand.checks, GB_STABLE_TRIES + 1);
	CHECK_EQ(g.arena.total, once);
	CHECK_STR(gb_process_find(&p, TEST_PID)->vmas[0].name, "/a\\012exe");
	hand.times = 0;
	test_guest_free(&g);
}

// The list of tasks is verified by walking it again: here the last one leaves while it is read.
static void a_list_that_changes_is_read_again(void)
{
	struct gb_processes p;
	struct test_guest g;
	size_t passed;

	REQUIRE(test_guest_open(&g));
	hand.g = &g;
	hand.leaves = true;
	REQUIRE_OK(list(&g, &p), g.err);
	CHECK(!p.torn);
	CHECK_EQ(p.count, 1);
	CHECK_EQ(hand.checks, 3);
	CHECK_STR(p.list[0].vmas[0].name, "/a\\012exe");
	hand.leaves = false;
	passed = g.arena.total;
	REQUIRE_OK(list(&g, &p), g.err);
	CHECK_EQ(g.arena.total, passed); // nothing of the pass before
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
	 TAP_CASE(names_that_were_kept_are_verified), TAP_CASE(names_have_a_budget),
	 TAP_CASE(a_file_is_named_once), TAP_CASE(who_names_too_much_is_left_out),
	 TAP_CASE(attempts_leave_nothing_behind), TAP_CASE(a_list_that_changes_is_read_again),
	 TAP_CASE(vmas_are_of_one_instant))
