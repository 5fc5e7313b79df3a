// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The directory under which every running guest has its own, and the locks that say who lives.
#pragma once

#include "base/error.h"

#include <limits.h>

// Where guests are registered, without looking at it.
int gb_runtime_path(char ret[PATH_MAX], struct gb_error *err);
// The same, looked at. make: create it. GB_ENOTFOUND when it is not there and not to be
// made; GB_ELACKS when it belongs to somebody else or others may look into it.
int gb_runtime_root(bool make, char ret[PATH_MAX], struct gb_error *err);
// DIR/lock, held until the fd is closed or its process ends. GB_EBUSY when somebody else holds it.
int gb_runtime_lock(const char *dir, int *fd_ret, struct gb_error *err);
// Whether somebody holds DIR/lock. Takes nothing.
bool gb_runtime_locked(const char *dir);
