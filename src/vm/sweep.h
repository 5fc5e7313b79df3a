// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Removing guests' directories: those of guests that have ended, and what crashed supervisors left.
//
// Whether a supervisor lives, the lock in its directory tells. RAM that has a directory of its own in
// /dev/shm has a lock there, too: the registry may have gone before (with the user's last session),
// and gigabytes must not stay behind.
#pragma once

#include "base/error.h"

// Remove a directory with the files in it; not those below, not behind a link, not somebody else's.
void gb_sweep_remove(const char *dir);
// Whether the supervisor of a directory is gone, or there never was one: the next two remove it.
bool gb_sweep_is_left(const char *dir);
// Remove all below the registry's root whose supervisor is gone, its QEMU and its RAM. Under the
// root's lock.
int gb_sweep_root(const char *root, struct gb_error *err);
// How many that would remove.
unsigned gb_sweep_root_count(const char *root);
// Remove the directories for RAM in /dev/shm that are ours and whose lock is free.
void gb_sweep_ram(void);
// How many that would remove.
unsigned gb_sweep_ram_count(void);
