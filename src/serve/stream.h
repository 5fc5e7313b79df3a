// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// One viewer's memory stream: records as in serve/record.h, in HTTP/1.1 chunks, until the guest or
// the viewer goes.
#pragma once

#include "serve/live.h"

// Send bytes, all or none; false when the viewer is gone or too slow.
typedef bool gb_stream_write(void *arg, const void *bytes, size_t len);

// Blocks until the end. 0 when the stream ended by itself or the viewer went; else why there is none.
int gb_stream_run(struct gb_live *live, struct gb_ram *ram, gb_stream_write *write, void *arg,
		  struct gb_error *err);
