// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A growable byte buffer.
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gb_buf_deinit(struct gb_buf *b)
{
	free(b->data);
	*b = (struct gb_buf){};
}

void gb_buf_clear(struct gb_buf *b)
{
	b->len = 0;
	b->failed = false;
}

static bool reserve(struct gb_buf *b, size_t more)
{
	size_t want, cap = b->cap ? b->cap : 256;
	char *data;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->len, more, &want) ||
	    __builtin_add_overflow(want, (size_t)1, &want) || want > SIZE_MAX / 2)
		return b->failed = true, false;
	if (want <= b->cap)
		return true;
	while (cap < want)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data)
		return b->failed = true, false;
	b->data = data;
	b->cap = cap;
	return true;
}

void *gb_buf_extend(struct gb_buf *b, size_t len)
{
	char *at;

	if (!reserve(b, len))
		return NULL;
	at = b->data + b->len;
	b->len += len;
	b->data[b->len] = 0;
	return at;
}

void gb_buf_add(struct gb_buf *b, const void *data, size_t len)
{
	void *at = gb_buf_extend(b, len);

	if (at && len)
		memcpy(at, data, len);
}

void gb_buf_add_str(struct gb_buf *b, const char *s)
{
	gb_buf_add(b, s, strlen(s));
}

void gb_buf_printf(struct gb_buf *b, const char *format, ...)
{
	va_list args;
	int need;

	va_start(args, format);
	need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need < 0 || !reserve(b, (size_t)need))
		return;
	va_start(args, format);
	vsnprintf(b->data + b->len, (size_t)need + 1, format, args);
	va_end(args);
	b->len += (size_t)need;
}
