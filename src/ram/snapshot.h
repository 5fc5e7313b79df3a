// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A copy of guest RAM at one time, readable like guest RAM.
//
// All data extents are copied into private memory, on all cores; holes stay holes and take none.
// The result is a struct gb_ram of the same layout: every reader works on it unchanged, and nothing
// in it changes. It is of one instant only when the guest was paused meanwhile.
#pragma once

#include "ram/ram.h"

// Copy ram. *snapshot is NULL, or an earlier snapshot of the same RAM file, whose memory is then
// filled again: half the time, as no memory must be found and cleared. After a failure a fresh
// *snapshot is still NULL, and one that was given holds a mixture. GB_EGONE, GB_ENOMEM; GB_EUSAGE
// when *snapshot is of something else.
int gb_ram_snapshot(struct gb_ram *ram, struct gb_ram **snapshot, struct gb_error *err);
