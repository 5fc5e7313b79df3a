// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of errors: filled by the leaf, prefixed on the way, cut rather than overrun.
#include "tests/tap.h"

#include <errno.h>

static void error_is_filled_by_the_leaf_and_prefixed(void)
{
	struct gb_error err = {};

	CHECK_EQ(gb_fail_at(&err, GB_EFAULT, 0x1000, "page %d is absent", 7), GB_EFAULT);
	CHECK_STR(err.message, "page 7 is absent at 0x1000");
	gb_error_prefix(&err, "task %d", 3);
	CHECK_STR(err.message, "task 3: page 7 is absent at 0x1000");
	CHECK_EQ(err.code, GB_EFAULT);
	errno = ENOENT;
	CHECK_EQ(gb_fail_os(&err, "open"), GB_EOS);
	CHECK_EQ(err.os_errno, ENOENT);
	CHECK_EQ(gb_fail(NULL, GB_EBUG, "nobody listens"), GB_EBUG);
	gb_error_prefix(NULL, "nobody listens");
}

static void every_code_has_a_name_and_an_exit(void)
{
	for (int code = GB_EBUG; code <= 0; code++) {
		CHECK(strcmp(gb_code_name(code), "unknown") != 0);
		CHECK((gb_code_exit(code) == 0) == (code == 0));
	}
	CHECK_EQ(gb_code_exit(GB_EUNKNOWN), 4);
	CHECK_EQ(gb_code_exit(GB_ETIMEOUT), 124);
}

static void messages_are_cut(void)
{
	char text[1000];
	struct gb_error err = {};

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	gb_fail_at(&err, GB_EFAULT, 0x1000, "%s", text);
	CHECK_EQ(strlen(err.message), sizeof(err.message) - 1);
	CHECK_EQ(err.address, 0x1000);
	for (int i = 0; i < 3; i++)
		gb_error_prefix(&err, "%s", i == 2 ? text : "why");
	CHECK_EQ(strlen(err.message), sizeof(err.message) - 1);
	CHECK_EQ(err.code, GB_EFAULT);
	errno = EPERM;
	gb_fail_os(&err, "%s", text);
	CHECK_EQ(strlen(err.message), sizeof(err.message) - 1);
	CHECK_EQ(errno, EPERM);
	CHECK(!err.has_address);
	CHECK_STR(gb_code_name(1), "unknown");
	CHECK_EQ(gb_code_exit(-1000), 1);
}

TAP_MAIN(TAP_CASE(error_is_filled_by_the_leaf_and_prefixed),
	 TAP_CASE(every_code_has_a_name_and_an_exit), TAP_CASE(messages_are_cut))
