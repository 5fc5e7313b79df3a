// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The directory under which every running guest has its own, and the locks that say who lives.
#pragma once

#include "base/error.h"

#include <limits.h>

// Where guests are registered, without looking at it: $XDG_RUNTIME_DIR/glassbox, or /run/user/UID/glassbox if
// that is not set; where there is neither, glassbox/run below $XDG_STATE_HOME or ~/.local/state. GB_ELACKS
// where there is no home either.
int gb_runtime_path(char ret[PATH_MAX], struct gb_error *err);
// The same, looked at. make: create it. GB_ENOTFOUND when it is not there and not to be
// made; GB_ELACKS when it belongs to somebody else or others may look into it.
int gb_runtime_root(bool make, char ret[PATH_MAX], struct gb_error *err);
// The same, or the nearest directory above it that is there and in which it would be made.
int gb_runtime_place(char ret[PATH_MAX], struct gb_error *err);
// DIR/lock, made if it is not there, held until the fd is closed or its process ends. GB_EBUSY when
// somebody else holds it, or removed the directory meanwhile.
int gb_runtime_lock(const char *dir, int *fd_ret, struct gb_error *err);
// The lock that somebody left in a directory that is open; dir is for messages. GB_EBUSY as above, and when
// there is none.
int gb_runtime_lock_left(int dir_fd, const char *dir, int *fd_ret, struct gb_error *err);
// Whether there is DIR/lock at all: only directories of ours have one.
bool gb_runtime_has_lock(const char *dir);
// Whether somebody holds DIR/lock. Takes nothing.
bool gb_runtime_locked(const char *dir);
