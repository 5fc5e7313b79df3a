// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the growable buffer.
#include "base/buf.h"
#include "base/cleanup.h"
#include "tests/tap.h"

static void buffer_grows_and_stays_terminated(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};

	for (int i = 0; i < 1000; i++)
		gb_buf_printf(&b, "%d,", i);
	CHECK_EQ(strlen(b.data), b.len);
	CHECK_EQ(b.len, 3890);
	CHECK(!gb_buf_extend(&b, SIZE_MAX - 10));
	CHECK(gb_buf_failed(&b));
	CHECK_EQ(b.len, 3890);
}

static void a_failed_buffer_ignores_the_rest(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};

	gb_buf_add(&b, "ab\0c", 4);
	CHECK_EQ(b.len, 4);
	CHECK(!gb_buf_extend(&b, SIZE_MAX / 2));
	gb_buf_add_str(&b, "more");
	gb_buf_printf(&b, "%d", 1);
	CHECK_EQ(b.len, 4);
	CHECK_MEM(b.data, "ab\0c", 5);
	gb_buf_clear(&b);
	CHECK(!gb_buf_failed(&b));
	gb_buf_add_str(&b, "again");
	CHECK_STR(b.data, "again");
	gb_buf_deinit(&b);
	CHECK(!b.data && !b.len && !b.cap);
}

TAP_MAIN(TAP_CASE(buffer_grows_and_stays_terminated), TAP_CASE(a_failed_buffer_ignores_the_rest))
