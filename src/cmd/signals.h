// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// SIGINT, SIGTERM and SIGHUP as something to poll on.
#pragma once

#include "base/error.h"

// Block them (for threads started later, too); *fd_ret becomes readable when one comes. Blocked they
// stay until the process ends.
int gb_signals_open(int *fd_ret, struct gb_error *err);
// The next signal that came, or 0.
int gb_signals_take(int fd);
