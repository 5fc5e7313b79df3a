// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Modules of the kernel.
#pragma once

#include "base/buf.h"
#include "kernel/kernel.h"

enum gb_module_state { GB_MODULE_LIVE, GB_MODULE_LOADING, GB_MODULE_UNLOADING };

struct gb_module {
	gb_gva at; // struct module
	char name[64];
	enum gb_module_state state;
	gb_gva base;        // of its text
	uint64_t size;      // bytes, of all of its parts
	bool counted;       // this kernel can unload modules, and counts who uses them
	int32_t refs;       // -1 while it is unloaded
	const char **users; // names of the modules that use it
	size_t user_count;
	bool permanent;  // it can never be unloaded
	uint64_t taints; // bits as in /proc/sys/kernel/tainted
};

struct gb_modules {
	struct gb_module *list; // the newest first
	size_t count;
	bool torn; // changed while they were read, after all retries, or not all of them could be read
};

// GB_EUNKNOWN: the kernel says nothing of modules. GB_EGONE, GB_ENOMEM.
int gb_module_list(const struct gb_kernel *k, struct gb_arena *arena, struct gb_modules *ret,
		   struct gb_error *err);
// A line as /proc/modules has it, with its newline.
void gb_module_print(const struct gb_module *m, struct gb_buf *out);
