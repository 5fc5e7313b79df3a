// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What `glassbox bench` measures: a bench is a file bench_NAME.c, a row in benches.c and a word in
// meson.build.
//
//	int gb_bench_ram(struct gb_bench *b, struct gb_error *err)
//	{
//		struct gb_bench_job jobs[] = {{copy, &x}, {read_all, &x}};
//		int r = gb_bench_race(jobs, 2, 2, 9, err);
//		...
//		gb_bench_at_least(b, "read", gb_bench_ratio(&jobs[0], &jobs[1]), "of memcpy", 0.9);
//
// Machines differ and are busy, so what is promised is a ratio of two things that were measured in
// turns in the same run, and a value is a median. Names are words with dashes: part of the
// interface.
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum gb_bench_limit { GB_BENCH_NONE, GB_BENCH_AT_LEAST, GB_BENCH_AT_MOST };

struct gb_bench_result {
	char name[48];
	double value;
	char unit[32];
	enum gb_bench_limit limit;
	double target;
	char skipped[80]; // why it was not measured; empty when it was
};

#define GB_BENCH_RESULTS_MAX 128

struct gb_bench {
	const char *name;
	struct gb_bench_result results[GB_BENCH_RESULTS_MAX];
	size_t count;
	void (*say)(const char *text); // what is measured now, for a person; may be NULL
};

// Add a result: without a target, or one that passes when it is at least, at most the target.
void gb_bench_note(struct gb_bench *b, const char *name, double value, const char *unit);
void gb_bench_at_least(struct gb_bench *b, const char *name, double value, const char *unit,
		       double target);
void gb_bench_at_most(struct gb_bench *b, const char *name, double value, const char *unit,
		      double target);
// Say that a result is missing, and why: it neither passes nor fails.
void gb_bench_skip(struct gb_bench *b, const char *name, const char *why);
bool gb_bench_passes(const struct gb_bench_result *r);
// Tell the person what is measured now.
void gb_bench_say(struct gb_bench *b, const char *text);

#define GB_BENCH_RUNS_MAX 101

// One of several ways that are measured in turns.
struct gb_bench_job {
	int (*run)(void *arg, struct gb_error *err);
	void *arg;
	double ns[GB_BENCH_RUNS_MAX]; // of each run, in order
	unsigned runs;
};
// Run each job warm times unmeasured, then runs times, in turns, each round beginning with another.
// The first error of a job ends it and is returned.
int gb_bench_race(struct gb_bench_job *jobs, size_t count, unsigned warm, unsigned runs,
		  struct gb_error *err);
// Median nanoseconds of a run.
double gb_bench_ns(const struct gb_bench_job *job);
// Median over the rounds of a's time by b's: above 1 means that b is faster.
double gb_bench_ratio(const struct gb_bench_job *a, const struct gb_bench_job *b);

// The benches, ending with a row whose name is NULL.
struct gb_bench_entry {
	const char *name;
	const char *summary;
	int (*run)(struct gb_bench *b, struct gb_error *err);
};
extern const struct gb_bench_entry gb_benches[];

int gb_bench_ram(struct gb_bench *b, struct gb_error *err);
// Part of bench ram: how much a guest is slowed down by being watched.
int gb_bench_ram_guest(struct gb_bench *b, struct gb_error *err);
int gb_bench_kernel(struct gb_bench *b, struct gb_error *err);
int gb_bench_boot(struct gb_bench *b, struct gb_error *err);

// The machine that the figures are of.
struct gb_bench_machine {
	char cpu[96];
	unsigned cores;  // that this process may use
	uint64_t memory; // bytes
	char kernel[96];
	double load; // of the last minute, when asked: above 0.5 figures are noisy
};
void gb_bench_machine_look(struct gb_bench_machine *ret);
