// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Collecting results, and measuring in turns.
#include "bench/bench.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static void add(struct gb_bench *b, const char *name, double value, const char *unit,
		enum gb_bench_limit limit, double target)
{
	struct gb_bench_result *r = &b->results[b->count];

	gb_assert(b->count < GB_BENCH_RESULTS_MAX);
	*r = (struct gb_bench_result){.value = value, .limit = limit, .target = target};
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->unit, sizeof(r->unit), "%s", unit);
	b->count++;
}

void gb_bench_note(struct gb_bench *b, const char *name, double value, const char *unit)
{
	add(b, name, value, unit, GB_BENCH_NONE, 0);
}

void gb_bench_at_least(struct gb_bench *b, const char *name, double value, const char *unit,
		       double target)
{
	add(b, name, value, unit, GB_BENCH_AT_LEAST, target);
}

void gb_bench_at_most(struct gb_bench *b, const char *name, double value, const char *unit,
		      double target)
{
	add(b, name, value, unit, GB_BENCH_AT_MOST, target);
}

void gb_bench_skip(struct gb_bench *b, const char *name, const char *why)
{
	add(b, name, 0, "", GB_BENCH_NONE, 0);
	snprintf(b->results[b->count - 1].skipped, sizeof(b->results[0].skipped), "%s", why);
}

bool gb_bench_passes(const struct gb_bench_result *r)
{
	if (r->limit == GB_BENCH_AT_LEAST)
		return r->value >= r->target;
	if (r->limit == GB_BENCH_AT_MOST)
		return r->value <= r->target;
	return true;
}

void gb_bench_say(struct gb_bench *b, const char *text)
{
	if (b->say)
		b->say(text);
}

static int run_one(struct gb_bench_job *job, bool measured, struct gb_error *err)
{
	uint64_t begin = gb_clock_ns();
	int r = job->run(job->arg, err);

	if (measured)
		job->ns[job->runs++] = (double)(gb_clock_ns() - begin);
	return r;
}

int gb_bench_race(struct gb_bench_job *jobs, size_t count, unsigned warm, unsigned runs,
		  struct gb_error *err)
{
	gb_assert(runs > 0 && runs <= GB_BENCH_RUNS_MAX);
	for (size_t i = 0; i < count; i++)
		jobs[i].runs = 0;
	for (unsigned round = 0; round < warm + runs; round++)
		for (size_t i = 0; i < count; i++) {
			int r = run_one(&jobs[(i + round) % count], round >= warm, err);

			if (r != 0)
				return r;
		}
	return 0;
}

double gb_bench_ns(const struct gb_bench_job *job)
{
	double sorted[GB_BENCH_RUNS_MAX];

	memcpy(sorted, job->ns, job->runs * sizeof(sorted[0]));
	return gb_median(sorted, job->runs);
}

double gb_bench_ratio(const struct gb_bench_job *a, const struct gb_bench_job *b)
{
	double ratios[GB_BENCH_RUNS_MAX];
	unsigned n = a->runs < b->runs ? a->runs : b->runs;

	for (unsigned i = 0; i < n; i++)
		ratios[i] = a->ns[i] / b->ns[i];
	return gb_median(ratios, n);
}
