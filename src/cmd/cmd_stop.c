// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox stop
#include "cmd/commands.h"
#include "cmd/output.h"

#include "vm/stop.h"

#define STOP_MS 15000

static int run(struct gb_args *args, struct gb_error *err)
{
	struct gb_vm_info vm;
	struct gb_answer a;
	int r = gb_vm_lookup(args->positional[0], &vm, err);

	if (r == 0)
		r = gb_vm_stop(&vm, STOP_MS, err);
	if (r != 0 || !args->json)
		return r;
	gb_answer_begin(&a, "stop", vm.name);
	gb_json_pair(&a.json, "state", str, vm.attached ? "detached" : "stopped");
	return gb_answer_end(&a, err);
}

const struct gb_command gb_cmd_stop = {
	.name = "stop",
	.usage = "NAME",
	.summary = "end a guest and remove all that belongs to it",
	.detail = "A guest that was attached to is let go of: it runs on.",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
