// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the clock and the median.
#include "base/clock.h"
#include "tests/tap.h"

#include <math.h>

static void medians(void)
{
	double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, one[] = {7};

	CHECK(fabs(gb_median(odd, 3) - 2) < 1e-9);
	CHECK(fabs(gb_median(even, 4) - 2.5) < 1e-9);
	CHECK(fabs(gb_median(one, 1) - 7) < 1e-9);
}

static void time_does_not_run_back(void)
{
	uint64_t last = gb_clock_ns();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = gb_clock_ns();

		CHECK(now >= last);
		last = now;
	}
}

TAP_MAIN(TAP_CASE(medians), TAP_CASE(time_does_not_run_back))
