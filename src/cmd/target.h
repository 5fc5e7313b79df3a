// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// TARGET: the name of a running guest, or a file that holds a raw RAM image.
#pragma once

#include "cmd/command.h"
#include "cmd/output.h"
#include "kernel/process.h"
#include "vm/registry.h"

struct gb_target {
	char name[GB_VM_NAME_MAX * 4]; // of the guest, or the file's last path component
	bool live;                     // a guest that may change while it is read
	bool paused;                   // a live guest that stands still at present
	struct gb_vm_info vm;          // only if live
	struct gb_ram *ram;
	struct gb_kernel *kernel; // NULL unless asked for
};

// GB_ENOTFOUND, GB_EUNKNOWN (with understand), and what opening RAM can fail with.
int gb_target_open(const char *target, bool understand, struct gb_target *ret,
		   struct gb_error *err);
void gb_target_close(struct gb_target *t); // for GB_CLEANUP; accepts a zeroed one

// How consistent an answer is, as it stands in JSON ("how") and after a table when it is not.
const char *gb_target_consistency(const struct gb_target *t, bool torn);
// Add "consistent" and "how" to an answer.
void gb_target_stamp(const struct gb_target *t, bool torn, struct gb_json *j);

// A process by the pid that the user typed. GB_ENOTFOUND, GB_EUSAGE.
int gb_target_process(const char *pid_text, const struct gb_processes *p,
		      const struct gb_process **ret, struct gb_error *err);
