// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The built-in guests, and what a user's words about a guest stand for.
//
// The scripts in guest/ make kernels and userlands once and cache them (docs/guests.md); each run
// gets an initramfs of its own with its keys, host name and command (guest/seed.sh).
#pragma once

#include "vm/claim.h"
#include "vm/config.h"

#define GB_ARCHIVES_MAX 3

// What the user asked for. Strings may be NULL, numbers 0, where nothing was said.
struct gb_request {
	const char *target; // built-in guest, disk image or CD
	const char *kernel, *initrd, *append;
	const char *cpu, *machine, *accel; // accel: tcg, kvm, auto
	const char *forwards;
	uint64_t memory;
	unsigned cpus;
	bool snapshot;
	char **command; // to run in the guest, ends with NULL
	int interrupt_fd;
};

// A request made concrete.
struct gb_plan {
	struct gb_config config;
	char name[GB_VM_NAME_MAX];                // to claim when the user gave none
	char archives[GB_ARCHIVES_MAX][PATH_MAX]; // of our userland, for guest/seed.sh
	size_t archive_count;
};

// Names of the built-in guests, ending with NULL.
extern const char *const gb_guest_names[];

// Decide everything, making the guest if it is not cached. Talks on standard error through the
// scripts. GB_EUSAGE, GB_ENOTFOUND (a file), GB_EFORMAT (no disk), GB_ELACKS (KVM), GB_ECANCELLED.
int gb_guest_plan(const struct gb_request *request, struct gb_plan *ret, struct gb_error *err);
// Bytes of tmpfs that a run needs: its RAM and its initramfs.
uint64_t gb_guest_room(const struct gb_plan *plan);
// Make the initramfs and keys of this run in the claim's directory; sets config.initrd.
int gb_guest_seed(struct gb_plan *plan, const struct gb_claim *claim, char **command,
		  int interrupt_fd, struct gb_error *err);
