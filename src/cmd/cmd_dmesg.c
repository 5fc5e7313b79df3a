// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox dmesg
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"
#include "kernel/printk.h"

static int print_json(const struct gb_target *t, const struct gb_printk *log, struct gb_error *err)
{
	struct gb_answer a;

	gb_answer_begin(&a, "dmesg", t->name);
	gb_target_stamp(t, log->damaged, &a.json);
	gb_json_key(&a.json, "records");
	gb_json_array(&a.json);
	for (size_t i = 0; i < log->count; i++) {
		const struct gb_printk_record *r = &log->list[i];

		gb_json_object(&a.json);
		gb_json_pair(&a.json, "seq", u64, r->seq);
		gb_json_pair(&a.json, "time_ns", u64, r->time_ns);
		gb_json_pair(&a.json, "facility", u64, r->facility);
		gb_json_pair(&a.json, "level", u64, r->level);
		gb_json_pair(&a.json, r->caller & GB_PRINTK_CPU ? "cpu" : "tid", u64,
			     r->caller & ~GB_PRINTK_CPU);
		gb_json_pair(&a.json, "text", strn, r->text, r->len);
		gb_json_end_object(&a.json);
	}
	gb_json_end_array(&a.json);
	return gb_answer_end(&a, err);
}

static int print_text(const struct gb_printk *log, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf lines = {};
	int r = 0;

	for (size_t i = 0; i < log->count && r == 0; i++) {
		gb_buf_clear(&lines);
		gb_printk_print(&log->list[i], false, &lines);
		r = gb_print_lines(&lines, err);
	}
	return r ? r : gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	struct gb_printk log;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_printk_read(t.kernel, &arena, &log, err);
	if (r == 0)
		r = gb_target_settle(&t, err);
	if (r == 0)
		r = args->json ? print_json(&t, &log, err) : print_text(&log, err);
	return r ? r
		 : gb_target_end(args, &t, log.damaged,
				 "parts of the log are damaged, or it has more text than is read",
				 err);
}

const struct gb_command gb_cmd_dmesg = {
	.name = "dmesg",
	.usage = "T",
	.summary = "print the kernel's log as dmesg does in the guest",
	.detail =
		"Every record is one that the kernel had finished and not begun to overwrite when it was read. The "
		"bytes are the guest's own; they are escaped only where standard output is a terminal (see maps). "
		"JSON has priority and caller, too. What was cleared with dmesg -C is still there. Kernels since 5.10.",
	.example = "glassbox dmesg debian | grep -i virtio",
	.options = gb_target_options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
