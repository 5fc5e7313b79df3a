// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The address an operand means.
#include "cmd/space.h"

#include "base/cleanup.h"

#include <inttypes.h>

static int process_space(struct gb_target *t, const char *pid, struct gb_space *space_ret,
			 struct gb_error *err)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	const struct gb_process *process = NULL;
	struct gb_processes p;
	int r = gb_process_list(t->kernel, 0, &arena, &p, err);

	if (r == 0)
		r = gb_target_process(pid, &p, &process, err);
	if (r != 0)
		return r;
	if (process->torn)
		return gb_fail(err, GB_ETORN,
			       "pid %s changed while its page tables were looked for", pid);
	*space_ret = gb_kernel_info(t->kernel)->space;
	if (process->mm.v) // a kernel thread runs on the kernel's tables
		space_ret->root = process->pgd;
	return 0;
}

int gb_space_choose(struct gb_target *t, const struct gb_args *args, uint64_t address,
		    struct gb_space *space_ret, bool *virtual_ret, struct gb_error *err)
{
	const char *pid = gb_args_get(args, "pid");
	int r;

	*virtual_ret = pid || address >> 63;
	if (!*virtual_ret)
		return 0;
	r = gb_target_understand(t, err);
	if (r != 0)
		return r;
	if (pid)
		return process_space(t, pid, space_ret, err);
	*space_ret = gb_kernel_info(t->kernel)->space;
	return 0;
}
