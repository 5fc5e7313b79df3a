// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A bounds-checked cursor over foreign bytes (files, sockets, copies out of guest RAM).
//
// Every read checks what is left and fails with the cursor's name and position. After a failure
// the cursor stays where it was. The bytes belong to the caller and must not change meanwhile:
// copy out of guest RAM first.
#pragma once

#include "base/error.h"

#include <stddef.h>

struct gb_cursor {
	const uint8_t *data;
	size_t size;
	size_t pos;
	const char *name; // what the bytes are, for messages: "BTF type section"
};

static inline struct gb_cursor gb_cursor_init(const void *data, size_t size, const char *name)
{
	return (struct gb_cursor){.data = data, .size = size, .name = name};
}

static inline size_t gb_cursor_left(const struct gb_cursor *c)
{
	return c->size - c->pos;
}

int gb_cursor_seek(struct gb_cursor *c, size_t pos, struct gb_error *err);
int gb_cursor_skip(struct gb_cursor *c, size_t n, struct gb_error *err);
// Copy n bytes out.
int gb_cursor_read(struct gb_cursor *c, void *ret, size_t n, struct gb_error *err);
// Borrow n bytes in place.
int gb_cursor_span(struct gb_cursor *c, size_t n, const uint8_t **ret, struct gb_error *err);
// Little-endian numbers.
int gb_cursor_u8(struct gb_cursor *c, uint8_t *ret, struct gb_error *err);
int gb_cursor_u16(struct gb_cursor *c, uint16_t *ret, struct gb_error *err);
int gb_cursor_u32(struct gb_cursor *c, uint32_t *ret, struct gb_error *err);
int gb_cursor_u64(struct gb_cursor *c, uint64_t *ret, struct gb_error *err);
// A NUL-terminated string that ends inside the bytes; *len_ret (may be NULL) without the NUL.
int gb_cursor_string(struct gb_cursor *c, const char **ret, size_t *len_ret, struct gb_error *err);
