// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox pause and glassbox resume
#include "cmd/commands.h"
#include "cmd/output.h"

#include "vm/monitor.h"

static int change(struct gb_args *args, bool pause, struct gb_error *err)
{
	struct gb_vm_info vm;
	struct gb_answer a;
	int r = gb_vm_find(args->positional[0], &vm, err);

	if (r == 0)
		r = pause ? gb_vm_pause(&vm, err) : gb_vm_resume(&vm, err);
	if (r != 0 || !args->json)
		return r;
	gb_answer_begin(&a, args->command->name, vm.name);
	gb_json_pair(&a.json, "state", str, pause ? "paused" : "running");
	return gb_answer_end(&a, err);
}

static int run_pause(struct gb_args *args, struct gb_error *err)
{
	return change(args, true, err);
}

static int run_resume(struct gb_args *args, struct gb_error *err)
{
	return change(args, false, err);
}

const struct gb_command gb_cmd_pause = {
	.name = "pause",
	.usage = "NAME",
	.summary = "stop a guest's CPUs",
	.detail =
		"Nothing in the guest runs until 'glassbox resume'; its RAM can be looked at all the "
		"time.",
	.min_args = 1,
	.max_args = 1,
	.run = run_pause,
};

const struct gb_command gb_cmd_resume = {
	.name = "resume",
	.usage = "NAME",
	.summary = "let a paused guest go on",
	.min_args = 1,
	.max_args = 1,
	.run = run_resume,
};
