// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the frame of the benches: turns, medians, targets; and that the fast plain loop reads
// all.
#include "bench/bench.h"
#include "bench/plain_read.h"
#include "tests/tap.h"

static char order[64];
static unsigned ran;

static int job_a(void *arg, struct gb_error *err)
{
	(void)arg;
	(void)err;
	order[ran++] = 'a';
	return 0;
}

static int job_b(void *arg, struct gb_error *err)
{
	order[ran++] = 'b';
	return *(int *)arg && ran >= 5 ? gb_fail(err, GB_EGONE, "b went away") : 0;
}

static void jobs_take_turns(void)
{
	int fails = 0;
	struct gb_bench_job jobs[] = {{job_a}, {job_b, &fails}};
	struct gb_error err = {};

	CHECK_OK(gb_bench_race(jobs, 2, 1, 3, &err), err);
	CHECK_STR(order, "abbaabba"); // each round begins with another
	CHECK_EQ(jobs[0].runs, 3);
	CHECK(gb_bench_ns(&jobs[0]) > 0);
	fails = 1;
	CHECK_EQ(gb_bench_race(jobs, 2, 1, 3, &err), GB_EGONE);
	CHECK_STR(err.message, "b went away");
}

static void values_are_medians(void)
{
	struct gb_bench_job a = {.ns = {30, 10, 1000}, .runs = 3};
	struct gb_bench_job b = {.ns = {10, 5, 1000}, .runs = 3};

	CHECK_EQ(gb_bench_ns(&a), 30);
	CHECK_EQ(gb_bench_ratio(&a, &b) * 10, 20); // of 3, 2, 1: not 30 / 10
	CHECK_EQ(a.ns[2], 1000);                   // the order of the rounds stays
}

static void targets_are_met_or_missed(void)
{
	struct gb_bench b = {.name = "test"};

	gb_bench_at_least(&b, "fast", 0.9, "of it", 0.9);
	gb_bench_at_least(&b, "slow", 0.89, "of it", 0.9);
	gb_bench_at_most(&b, "short", 1, "ms", 1);
	gb_bench_at_most(&b, "long", 1.01, "ms", 1);
	gb_bench_note(&b, "note", 5, "apples");
	gb_bench_skip(&b, "skipped", "no reason");
	CHECK_EQ(b.count, 6);
	CHECK(gb_bench_passes(&b.results[0]) && !gb_bench_passes(&b.results[1]));
	CHECK(gb_bench_passes(&b.results[2]) && !gb_bench_passes(&b.results[3]));
	CHECK(gb_bench_passes(&b.results[4]) && gb_bench_passes(&b.results[5]));
	CHECK_STR(b.results[5].skipped, "no reason");
}

static void plain_reads_miss_nothing(void)
{
	const size_t size = (size_t)5 << 20;
	uint8_t *bytes = aligned_alloc(64, size);

	REQUIRE(bytes);
	memset(bytes, 0, size);
	CHECK_EQ(gb_plain_read_best()(bytes, size), 0);
	for (size_t at = 0; at < size; at += 99991) {
		bytes[at] = 4;
		CHECK(gb_plain_read_best()(bytes, size) != 0);
		CHECK(gb_plain_read_parallel(bytes, size) != 0);
		bytes[at] = 0;
	}
	free(bytes);
}

static void the_machine_has_a_name(void)
{
	struct gb_bench_machine m;

	gb_bench_machine_look(&m);
	CHECK(*m.cpu && m.cores > 0 && m.memory > 0 && *m.kernel && m.load >= 0);
}

TAP_MAIN(TAP_CASE(jobs_take_turns), TAP_CASE(values_are_medians),
	 TAP_CASE(targets_are_met_or_missed), TAP_CASE(plain_reads_miss_nothing),
	 TAP_CASE(the_machine_has_a_name))
