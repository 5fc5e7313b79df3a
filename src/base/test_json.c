// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of JSON out.
#include "base/cleanup.h"
#include "base/json.h"
#include "tests/tap.h"

#include <math.h>

static void json_puts_commas_and_escapes(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};
	struct gb_json j = gb_json_init(&b);

	gb_json_object(&j);
	gb_json_pair(&j, "a", u64, UINT64_MAX);
	gb_json_key(&j, "b");
	gb_json_array(&j);
	gb_json_i64(&j, -1);
	gb_json_double(&j, 0.25);
	gb_json_double(&j, (double)NAN);
	gb_json_bool(&j, true);
	gb_json_str(&j, NULL);
	gb_json_end_array(&j);
	gb_json_pair(&j, "c", str, "\"\\\n\x1b\xff\xc3\xa9");
	gb_json_pair(&j, "d", hex, 0x1f);
	gb_json_end_object(&j);
	CHECK_STR(b.data, "{\"a\":18446744073709551615,\"b\":[-1,0.25,null,true,null],"
			  "\"c\":\"\\\"\\\\\\u000a\\u001b\xef\xbf\xbd\xc3\xa9\",\"d\":\"0x1f\"}");
}

// Every byte by itself: what comes out is ASCII without controls, or U+FFFD.
static void every_byte_is_safe(void)
{
	for (unsigned c = 0; c < 256; c++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};
		struct gb_json j = gb_json_init(&b);
		const char text[1] = {(char)c};

		gb_json_strn(&j, text, 1);
		REQUIRE(b.len >= 3 && b.data[0] == '"' && b.data[b.len - 1] == '"');
		if (c < 0x20 || c == '"' || c == '\\')
			CHECK_EQ(b.data[1], '\\');
		else if (c >= 0x80)
			CHECK_STR(b.data, "\"\xef\xbf\xbd\"");
		for (size_t i = 0; i < b.len; i++)
			CHECK((unsigned char)b.data[i] >= 0x20);
	}
}

static void empty_and_nested(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};
	struct gb_json j = gb_json_init(&b);

	gb_json_array(&j);
	gb_json_object(&j);
	gb_json_end_object(&j);
	gb_json_array(&j);
	gb_json_end_array(&j);
	gb_json_object(&j);
	gb_json_key(&j, "\x1b");
	gb_json_array(&j);
	gb_json_null(&j);
	gb_json_end_array(&j);
	gb_json_pair(&j, "n", i64, INT64_MIN);
	gb_json_pair(&j, "f", double, -(double)INFINITY);
	gb_json_end_object(&j);
	gb_json_end_array(&j);
	CHECK_STR(b.data, "[{},[],{\"\\u001b\":[null],\"n\":-9223372036854775808,\"f\":null}]");
}

TAP_MAIN(TAP_CASE(json_puts_commas_and_escapes), TAP_CASE(every_byte_is_safe),
	 TAP_CASE(empty_and_nested))
