// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Time: monotonic nanoseconds, and the median of measurements.
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * GB_SECOND + (uint64_t)t.tv_nsec;
}

uint64_t gb_clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t gb_clock_real_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double gb_median(double *values, size_t n)
{
	if (n == 0)
		return 0;
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}
