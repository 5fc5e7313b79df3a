// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox maps
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"
#include "kernel/maps_text.h"

#include <inttypes.h>

static int print_json(const struct gb_target *t, const struct gb_process *p, struct gb_error *err)
{
	struct gb_answer a;
	struct gb_json *j = &a.json;

	gb_answer_begin(&a, "maps", t->name);
	gb_target_stamp(t, p->torn, j);
	gb_json_pair(j, "pid", i64, p->pid);
	gb_json_pair(j, "comm", str, p->comm);
	gb_json_key(j, "maps");
	gb_json_array(j);
	for (size_t i = 0; i < p->vma_count; i++) {
		const struct gb_vma *v = &p->vmas[i];
		char rights[5];

		gb_vma_rights(v, rights);
		gb_json_object(j);
		gb_json_pair(j, "start", hex, v->start);
		gb_json_pair(j, "end", hex, v->end);
		gb_json_pair(j, "rights", str, rights);
		// as in the text: what is not of a file has no offset
		gb_json_pair(j, "offset", hex, v->file.v ? v->pgoff << GB_PAGE_SHIFT : 0);
		gb_json_pair(j, "dev", u64, v->dev);
		gb_json_pair(j, "inode", u64, v->inode);
		gb_json_pair(j, "name", str, v->name);
		gb_json_end_object(j);
	}
	gb_json_end_array(j);
	return gb_answer_end(&a, err);
}

// The kernel escapes newlines in names itself, so the lines are its lines; what else could harm a
// terminal is escaped only when there is one.
static int print_text(const struct gb_process *p, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	int r;

	gb_maps_text(p, &text);
	r = gb_print_lines(&text, err);
	return r ? r : gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	const struct gb_process *process = NULL;
	struct gb_processes p;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_process_list(t.kernel, GB_PROCESS_VMAS | GB_PROCESS_NAMES, &arena, &p, err);
	if (r == 0)
		r = gb_target_process(args->positional[1], &p, &process, err);
	if (r != 0)
		return r;
	if (process->kernel_thread)
		return gb_fail(err, GB_ENOTFOUND,
			       "pid %" PRId32 " is a kernel thread: it has no memory map",
			       process->pid);
	r = gb_target_settle(&t, err);
	if (r == 0)
		r = args->json ? print_json(&t, process, err) : print_text(process, err);
	return r ? r
		 : gb_target_end_processes(args, &t, process->cut ? process : NULL, process->torn,
					   "the process changed while it was read", err);
}

const struct gb_command gb_cmd_maps = {
	.name = "maps",
	.usage = "T PID",
	.summary = "print a process's memory map as /proc/PID/maps does",
	.detail =
		"Byte for byte the lines of /proc/PID/maps: there, too, a file's name may hold any byte but a "
		"newline, which comes out as \\012. Only where standard output is a terminal are the others escaped, so "
		"behind a pipe that ends in one ('| head') it is 'cat -v' that protects it. JSON is always escaped.",
	.example = "glassbox maps debian 1\nglassbox maps debian 1 | cat -v | head",
	.options = gb_target_options,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
