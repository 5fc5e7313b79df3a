// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Whole files, read with a limit and written atomically.
#pragma once

#include "base/buf.h"

// Append the whole file to out. More than limit bytes: GB_ERANGE; absent: GB_ENOTFOUND.
int gb_file_read(const char *path, size_t limit, struct gb_buf *out, struct gb_error *err);
// Write beside the target, fsync, rename: readers see the old file or the new one, never a half.
int gb_file_write(const char *path, const void *data, size_t len, unsigned mode,
		  struct gb_error *err);
// Write all of it to an fd, through short writes and EINTR.
int gb_write_all(int fd, const void *data, size_t len, struct gb_error *err);
// mkdir -p with a mode for what is made.
int gb_mkdir_all(const char *path, unsigned mode, struct gb_error *err);
