// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Modules against /proc/modules.
#include "base/cleanup.h"
#include "compare.h"
#include "kernel/module.h"

#include <string.h>

// The next line of a text, its newline too; moves on behind it.
static const char *next_line(const char **at, const char *end, size_t *len_ret)
{
	const char *line = *at,
		   *newline = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;

	*at = newline ? newline + 1 : end;
	*len_ret = (size_t)(*at - line);
	return line;
}

struct tally compare_modules(const struct frozen *f)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	const struct section *truth = frozen_section(f, "modules", 0, 1);
	const char *at = truth ? (const char *)truth->bytes : "",
		   *end = at + (truth ? truth->head.len : 0);
	struct gb_modules modules = {};
	struct gb_error err = {};
	struct tally t = {};

	tally_count(&t, gb_module_list(f->kernel, &arena, &modules, &err) == 0 && !modules.torn,
		    "%s", err.message);
	for (size_t i = 0; i < modules.count; i++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf ours = {};
		size_t len;
		const char *line = next_line(&at, end, &len);

		gb_module_print(&modules.list[i], &ours);
		tally_count(&t, ours.len == len && memcmp(ours.data, line, len) == 0,
			    "'%s', truth '%s'", shown(ours.data, ours.len), shown(line, len));
	}
	tally_count(&t, at == end, "%zu bytes of the truth are of more modules",
		    (size_t)(end - at));
	return t;
}
