// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Open files against the links in /proc/PID/fd.
#include "compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// A link has newlines as they are.
static bool same_name(const char *ours, const char *link)
{
	for (; *ours && *link; link++) {
		if (*link == '\n' && strncmp(ours, "\\012", 4) == 0)
			ours += 4;
		else if (*ours++ != *link)
			return false;
	}
	return *ours == *link;
}

static void compare_process(const struct gb_process *p, const struct section *truth,
			    struct tally *t)
{
	const char *at = (const char *)truth->bytes, *end = at + truth->head.len;
	size_t i = 0;

	for (; at < end; i++) {
		const struct gb_file *f = i < p->file_count ? &p->files[i] : NULL;
		const char *link = at + strlen(at) + 1;
		bool same = f && f->fd == strtoul(at, NULL, 10) && same_name(f->name, link);

		tally_count(t, same, "%" PRId32 ": %" PRIu32 " '%s', truth %s '%s'", p->pid,
			    f ? f->fd : 0, f ? shown(f->name, strlen(f->name)) : "", at,
			    shown(link, strlen(link)));
		at = link + strlen(link) + 1;
	}
	tally_count(t, i == p->file_count, "%" PRId32 ": %zu files, truth %zu", p->pid,
		    p->file_count, i);
}

// The program that reads has files open while it does that it closes before the freeze.
struct tally compare_files(const struct frozen *f)
{
	struct tally t = {};

	for (size_t i = 0; i < f->processes.count; i++) {
		const struct gb_process *p = &f->processes.list[i];
		const struct section *truth = frozen_stable(f, "fd", (uint32_t)p->pid);

		if (!truth || p->torn || strcmp(p->comm, "freeze") == 0)
			t.in_motion++;
		else
			compare_process(p, truth, &t);
	}
	return t;
}
