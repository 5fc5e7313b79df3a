// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Who maps a frame, and which frames a process maps: from the page tables at the time of asking.
#pragma once

#include "serve/census.h"

// The JSON object of api/frame/INDEX. index must be in range. GB_EGONE when the RAM went away.
int gb_mapping_frame(const struct gb_census *c, struct gb_ram *ram, uint64_t index,
		     struct gb_buf *out, struct gb_error *err);
// The JSON object of api/process/PID/frames: {pid, runs:[[first,count],...]}, ascending.
int gb_mapping_process(const struct gb_census *c, struct gb_ram *ram, const struct gb_process *p,
		       struct gb_buf *out, struct gb_error *err);
