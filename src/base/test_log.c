// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the log.
#include "base/log.h"
#include "tests/tap.h"

struct sink {
	unsigned calls;
	size_t length;
};

static void take(void *arg, enum gb_log_level level, const char *message)
{
	struct sink *s = arg;

	(void)level;
	s->calls++;
	s->length = strlen(message);
}

static void levels_are_kept_and_lines_are_cut(void)
{
	struct sink s = {};
	const struct gb_log log = {.fn = take, .arg = &s, .level = GB_LOG_INFO};
	char text[5000];

	gb_log(NULL, GB_LOG_INFO, "nobody listens");
	gb_log(&(struct gb_log){}, GB_LOG_INFO, "nobody listens");
	gb_log(&log, GB_LOG_DEBUG, "not asked for");
	CHECK_EQ(s.calls, 0);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	gb_log(&log, GB_LOG_INFO, "%s", text);
	CHECK_EQ(s.calls, 1);
	CHECK_EQ(s.length, 1023);
}

TAP_MAIN(TAP_CASE(levels_are_kept_and_lines_are_cut))
