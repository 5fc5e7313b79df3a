// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Running a function on a stack of normal size: civetweb's threads have 100 KiB (Debian's build), which
// parsers and page walks of a hostile guest must not depend on.
#pragma once

#include "base/error.h"

// Run fn(arg) in a thread of its own and wait for its end. GB_EOS when there is no thread to be had;
// fn was not called then.
int gb_roomy_run(void (*fn)(void *arg), void *arg, struct gb_error *err);
