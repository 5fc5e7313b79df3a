// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// One loop on several cores.
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

struct loop {
	gb_parallel_fn *fn;
	void *arg;
	uint64_t count;
	_Atomic(uint64_t) next;
	atomic_int result;
};

struct worker {
	struct loop *loop;
	unsigned number;
	pthread_t thread;
};

unsigned gb_parallel_width(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > GB_PARALLEL_MAX ? GB_PARALLEL_MAX : (unsigned)n;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct loop *l = w->loop;

	while (atomic_load(&l->result) == 0) {
		uint64_t item = atomic_fetch_add(&l->next, 1);
		int r = item < l->count ? l->fn(l->arg, w->number, item) : 0;

		if (r != 0)
			atomic_store(&l->result, r);
		if (item >= l->count)
			break;
	}
	return NULL;
}

static unsigned start(struct worker *workers, unsigned n)
{
	static const int of_faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP};
	sigset_t blocked, before;
	unsigned started = 1; // the caller is the first

	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(of_faults) / sizeof(of_faults[0]); i++)
		sigdelset(&blocked, of_faults[i]);
	pthread_sigmask(SIG_BLOCK, &blocked, &before);
	while (started < n &&
	       pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

int gb_parallel(uint64_t count, gb_parallel_fn *fn, void *arg)
{
	return gb_parallel_on(GB_PARALLEL_MAX, count, fn, arg);
}

int gb_parallel_on(unsigned most, uint64_t count, gb_parallel_fn *fn, void *arg)
{
	struct loop loop = {.fn = fn, .arg = arg, .count = count};
	struct worker workers[GB_PARALLEL_MAX];
	unsigned n = gb_parallel_width();

	n = n < most ? n : most;
	n = count < n ? (unsigned)count : n;
	for (unsigned i = 0; i < GB_PARALLEL_MAX; i++)
		workers[i] = (struct worker){.loop = &loop, .number = i};
	n = start(workers, n);
	work(&workers[0]);
	for (unsigned i = 1; i < n; i++)
		pthread_join(workers[i].thread, NULL);
	return atomic_load(&loop.result);
}
