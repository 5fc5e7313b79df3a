// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A growable byte buffer. Running out of host memory is remembered, not returned by every call:
// after building, test gb_buf_failed() once; a failed buffer ignores further appends.
#pragma once

#include "base/error.h"

#include <stddef.h>

struct gb_buf {
	char *data; // NUL-terminated whenever not NULL; the NUL is not counted in len
	size_t len;
	size_t cap;
	bool failed;
};

void gb_buf_deinit(struct gb_buf *b); // zeroes it; usable with GB_CLEANUP
void gb_buf_clear(struct gb_buf *b);  // keeps the memory
void gb_buf_add(struct gb_buf *b, const void *data, size_t len);
void gb_buf_add_str(struct gb_buf *b, const char *s);
void gb_buf_printf(struct gb_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Room for len more bytes, uninitialised, counted at once; NULL when memory ran out.
void *gb_buf_extend(struct gb_buf *b, size_t len);

static inline bool gb_buf_failed(const struct gb_buf *b)
{
	return b->failed;
}
