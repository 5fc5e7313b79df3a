// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the table of frame classes.
#include "kernel/frame_class.h"
#include "tests/tap.h"

static void names_and_keys_are_unique(void)
{
	for (int a = 0; a < GB_FRAME_CLASS_COUNT; a++)
		for (int b = 0; b < a; b++)
			CHECK(strcmp(gb_frame_class_name(a), gb_frame_class_name(b)) != 0);
	for (int a = 0; a < GB_FRAME_GROUP_COUNT; a++)
		for (int b = 0; b < a; b++) {
			CHECK(strcmp(gb_frame_group_info(a)->key, gb_frame_group_info(b)->key) !=
			      0);
			CHECK(gb_frame_group_info(a)->rgb != gb_frame_group_info(b)->rgb);
		}
}

static void every_group_has_a_class(void)
{
	for (int g = 0; g < GB_FRAME_GROUP_COUNT; g++) {
		int n = 0;

		for (int c = 0; c < GB_FRAME_CLASS_COUNT; c++)
			n += gb_frame_class_group(c) == (enum gb_frame_group)g;
		CHECK(n > 0);
	}
}

TAP_MAIN(TAP_CASE(names_and_keys_are_unique), TAP_CASE(every_group_has_a_class))
