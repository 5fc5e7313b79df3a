// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Time: monotonic nanoseconds, and the median of measurements.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GB_MS 1000000ull
#define GB_SECOND 1000000000ull

uint64_t gb_clock_ns(void);      // CLOCK_MONOTONIC
uint64_t gb_clock_real_ns(void); // CLOCK_REALTIME, for stamps that people read
// Median of n values; reorders them. n == 0 gives 0.
double gb_median(double *values, size_t n);
