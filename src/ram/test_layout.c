// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the guest-physical layout.
#include "ram/layout.h"
#include "tests/tap.h"

#define GIB ((uint64_t)1 << 30)

static void split_ram_is_packed_without_its_hole(void)
{
	struct gb_layout l = {};
	struct gb_error err = {};
	uint64_t index = 0;
	gb_pfn pfn = {0};

	// added in the wrong order on purpose
	CHECK_OK(gb_layout_add(&l, (struct gb_segment){{4 * GIB}, GIB, 2 * GIB}, &err), err);
	CHECK_OK(gb_layout_add(&l, (struct gb_segment){{0}, 2 * GIB, 0}, &err), err);
	CHECK_EQ(gb_layout_size(&l), 3 * GIB);
	CHECK_EQ(gb_layout_end(&l).v, 5 * GIB);
	CHECK(!gb_layout_find(&l, (gb_gpa){3 * GIB}));
	CHECK_EQ(gb_layout_find(&l, (gb_gpa){5 * GIB - 1})->offset, 2 * GIB);
	CHECK(gb_layout_index_of(&l, (gb_pfn){4 * GIB >> 12}, &index));
	CHECK_EQ(index, 2 * GIB >> 12);
	CHECK(!gb_layout_index_of(&l, (gb_pfn){2 * GIB >> 12}, &index));
	CHECK(gb_layout_pfn_of(&l, index, &pfn));
	CHECK_EQ(pfn.v, 4 * GIB >> 12);
	CHECK(!gb_layout_pfn_of(&l, 3 * GIB >> 12, &pfn));
}

static void a_range_of_addresses_becomes_runs_of_frames(void)
{
	struct gb_frame_run runs[GB_LAYOUT_MAX];
	struct gb_layout l = {};

	CHECK_EQ(gb_layout_add(&l, (struct gb_segment){{0}, 2 * GIB, 0}, NULL), 0);
	CHECK_EQ(gb_layout_add(&l, (struct gb_segment){{4 * GIB}, GIB, 2 * GIB}, NULL), 0);
	CHECK_EQ(gb_layout_runs(&l, (gb_gpa){GIB}, 2 * GIB, runs), 1);
	CHECK_EQ(runs[0].first, GIB >> 12);
	CHECK_EQ(runs[0].count, GIB >> 12);
	CHECK_EQ(runs[0].offset, 0);
	CHECK_EQ(gb_layout_runs(&l, (gb_gpa){2 * GIB - 4096}, 3 * GIB, runs), 2);
	CHECK_EQ(runs[0].count, 1);
	CHECK_EQ(runs[1].first, 2 * GIB >> 12);
	CHECK_EQ(runs[1].count, (GIB >> 12) - 1);
	CHECK_EQ(runs[1].offset, 2 * GIB + 4096);
	CHECK_EQ(gb_layout_runs(&l, (gb_gpa){2 * GIB}, 2 * GIB, runs), 0);
	CHECK_EQ(gb_layout_runs(&l, (gb_gpa){5 * GIB - 4096}, UINT64_MAX - 5 * GIB, runs), 1);
	CHECK_EQ(runs[0].count, 1);
}

static void bad_segments_are_refused(void)
{
	static const struct gb_segment bad[] = {
		{{0}, 0, 0},
		{{1}, 4096, 0},
		{{0}, 4097, 0},
		{{0x1000}, 4096, 0x100000},            // overlaps in GPA
		{{0x100000}, 4096, 0x1000},            // overlaps in the file
		{{UINT64_MAX - 4095}, 8192, 0x100000}, // wraps
	};
	struct gb_layout l = {};
	struct gb_error err = {};

	CHECK_OK(gb_layout_add(&l, (struct gb_segment){{0}, 0x4000, 0}, &err), err);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(gb_layout_add(&l, bad[i], &err), GB_ERANGE);
	CHECK_EQ(l.count, 1);
}

static void as_json(void)
{
	struct gb_layout l = {};
	struct gb_buf out = {};
	struct gb_json j = gb_json_init(&out);
	struct gb_error err = {};

	CHECK_OK(gb_layout_add(&l, (struct gb_segment){{0}, 0x4000, 0}, &err), err);
	CHECK_OK(gb_layout_add(&l, (struct gb_segment){{0x100000000}, 0x2000, 0x4000}, &err), err);
	gb_layout_json(&j, &l);
	CHECK_STR(out.data, "[{\"gpa\":\"0x0\",\"size\":\"0x4000\",\"offset\":\"0x0\"},"
			    "{\"gpa\":\"0x100000000\",\"size\":\"0x2000\",\"offset\":\"0x4000\"}]");
	gb_buf_deinit(&out);
}

TAP_MAIN(TAP_CASE(split_ram_is_packed_without_its_hole),
	 TAP_CASE(a_range_of_addresses_becomes_runs_of_frames), TAP_CASE(bad_segments_are_refused),
	 TAP_CASE(as_json))
