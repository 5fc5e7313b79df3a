// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Starting QEMU as a child that dies with us.
#pragma once

#include "base/error.h"

#include <sys/types.h>

// Start argv (argv[0] looked up in PATH) in a session of its own, with /dev/null as its input and
// output. *errors_ret reads what it writes to its standard error. The child is killed when the
// calling thread ends. GB_ELACKS: no such program; GB_EOS.
int gb_spawn(const char *const *argv, pid_t *pid_ret, int *errors_ret, struct gb_error *err);
// Listen on a UNIX socket that only we may connect to.
int gb_spawn_listen(const char *path, int *fd_ret, struct gb_error *err);
