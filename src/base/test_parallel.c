// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the loop on several cores.
#include "base/parallel.h"
#include "tests/tap.h"

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
	CHECK_EQ(t.calls, ITEMS);
	CHECK(gb_parallel_width() >= 1 && gb_parallel_width() <= GB_PARALLEL_MAX);
}

static void a_failure_stops_the_rest(void)
{
	static struct tally t = {.always_fail = true};

	CHECK_EQ(gb_parallel(ITEMS, mark, &t), -7);
	CHECK(t.calls >= 1 && t.calls <= gb_parallel_width());
}

TAP_MAIN(TAP_CASE(every_item_once), TAP_CASE(a_failure_stops_the_rest))
