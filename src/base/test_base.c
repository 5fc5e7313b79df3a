// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the base: errors, cursor, buffer, arena, JSON, text.
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "tests/tap.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>

static void error_is_filled_by_the_leaf_and_prefixed(void)
{
	struct gb_error err = {};

	CHECK_EQ(gb_fail_at(&err, GB_EFAULT, 0x1000, "page %d is absent", 7), GB_EFAULT);
	CHECK_STR(err.message, "page 7 is absent at 0x1000");
	gb_error_prefix(&err, "task %d", 3);
	CHECK_STR(err.message, "task 3: page 7 is absent at 0x1000");
	CHECK_EQ(err.code, GB_EFAULT);
	errno = ENOENT;
	CHECK_EQ(gb_fail_os(&err, "open"), GB_EOS);
	CHECK_EQ(err.os_errno, ENOENT);
	CHECK_EQ(gb_fail(NULL, GB_EBUG, "nobody listens"), GB_EBUG);
	gb_error_prefix(NULL, "nobody listens");
}

static void every_code_has_a_name_and_an_exit(void)
{
	for (int code = GB_EBUG; code <= 0; code++) {
		CHECK(strcmp(gb_code_name(code), "unknown") != 0);
		CHECK((gb_code_exit(code) == 0) == (code == 0));
	}
	CHECK_EQ(gb_code_exit(GB_EUNKNOWN), 4);
	CHECK_EQ(gb_code_exit(GB_ETIMEOUT), 124);
}

static void cursor_never_passes_the_end(void)
{
	static const uint8_t bytes[] = {1, 2, 0, 3, 0, 0, 0, 'a', 'b', 0, 'c'};
	struct gb_cursor c = gb_cursor_init(bytes, sizeof(bytes), "test");
	struct gb_error err = {};
	const char *s = NULL;
	size_t len = 0;
	uint8_t u8 = 0;
	uint16_t u16 = 0;
	uint32_t u32 = 0;
	uint64_t u64 = 77;

	CHECK_OK(gb_cursor_u8(&c, &u8, &err), err);
	CHECK_OK(gb_cursor_u16(&c, &u16, &err), err);
	CHECK_OK(gb_cursor_u32(&c, &u32, &err), err);
	CHECK_EQ(u8 + u16 + u32, 1 + 2 + 3);
	CHECK_EQ(gb_cursor_u64(&c, &u64, &err), GB_EFORMAT);
	CHECK_EQ(u64, 77);
	CHECK_STR(err.message, "test: 8 bytes wanted at offset 7, but it ends at 11");
	CHECK_OK(gb_cursor_string(&c, &s, &len, &err), err);
	CHECK_STR(s, "ab");
	CHECK_EQ(len, 2);
	CHECK_EQ(gb_cursor_string(&c, &s, NULL, &err), GB_EFORMAT);
	CHECK_EQ(gb_cursor_seek(&c, 12, &err), GB_EFORMAT);
	CHECK_EQ(gb_cursor_skip(&c, SIZE_MAX, &err), GB_EFORMAT);
	CHECK_EQ(c.pos, 10);
}

static void buffer_grows_and_stays_terminated(void)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};

	for (int i = 0; i < 1000; i++)
		gb_buf_printf(&b, "%d,", i);
	CHECK_EQ(strlen(b.data), b.len);
	CHECK_EQ(b.len, 3890);
	CHECK(!gb_buf_extend(&b, SIZE_MAX - 10));
	CHECK(gb_buf_failed(&b));
	CHECK_EQ(b.len, 3890);
}

static void arena_zeroes_aligns_and_keeps_its_limit(void)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena a = {.limit = 1 << 20};

	for (size_t size = 0; size < 5000; size += 37) {
		unsigned char *p = gb_arena_alloc(&a, size);

		REQUIRE(p);
		CHECK_EQ((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			CHECK_EQ(p[i], 0);
		memset(p, 0xff, size);
	}
	CHECK(!gb_arena_alloc(&a, 1 << 20));
	CHECK(!gb_arena_array(&a, SIZE_MAX / 2, 4));
	gb_arena_reset(&a);
	CHECK_STR(gb_arena_strndup(&a, "hello", 4), "hell");
}

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

static void escape_disarms_terminals_and_bidi(void)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"plain \xc3\xa9", "plain \xc3\xa9"},
		{"\x1b[31m", "\\x1b[31m"},
		{"a\\b", "a\\\\b"},
		{"\xe2\x80\xae"
		 "gpj",
		 "\\u{202e}gpj"},
		{"\xc2\x9b", "\\u{9b}"},
		{"a\xe2\x80\x8b"
		 "b\xc2\xad"
		 "c\xef\xbb\xbf",
		 "a\\u{200b}b\\u{ad}c\\u{feff}"},
		{"\xe2\x80\x90 \xe4\xb8\xad \xf0\x9f\x90\xa7",
		 "\xe2\x80\x90 \xe4\xb8\xad \xf0\x9f\x90\xa7"},
		{"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};

		gb_escape(&b, cases[i].in, strlen(cases[i].in));
		CHECK_STR(b.data, cases[i].want);
	}
}

static void files_are_written_whole_and_read_with_a_limit(void)
{
	char dir[] = "/tmp/gb-test-XXXXXX", path[64], deep[64];
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};
	struct gb_error err = {};

	REQUIRE(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	snprintf(deep, sizeof(deep), "%s/a/b", dir);
	CHECK_OK(gb_file_write(path, "12345", 5, 0600, &err), err);
	CHECK_EQ(gb_file_read(path, 4, &b, &err), GB_ERANGE);
	gb_buf_clear(&b);
	CHECK_OK(gb_file_read(path, 5, &b, &err), err);
	CHECK_STR(b.data, "12345");
	CHECK_EQ(gb_file_read(deep, 5, &b, &err), GB_ENOTFOUND);
	CHECK_OK(gb_mkdir_all(deep, 0700, &err), err);
	CHECK_EQ(gb_file_write(deep, "x", 1, 0600, &err), GB_EOS);
	CHECK_EQ(rmdir(deep), 0);
	snprintf(deep, sizeof(deep), "%s/a", dir);
	CHECK_EQ(rmdir(deep) | unlink(path), 0);
	CHECK_EQ(rmdir(dir), 0); // fails if a temporary file was left behind
}

static void median_and_hash(void)
{
	double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};

	CHECK(fabs(gb_median(odd, 3) - 2) < 1e-9);
	CHECK(fabs(gb_median(even, 4) - 2.5) < 1e-9);
	CHECK(gb_hash("a", 1) != gb_hash("b", 1));
	CHECK(gb_clock_ns() <= gb_clock_ns());
}

TAP_MAIN(TAP_CASE(error_is_filled_by_the_leaf_and_prefixed),
	 TAP_CASE(every_code_has_a_name_and_an_exit), TAP_CASE(cursor_never_passes_the_end),
	 TAP_CASE(buffer_grows_and_stays_terminated),
	 TAP_CASE(arena_zeroes_aligns_and_keeps_its_limit), TAP_CASE(json_puts_commas_and_escapes),
	 TAP_CASE(escape_disarms_terminals_and_bidi),
	 TAP_CASE(files_are_written_whole_and_read_with_a_limit), TAP_CASE(median_and_hash))
