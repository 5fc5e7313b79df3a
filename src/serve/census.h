// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A census: the processes and every frame's owner at one moment, with the JSON that the page asks
// for. It never changes once it is made and is shared by reference.
#pragma once

#include "base/buf.h"
#include "kernel/frames.h"

// The kernel of the guest, shared between the sampler and the answers that still use it.
struct gb_guest_kernel;
int gb_guest_kernel_open(struct gb_ram *ram, const struct gb_log *log, struct gb_guest_kernel **ret,
			 struct gb_error *err);
// Wrap one that the caller keeps and closes.
int gb_guest_kernel_borrow(struct gb_kernel *k, struct gb_guest_kernel **ret, struct gb_error *err);
struct gb_guest_kernel *gb_guest_kernel_ref(struct gb_guest_kernel *g); // accepts NULL
void gb_guest_kernel_unref(struct gb_guest_kernel **g);                 // accepts NULL inside
struct gb_kernel *gb_guest_kernel_get(struct gb_guest_kernel *g);

// How many frames a process maps, by what for; a frame counts at its first owner only.
struct gb_census_use {
	uint32_t code, heap, stack, mapped;
};

struct gb_census {
	int refs;
	struct gb_guest_kernel *kernel; // NULL: not understood, all frames are unknown
	uint64_t time_ns;
	uint64_t version;           // of the census
	uint64_t owners_version;    // changes when any frame's class or owner did
	uint64_t processes_version; // changes when the list of processes did
	struct gb_arena arena;
	struct gb_processes processes;
	struct gb_census_use *uses; // beside processes.list
	struct gb_frames frames;
	struct gb_buf processes_json,
		owners_json; // whole objects, as api/processes and api/owners send them
	uint64_t owners_hash, processes_hash;
};

// Take a census. previous (may be NULL) lends its versions. kernel NULL makes one of unknown frames.
int gb_census_take(struct gb_guest_kernel *kernel, uint64_t frames,
		   const struct gb_census *previous, struct gb_census **ret, struct gb_error *err);
struct gb_census *gb_census_ref(struct gb_census *c);
void gb_census_unref(struct gb_census **c); // accepts NULL inside; for GB_CLEANUP
