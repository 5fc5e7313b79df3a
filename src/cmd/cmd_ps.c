// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox ps
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"

#include <inttypes.h>

static const struct gb_option options[] = {
	{"threads", 't', NULL, "list threads too"},
	GB_TARGET_OPTIONS,
	{},
};

static void thread_json(struct gb_json *j, const struct gb_thread *t)
{
	char state[2] = {t->state};

	gb_json_object(j);
	gb_json_pair(j, "tid", i64, t->tid);
	gb_json_pair(j, "comm", str, t->comm);
	gb_json_pair(j, "state", str, state);
	gb_json_pair(j, "task", hex, t->task.v);
	gb_json_end_object(j);
}

static void process_json(struct gb_json *j, const struct gb_process *p, bool threads)
{
	char state[2] = {p->state};

	gb_json_object(j);
	gb_json_pair(j, "pid", i64, p->pid);
	gb_json_pair(j, "ppid", i64, p->ppid);
	gb_json_pair(j, "comm", str, p->comm);
	gb_json_pair(j, "threads", u64, p->thread_count);
	gb_json_pair(j, "vmas", u64, p->vma_count);
	gb_json_pair(j, "uid", u64, p->uid);
	gb_json_pair(j, "state", str, state);
	gb_json_pair(j, "kernel_thread", bool, p->kernel_thread);
	gb_json_pair(j, "args", str, p->args);
	gb_json_pair(j, "rss_kib", u64, p->rss_pages * (GB_PAGE_SIZE / 1024));
	gb_json_pair(j, "start_ns", u64, p->start_ns);
	gb_json_pair(j, "task", hex, p->task.v);
	gb_json_pair(j, "mm", hex, p->mm.v);
	gb_json_pair(j, "pgd", hex, p->pgd.v);
	gb_json_pair(j, "torn", bool, p->torn);
	gb_json_pair(j, "cut", bool, p->cut);
	if (threads) {
		gb_json_key(j, "tasks");
		gb_json_array(j);
		for (size_t i = 0; i < p->thread_count; i++)
			thread_json(j, &p->threads[i]);
		gb_json_end_array(j);
	}
	gb_json_end_object(j);
}

static int print_json(const struct gb_target *t, const struct gb_processes *p, bool threads,
		      struct gb_error *err)
{
	struct gb_answer a;

	gb_answer_begin(&a, "ps", t->name);
	gb_target_stamp(t, p->torn, &a.json);
	gb_json_key(&a.json, "processes");
	gb_json_array(&a.json);
	for (size_t i = 0; i < p->count; i++)
		process_json(&a.json, &p->list[i], threads);
	gb_json_end_array(&a.json);
	return gb_answer_end(&a, err);
}

static void print_process(const struct gb_process *p)
{
	printf("%7" PRId32 " %7" PRId32 " %6" PRIu32 " %c %4zu %5zu %8" PRIu64 "  ", p->pid,
	       p->ppid, p->uid, p->state, p->thread_count, p->vma_count,
	       p->rss_pages * (GB_PAGE_SIZE / 1024));
	if (p->kernel_thread)
		fputc('[', stdout);
	gb_print_text(stdout, p->comm, 0);
	if (p->kernel_thread)
		fputc(']', stdout);
	if (*p->args) {
		fputs("  ", stdout);
		gb_print_text(stdout, p->args, 0);
	}
	fputs(p->cut    ? "  (not all of it was read)\n"
	      : p->torn ? "  (changed while it was read)\n"
			: "\n",
	      stdout);
}

static int print_text(const struct gb_processes *p, bool threads, struct gb_error *err)
{
	puts("    PID    PPID    UID S  THR  VMAS  RSS KiB  COMMAND");
	for (size_t i = 0; i < p->count; i++) {
		const struct gb_process *process = &p->list[i];

		print_process(process);
		for (size_t j = 0; threads && j < process->thread_count; j++) {
			printf("        %7" PRId32 "        %c                       ",
			       process->threads[j].tid, process->threads[j].state);
			gb_print_text(stdout, process->threads[j].comm, 0);
			fputc('\n', stdout);
		}
	}
	return gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	bool threads = gb_args_has(args, "threads");
	struct gb_processes p;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_process_list(t.kernel, GB_PROCESS_ARGS, &arena, &p, err);
	if (r == 0)
		r = gb_target_settle(&t, err);
	if (r != 0)
		return r;
	r = args->json ? print_json(&t, &p, threads, err) : print_text(&p, threads, err);
	return r ? r
		 : gb_target_end_processes(args, &t, gb_process_find_cut(&p), p.torn,
					   "processes came and went while they were read", err);
}

const struct gb_command gb_cmd_ps = {
	.name = "ps",
	.usage = "T",
	.summary = "list processes and threads",
	.detail =
		"Read from the kernel's own lists. A line that changed while it was read says so; a list "
		"that would not hold still is exit 5.",
	.example = "glassbox ps debian\nglassbox ps -t ram.img --json",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
