// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox modules
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"
#include "kernel/module.h"

static void module_json(struct gb_json *j, const struct gb_module *m)
{
	static const char *const states[] = {"live", "loading", "unloading"};

	gb_json_object(j);
	gb_json_pair(j, "name", str, m->name);
	gb_json_pair(j, "size", u64, m->size);
	gb_json_pair(j, "state", str, states[m->state]);
	gb_json_pair(j, "base", hex, m->base.v);
	gb_json_pair(j, "module", hex, m->at.v);
	gb_json_key(j, "refs");
	if (m->counted)
		gb_json_i64(j, m->refs);
	else
		gb_json_null(j);
	gb_json_pair(j, "permanent", bool, m->permanent);
	gb_json_pair(j, "taints", hex, m->taints);
	gb_json_key(j, "users");
	gb_json_array(j);
	for (size_t i = 0; i < m->user_count; i++)
		gb_json_str(j, m->users[i]);
	gb_json_end_array(j);
	gb_json_end_object(j);
}

static int print_json(const struct gb_target *t, const struct gb_modules *m, struct gb_error *err)
{
	struct gb_answer a;

	gb_answer_begin(&a, "modules", t->name);
	gb_target_stamp(t, m->torn, &a.json);
	gb_json_key(&a.json, "modules");
	gb_json_array(&a.json);
	for (size_t i = 0; i < m->count; i++)
		module_json(&a.json, &m->list[i]);
	gb_json_end_array(&a.json);
	return gb_answer_end(&a, err);
}

static int print_text(const struct gb_modules *m, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf lines = {};
	int r;

	for (size_t i = 0; i < m->count; i++)
		gb_module_print(&m->list[i], &lines);
	r = gb_print_lines(&lines, err);
	return r ? r : gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	struct gb_modules modules;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_module_list(t.kernel, &arena, &modules, err);
	if (r == 0)
		r = gb_target_settle(&t, err);
	if (r == 0)
		r = args->json ? print_json(&t, &modules, err) : print_text(&modules, err);
	return r ? r
		 : gb_target_end(args, &t, modules.torn,
				 "modules changed while they were read, or not all could be", err);
}

const struct gb_command gb_cmd_modules = {
	.name = "modules",
	.usage = "T",
	.summary = "print the kernel's modules as /proc/modules does",
	.detail =
		"Name, bytes, how often it is used and by whom, state, where its text lies, taints. A kernel without "
		"CONFIG_MODULES is exit status 4; one that has loaded none prints nothing.",
	.example = "glassbox modules debian",
	.options = gb_target_options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
