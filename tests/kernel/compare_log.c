// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The kernel's log against syslog(2).
#include "base/cleanup.h"
#include "compare.h"
#include "kernel/printk.h"

#include <string.h>

// Line by line, from the last one on: the guest had room for the newest only.
static void compare_lines(const struct gb_buf *ours, const struct section *truth, struct tally *t)
{
	const char *a = ours->data, *b = (const char *)truth->bytes;
	size_t a_len = ours->len, b_len = truth->head.len;

	while (a_len > 0 && b_len > 0) {
		const char *x = memrchr(a, '\n', a_len - 1), *y = memrchr(b, '\n', b_len - 1);
		size_t a_at = x ? (size_t)(x + 1 - a) : 0, b_at = y ? (size_t)(y + 1 - b) : 0;

		tally_count(t,
			    a_len - a_at == b_len - b_at &&
				    memcmp(a + a_at, b + b_at, a_len - a_at) == 0,
			    "'%s', truth '%s'", shown(a + a_at, a_len - a_at),
			    shown(b + b_at, b_len - b_at));
		a_len = a_at;
		b_len = b_at;
	}
	tally_count(t, b_len == 0, "%zu bytes of the truth are older than all of ours", b_len);
}

struct tally compare_log(const struct frozen *f)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	const struct section *truth = frozen_stable(f, "log", 0);
	struct gb_printk log = {};
	struct gb_error err = {};
	struct tally t = {};

	if (!truth)
		return t;
	tally_count(&t, gb_printk_read(f->kernel, &arena, &log, &err) == 0, "%s", err.message);
	tally_count(&t, log.damaged == 0, "%zu records are damaged", log.damaged);
	for (size_t i = 0; i < log.count; i++) {
		tally_count(&t, i == 0 || log.list[i].seq == log.list[i - 1].seq + 1, "record %zu",
			    i);
		gb_printk_print(&log.list[i], true, &text);
	}
	compare_lines(&text, truth, &t);
	return t;
}
