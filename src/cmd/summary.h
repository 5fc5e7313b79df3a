// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The one-screen summary of a guest that has come up: kernel, processes, memory by owner.
#pragma once

#include "kernel/frames.h"

#include <stdio.h>

// Print what is understood of the guest in ram. A guest that is not understood is said in one line
// with its reason and is no error; GB_EGONE and other failures of reading are.
int gb_summary_print(FILE *out, struct gb_ram *ram, struct gb_error *err);
