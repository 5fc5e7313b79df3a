// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox files
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <inttypes.h>

// "r", "w", "rw"; "-" of what may be neither (O_PATH)
static const char *access_of(const struct gb_file *f)
{
	static const char *const words[] = {"r", "w", "rw", "-"};

	return f->flags & O_PATH ? "-" : words[f->flags & O_ACCMODE];
}

static void file_json(struct gb_json *j, const struct gb_process *p, const struct gb_file *f)
{
	gb_json_object(j);
	gb_json_pair(j, "pid", i64, p->pid);
	gb_json_pair(j, "comm", str, p->comm);
	gb_json_pair(j, "fd", u64, f->fd);
	gb_json_pair(j, "access", str, access_of(f));
	gb_json_pair(j, "flags", hex, f->flags);
	gb_json_pair(j, "name", str, f->name);
	gb_json_pair(j, "file", hex, f->file.v);
	gb_json_end_object(j);
}

static void file_text(const struct gb_process *p, const struct gb_file *f)
{
	printf("%7" PRId32 "  ", p->pid);
	gb_print_text(stdout, p->comm, 15);
	printf(" %4" PRIu32 "  %-2s  ", f->fd, access_of(f));
	gb_print_text(stdout, f->name, 0);
	putchar('\n');
}

// only: of this process; NULL: of all.
static int print(const struct gb_target *t, const struct gb_processes *p,
		 const struct gb_process *only, bool json, struct gb_error *err)
{
	struct gb_answer a;

	if (json) {
		gb_answer_begin(&a, "files", t->name);
		gb_target_stamp(t, only ? only->torn : p->torn, &a.json);
		gb_json_key(&a.json, "files");
		gb_json_array(&a.json);
	} else {
		puts("    PID  COMMAND           FD      NAME");
	}
	for (size_t i = 0; i < p->count; i++) {
		const struct gb_process *process = &p->list[i];

		for (size_t j = 0; (!only || process == only) && j < process->file_count; j++)
			if (json)
				file_json(&a.json, process, &process->files[j]);
			else
				file_text(process, &process->files[j]);
	}
	if (!json)
		return gb_flush_stdout(err);
	gb_json_end_array(&a.json);
	return gb_answer_end(&a, err);
}

// An empty answer says why.
static int check_has_files(const struct gb_process *p, struct gb_error *err)
{
	if (p->kernel_thread)
		return gb_fail(err, GB_ENOTFOUND,
			       "pid %" PRId32 " is a kernel thread: it has no open files", p->pid);
	if (p->state == 'Z' && !p->files)
		return gb_fail(err, GB_ENOTFOUND, "pid %" PRId32 " has ended: its files are closed",
			       p->pid);
	return 0;
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	const struct gb_process *only = NULL, *cut;
	struct gb_processes p;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_process_list(t.kernel, GB_PROCESS_FILES, &arena, &p, err);
	if (r == 0 && args->positional[1])
		r = gb_target_process(args->positional[1], &p, &only, err);
	if (r == 0 && only)
		r = check_has_files(only, err);
	if (r == 0)
		r = gb_target_settle(&t, err);
	if (r == 0)
		r = print(&t, &p, only, args->json, err);
	if (r != 0)
		return r;
	cut = only ? (only->cut ? only : NULL) : gb_process_find_cut(&p);
	return gb_target_end_processes(args, &t, cut, only ? only->torn : p.torn,
				       only ? "the process changed while it was read"
					    : "processes came and went while they were read",
				       err);
}

const struct gb_command gb_cmd_files = {
	.name = "files",
	.usage = "T [PID]",
	.summary = "list open files, of all processes or of one",
	.detail =
		"Descriptor, access and name, as the links in /proc/PID/fd have it: a path across mounts, with "
		"(deleted) behind what has no name any more; pipe:[INODE], socket:[INODE], anon_inode:[KIND]. Newlines "
		"in names come out as \\012. Kernel threads have none; a thread that has a table of its own is not looked at.",
	.example = "glassbox files debian\nglassbox files debian 79 --json",
	.options = gb_target_options,
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
