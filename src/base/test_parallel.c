// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the loop on several cores.
#include "base/parallel.h"
#include "tests/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define ITEMS 10000u

struct tally {
	_Atomic(unsigned) done[ITEMS];
	atomic_bool busy[GB_PARALLEL_MAX];
	_Atomic(unsigned) overlaps, calls;
	bool always_fail;
};

static int mark(void *arg, unsigned worker, uint64_t item)
{
	struct tally *t = arg;

	if (worker >= GB_PARALLEL_MAX || atomic_exchange(&t->busy[worker], true))
		atomic_fetch_add(&t->overlaps, 1);
	atomic_fetch_add(&t->done[item], 1);
	atomic_fetch_add(&t->calls, 1);
	atomic_store(&t->busy[worker], false);
	return t->always_fail ? -7 : 0;
}

static void every_item_once(void)
{
	static struct tally t;
	unsigned wrong = 0;

	CHECK_EQ(gb_parallel(ITEMS, mark, &t), 0);
	for (unsigned i = 0; i < ITEMS; i++)
		wrong += t.done[i] != 1;
	CHECK_EQ(wrong, 0);
	CHECK_EQ(t.overlaps, 0);
	CHECK_EQ(gb_parallel(0, mark, &t), 0);
	CHECK_EQ(gb_parallel_on(1, 0, mark, &t), 0);
	CHECK_EQ(t.calls, ITEMS);
	CHECK(gb_parallel_width() >= 1 && gb_parallel_width() <= GB_PARALLEL_MAX);
}

static void a_failure_stops_the_rest(void)
{
	static struct tally t = {.always_fail = true};

	CHECK_EQ(gb_parallel(ITEMS, mark, &t), -7);
	CHECK(t.calls >= 1 && t.calls <= gb_parallel_width());
}

static int only_one(void *arg, unsigned worker, uint64_t item)
{
	(void)item;
	*(unsigned *)arg += worker == 0; // not atomic on purpose
	return 0;
}

static void one_core_is_the_callers(void)
{
	unsigned n = 0;

	CHECK_EQ(gb_parallel_on(1, ITEMS, only_one, &n), 0);
	CHECK_EQ(n, ITEMS);
	n = 0;
	CHECK_EQ(gb_parallel_on(0, ITEMS, only_one, &n), 0);
	CHECK_EQ(n, ITEMS);
}

struct signals {
	pthread_barrier_t both;
	atomic_bool interruptible[2], can_fault[2];
};

static int look_at_signals(void *arg, unsigned worker, uint64_t item)
{
	struct signals *s = arg;
	sigset_t mask;

	(void)item;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	s->interruptible[worker != 0] = !sigismember(&mask, SIGINT);
	s->can_fault[worker != 0] = !sigismember(&mask, SIGBUS) && !sigismember(&mask, SIGSEGV);
	pthread_barrier_wait(&s->both); // two items at once: two threads
	return 0;
}

static void helpers_take_no_signals_but_faults(void)
{
	static struct signals s;

	if (gb_parallel_width() < 2)
		TAP_SKIP("one CPU: there is no second thread");
	pthread_barrier_init(&s.both, NULL, 2);
	CHECK_EQ(gb_parallel(2, look_at_signals, &s), 0);
	pthread_barrier_destroy(&s.both);
	CHECK(s.interruptible[0] && s.can_fault[0]);
	CHECK(!s.interruptible[1] && s.can_fault[1]);
}

TAP_MAIN(TAP_CASE(one_core_is_the_callers), TAP_CASE(helpers_take_no_signals_but_faults),
	 TAP_CASE(every_item_once), TAP_CASE(a_failure_stops_the_rest))
