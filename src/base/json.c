// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// JSON out.
#include "base/json.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void before_value(struct gb_json *j)
{
	if (!j->keyed && !j->first)
		gb_buf_add(j->out, ",", 1);
	j->keyed = false;
	j->first = false;
}

static void open_level(struct gb_json *j, const char *bracket)
{
	before_value(j);
	gb_buf_add(j->out, bracket, 1);
	j->depth++;
	j->first = true;
}

static void close_level(struct gb_json *j, const char *bracket)
{
	gb_assert(j->depth > 0 && !j->keyed);
	gb_buf_add(j->out, bracket, 1);
	j->depth--;
	j->first = false;
}

void gb_json_object(struct gb_json *j)
{
	open_level(j, "{");
}

void gb_json_end_object(struct gb_json *j)
{
	close_level(j, "}");
}

void gb_json_array(struct gb_json *j)
{
	open_level(j, "[");
}

void gb_json_end_array(struct gb_json *j)
{
	close_level(j, "]");
}

static void quoted(struct gb_buf *out, const char *s, size_t len)
{
	gb_buf_add(out, "\"", 1);
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)s[i];
		size_t n = gb_utf8_length(s + i, len - i);

		if (n == 0) {
			gb_buf_add_str(out, "\xef\xbf\xbd");
			i++;
			continue;
		}
		if (c == '"' || c == '\\')
			gb_buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			gb_buf_printf(out, "\\u%04x", c);
		else
			gb_buf_add(out, s + i, n);
		i += n;
	}
	gb_buf_add(out, "\"", 1);
}

void gb_json_key(struct gb_json *j, const char *key)
{
	gb_assert(!j->keyed);
	before_value(j);
	quoted(j->out, key, strlen(key));
	gb_buf_add(j->out, ":", 1);
	j->keyed = true;
}

void gb_json_strn(struct gb_json *j, const char *s, size_t len)
{
	before_value(j);
	quoted(j->out, s, len);
}

void gb_json_str(struct gb_json *j, const char *s)
{
	if (s)
		gb_json_strn(j, s, strlen(s));
	else
		gb_json_null(j);
}

void gb_json_u64(struct gb_json *j, uint64_t v)
{
	before_value(j);
	gb_buf_printf(j->out, "%" PRIu64, v);
}

void gb_json_i64(struct gb_json *j, int64_t v)
{
	before_value(j);
	gb_buf_printf(j->out, "%" PRId64, v);
}

void gb_json_hex(struct gb_json *j, uint64_t v)
{
	before_value(j);
	gb_buf_printf(j->out, "\"0x%" PRIx64 "\"", v);
}

void gb_json_double(struct gb_json *j, double v)
{
	if (!isfinite(v)) {
		gb_json_null(j);
		return;
	}
	before_value(j);
	gb_buf_printf(j->out, "%.6g", v);
}

void gb_json_bool(struct gb_json *j, bool v)
{
	before_value(j);
	gb_buf_add_str(j->out, v ? "true" : "false");
}

void gb_json_null(struct gb_json *j)
{
	before_value(j);
	gb_buf_add_str(j->out, "null");
}
