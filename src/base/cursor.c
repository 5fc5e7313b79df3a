// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A bounds-checked cursor over foreign bytes.
#include "base/cursor.h"

#include <string.h>

static int too_short(const struct gb_cursor *c, size_t n, struct gb_error *err)
{
	return gb_fail(err, GB_EFORMAT, "%s: %zu bytes wanted at offset %zu, but it ends at %zu",
		       c->name, n, c->pos, c->size);
}

int gb_cursor_seek(struct gb_cursor *c, size_t pos, struct gb_error *err)
{
	if (pos > c->size)
		return gb_fail(err, GB_EFORMAT, "%s: offset %zu is past its end at %zu", c->name,
			       pos, c->size);
	c->pos = pos;
	return 0;
}

int gb_cursor_span(struct gb_cursor *c, size_t n, const uint8_t **ret, struct gb_error *err)
{
	if (n > gb_cursor_left(c))
		return too_short(c, n, err);
	*ret = c->data + c->pos;
	c->pos += n;
	return 0;
}

int gb_cursor_skip(struct gb_cursor *c, size_t n, struct gb_error *err)
{
	const uint8_t *ignored;

	return gb_cursor_span(c, n, &ignored, err);
}

int gb_cursor_read(struct gb_cursor *c, void *ret, size_t n, struct gb_error *err)
{
	const uint8_t *p;
	int r = gb_cursor_span(c, n, &p, err);

	if (r == 0)
		memcpy(ret, p, n);
	return r;
}

int gb_cursor_u8(struct gb_cursor *c, uint8_t *ret, struct gb_error *err)
{
	return gb_cursor_read(c, ret, sizeof(*ret), err);
}

int gb_cursor_u16(struct gb_cursor *c, uint16_t *ret, struct gb_error *err)
{
	return gb_cursor_read(c, ret, sizeof(*ret), err);
}

int gb_cursor_u32(struct gb_cursor *c, uint32_t *ret, struct gb_error *err)
{
	return gb_cursor_read(c, ret, sizeof(*ret), err);
}

int gb_cursor_u64(struct gb_cursor *c, uint64_t *ret, struct gb_error *err)
{
	return gb_cursor_read(c, ret, sizeof(*ret), err);
}

int gb_cursor_string(struct gb_cursor *c, const char **ret, size_t *len_ret, struct gb_error *err)
{
	const uint8_t *start = c->data + c->pos;
	const uint8_t *nul = gb_cursor_left(c) ? memchr(start, 0, gb_cursor_left(c)) : NULL;

	if (!nul)
		return gb_fail(err, GB_EFORMAT, "%s: the string at offset %zu never ends", c->name,
			       c->pos);
	*ret = (const char *)start;
	if (len_ret)
		*len_ret = (size_t)(nul - start);
	c->pos += (size_t)(nul - start) + 1;
	return 0;
}
