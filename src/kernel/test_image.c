// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the layout of raw images. Real ones, split and cut short, are in tests/kernel.
#include "kernel/image.h"
#include "tests/tap.h"

#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)

static void fits_what_the_kernel_says(void)
{
	static const struct {
		uint64_t size, end, missing;
		uint64_t low; // 0: one piece
		int result;
	} cases[] = {
		{64 * MIB, 0, 0, 0, 0},                  // not known
		{64 * MIB, 64 * MIB - 0x23000, 0, 0, 0}, // firmware keeps the last frames
		{64 * MIB, 96 * MIB, 32 * MIB, 0, 0},    // cut short
		{3 * GIB, 5 * GIB, 0, 2 * GIB, 0},
		{8 * GIB, 9 * GIB, 0, 3 * GIB, 0},
		{4 * GIB + 4096, 4 * GIB + 8192, 0, 4 * GIB - 4096, 0},
		{5 * GIB, 5 * GIB, 0, 0, 0}, // with the hole
		{GIB, 5 * GIB, 0, 0, GB_EUNKNOWN},
		{6 * GIB, 5 * GIB, 0, 0, 0},
		{6 * GIB, 6 * GIB + 4096, 0, 4 * GIB - 4096, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gb_layout l = {};
		struct gb_error err = {};
		uint64_t missing = 0;

		CHECK_EQ(gb_image_fit(cases[i].size, cases[i].end, &l, &missing, &err),
			 cases[i].result);
		CHECK_EQ(missing, cases[i].missing);
		CHECK_EQ(l.count, cases[i].result ? 0 : cases[i].low ? 2 : 1);
		CHECK_EQ(cases[i].result == 0, gb_layout_size(&l) == cases[i].size);
		if (!cases[i].low)
			continue;
		CHECK_EQ(l.segments[0].size, cases[i].low);
		CHECK_EQ(l.segments[1].gpa.v, 4 * GIB);
		CHECK_EQ(l.segments[1].offset, cases[i].low);
		CHECK_EQ(gb_layout_end(&l).v, cases[i].end);
	}
}

TAP_MAIN(TAP_CASE(fits_what_the_kernel_says))
