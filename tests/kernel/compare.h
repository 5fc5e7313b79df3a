// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The comparisons of a frozen guest with its truth: one table. The test runs each twice, the second time on a truth that was
// falsified a little, where it must find a difference.
#pragma once

#include "frozen.h"

struct comparison {
	const char *name;
	struct tally (*compare)(const struct frozen *f);
	// Falsifies the truth, or puts it right again; false: there is nothing to falsify. Both readings alike.
	bool (*falsify)(const struct frozen *f);
	double allowed; // share of differences that is no failure
};

extern const struct comparison comparisons[];
extern const size_t comparison_count;

struct tally compare_facts(const struct frozen *f);
struct tally compare_symbols(const struct frozen *f);
struct tally compare_log(const struct frozen *f);
struct tally compare_modules(const struct frozen *f);
struct tally compare_processes(const struct frozen *f);
struct tally compare_threads(const struct frozen *f);
struct tally compare_maps(const struct frozen *f);
struct tally compare_files(const struct frozen *f);
struct tally compare_pages(const struct frozen *f);
struct tally compare_absent_pages(const struct frozen *f);
struct tally compare_frames(const struct frozen *f);
struct tally compare_owners(const struct frozen *f);
struct tally compare_counts(const struct frozen *f);
