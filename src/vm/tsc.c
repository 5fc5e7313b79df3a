// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The frequency of the host's time stamp counter.
#include "vm/tsc.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>

#define SPAN_NS 1500000

struct reading {
	uint64_t ticks, ns;
};

// The reading of the clock is taken between two of the counter; the closest of a few counts.
static struct reading read_both(void)
{
	struct reading best = {};
	uint64_t spread = UINT64_MAX;

	for (int i = 0; i < 16; i++) {
		uint64_t before = __rdtsc(), after;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		after = __rdtsc();
		if (after - before < spread) {
			spread = after - before;
			best.ticks = before + spread / 2;
			best.ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
		}
	}
	return best;
}

static double measure(void)
{
	struct timespec nap = {.tv_nsec = SPAN_NS};
	struct reading first = read_both(), second;

	nanosleep(&nap, NULL);
	second = read_both();
	return (double)(second.ticks - first.ticks) * 1e6 / (double)(second.ns - first.ns);
}

// Two of three measurements must agree within 0.05 %: the kernel's own limit for its calibrations.
unsigned gb_tsc_khz(void)
{
	double khz[3];

	for (int i = 0; i < 3; i++)
		khz[i] = measure();
	for (int i = 0; i < 3; i++) {
		double other = khz[(i + 1) % 3],
		       apart = khz[i] > other ? khz[i] - other : other - khz[i];

		if (apart < khz[i] * 0.0005 && khz[i] > 100000 && khz[i] < 20000000)
			return (unsigned)((khz[i] + other) / 2);
	}
	return 0;
}
#else
unsigned gb_tsc_khz(void)
{
	return 0;
}
#endif
