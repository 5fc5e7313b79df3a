// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the layout of raw images. Real ones, split and cut short, are in tests/kernel.
#include "kernel/image.h"
#include "tests/tap.h"

#include <string.h>

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
		const struct gb_kernel_reach reach = {.end = cases[i].end};
		struct gb_layout l = {};
		struct gb_error err = {};
		uint64_t missing = 0;

		CHECK_EQ(gb_image_fit(cases[i].size, &reach, &l, &missing, &err), cases[i].result);
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

static void says_where_a_kernel_ends_below_the_hole(void)
{
	const struct gb_kernel_reach reach = {5 * GIB, 2 * GIB - 0x20000},
				     unknown = {.end = 5 * GIB};
	struct gb_error err = {};
	uint64_t missing = 0;
	struct gb_layout l;

	CHECK_EQ(gb_image_fit(GIB, &reach, &l, &missing, &err), GB_EUNKNOWN);
	CHECK(strstr(err.message, "2048M"));
	CHECK_EQ(gb_image_fit(GIB, &unknown, &l, &missing, &err), GB_EUNKNOWN);
	CHECK(strstr(err.message, "2G on a q35 machine"));
}

static void splits_where_it_is_told(void)
{
	static const struct {
		uint64_t size, split, end, missing;
		size_t count;
		int result;
	} cases[] = {
		{3 * GIB, 2 * GIB, 5 * GIB, 0, 2, 0},
		{3 * GIB, 2 * GIB, 0, 0, 2, 0},             // no kernel
		{3 * GIB, 2 * GIB, 6 * GIB, GIB, 2, 0},     // cut above the hole
		{2 * GIB, 2 * GIB, 5 * GIB, GIB, 1, 0},     // all of what lies below
		{GIB, 2 * GIB, 5 * GIB, 2 * GIB, 1, 0},     // cut below it
		{GIB, 2 * GIB, 0, GIB, 1, 0},               // the same, and no kernel
		{GIB, 2 * GIB, 512 * MIB, 0, 1, 0},         // a machine that has no more
		{GIB, 2 * GIB, 3 * GIB / 2, GIB / 2, 1, 0}, // and one that does
		{5 * GIB, 4 * GIB, 6 * GIB, GIB, 2, 0},     // the file has the hole, too
		{3 * GIB, 0, 0, 0, 0, GB_EUSAGE},
		{6 * GIB, 5 * GIB, 0, 0, 0, GB_EUSAGE},
		{3 * GIB, 1000, 0, 0, 0, GB_EUSAGE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct gb_kernel_reach reach = {.end = cases[i].end};
		struct gb_layout l = {};
		struct gb_error err = {};
		uint64_t missing = 0;

		CHECK_EQ(gb_image_split(cases[i].size, cases[i].split, &reach, &l, &missing, &err),
			 cases[i].result);
		CHECK_EQ(missing, cases[i].missing);
		CHECK_EQ(l.count, cases[i].count);
		CHECK_EQ(cases[i].result == 0, gb_layout_size(&l) == cases[i].size);
	}
}

TAP_MAIN(TAP_CASE(fits_what_the_kernel_says), TAP_CASE(says_where_a_kernel_ends_below_the_hole),
	 TAP_CASE(splits_where_it_is_told))
