// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Taking a name in the registry, with its private directory, and giving both back.
//
// What is done to the directories below one root goes one after the other (a lock on the root), so that
// two starts with one name cannot race. /dev/shm, where RAM may have a directory, is shared with other
// roots: there each directory's own lock decides, and a name is never used twice. Claiming first removes what
// crashed supervisors left behind: their QEMU, if it still runs (it does not outlive its supervisor unless
// the kernel was told otherwise), their RAM file and their directory.
#pragma once

#include "vm/registry.h"

struct gb_claim {
	char name[GB_VM_NAME_MAX];
	char dir[PATH_MAX];
	char ram_dir[PATH_MAX];   // where the RAM file goes: dir, or a private directory of its own
	int lock_fd, ram_lock_fd; // the second only if ram_dir is not dir
};

// A claim that holds nothing; gb_claim_release() accepts it.
#define GB_CLAIM_NONE ((struct gb_claim){.lock_fd = -1, .ram_lock_fd = -1})

// Whether gb_claim_take() of an exact name would be refused now.
int gb_claim_check(const char *name, struct gb_error *err);
// Take the name, or (exact false) the first free of NAME, NAME-2, NAME-3, ...
// GB_EBUSY when an exact name is in use, GB_EUSAGE when it is none.
int gb_claim_take(const char *name, bool exact, struct gb_claim *ret, struct gb_error *err);
// What gb_claim_take() and gb_claim_place_ram() would choose now: fills name, dir and ram_path, and makes
// nothing. (RAM that gets a directory of its own has a new name each time.)
int gb_claim_preview(const char *name, bool exact, uint64_t size, struct gb_vm_info *ret,
		     struct gb_error *err);
// Put the claim's name and directory into info, and this process as the guest's supervisor.
int gb_claim_sign(const struct gb_claim *claim, struct gb_vm_info *info, struct gb_error *err);
// Make sure that size bytes (RAM, and what else the guest needs) fit on a tmpfs: the claim's directory if it is on one with room,
// else a new private directory in /dev/shm. GB_ELACKS when there is no room, saying what to do.
// info->ram_path is set and vm.json written before that directory is made.
int gb_claim_place_ram(struct gb_claim *claim, uint64_t size, struct gb_vm_info *info,
		       struct gb_error *err);
// Remove the directories and give the name back.
void gb_claim_release(struct gb_claim *claim);
// Remove what crashed supervisors left. Also done by every claim.
int gb_claim_sweep(struct gb_error *err);
