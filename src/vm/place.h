// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Where the RAM file of a guest goes: a tmpfs with room for it.
#pragma once

#include "vm/registry.h"

#define GB_PLACE_SHM "/dev/shm"

// A place for size bytes: dir itself if it is on a tmpfs with room, else a directory (not made yet)
// in /dev/shm with a name that nobody can guess. What other guests of ours may still fill of their
// RAM files counts as taken. GB_ELACKS when neither has room.
int gb_place_choose(const char *dir, uint64_t size, char ret[PATH_MAX], struct gb_error *err);
// Whether a path is one that gb_place_choose() makes up in /dev/shm.
bool gb_place_is_private(const char *dir);
// The directory that gb_place_choose() gave a guest outside of its own; false if it is the same.
bool gb_place_of(const struct gb_vm_info *info, char ret[PATH_MAX]);
// Whether next to nothing is left on the file system of path, with what others promised not counted.
bool gb_place_full(const char *path);
// Bytes that may still be used on the file system of path; *tmpfs_ret says if it is one.
int gb_place_free(const char *path, uint64_t *free_ret, bool *tmpfs_ret, struct gb_error *err);
