// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// JSON out: a streaming writer into a gb_buf that puts the commas and escapes the strings.
//
// Inside an object every value is preceded by gb_json_key(). Numbers above 2^53 and all addresses
// go out as hexadecimal strings (gb_json_hex), because JavaScript and jq keep doubles. Strings are
// foreign bytes: invalid UTF-8 becomes U+FFFD, control characters are escaped.
#pragma once

#include "base/buf.h"

struct gb_json {
	struct gb_buf *out;
	unsigned depth;
	bool first; // no value yet in the current object or array
	bool keyed; // a key was written and waits for its value
};

static inline struct gb_json gb_json_init(struct gb_buf *out)
{
	return (struct gb_json){.out = out, .first = true};
}

void gb_json_object(struct gb_json *j);
void gb_json_end_object(struct gb_json *j);
void gb_json_array(struct gb_json *j);
void gb_json_end_array(struct gb_json *j);
void gb_json_key(struct gb_json *j, const char *key);
void gb_json_str(struct gb_json *j, const char *s); // NULL becomes null
void gb_json_strn(struct gb_json *j, const char *s, size_t len);
void gb_json_u64(struct gb_json *j, uint64_t v);
void gb_json_i64(struct gb_json *j, int64_t v);
void gb_json_hex(struct gb_json *j, uint64_t v);  // "0x1f"
void gb_json_double(struct gb_json *j, double v); // 6 significant digits; not finite: null
void gb_json_bool(struct gb_json *j, bool v);
void gb_json_null(struct gb_json *j);

// key + value in one line, for objects
#define gb_json_pair(j, key, kind, ...) (gb_json_key((j), (key)), gb_json_##kind((j), __VA_ARGS__))
