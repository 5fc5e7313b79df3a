// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Going to the background once the work has begun well.
//
// A child does the work, on the terminal at first: its output, its errors and its exit status are
// what the user sees. When it says that all is up, it lets go of the terminal and the parent ends.
#pragma once

#include "base/error.h"

struct gb_detach {
	int ready_fd; // -1: nothing to do
};

// Fork. In the child *parent_ret is false. In the parent it is true, when the child is up or has
// ended, and *status_ret is what to exit with; signals that came meanwhile were passed on.
int gb_detach_fork(struct gb_detach *d, bool *parent_ret, int *status_ret, struct gb_error *err);
// In the child: let the parent end with a status, and let go of the terminal. GB_ECANCELLED when the parent was
// killed while it waited. Does nothing on a gb_detach with ready_fd -1.
int gb_detach_ready(struct gb_detach *d, int status, struct gb_error *err);
