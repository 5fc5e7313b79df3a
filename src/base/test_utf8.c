// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of UTF-8, and of guest text made safe for a terminal.
#include "base/cleanup.h"
#include "base/utf8.h"
#include "tests/tap.h"

// The plain twin: write a code point as RFC 3629 says.
static size_t encode(uint32_t c, char out[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
	return n;
}

static void every_code_point_and_no_other(void)
{
	for (uint32_t c = 0; c < 0x120000; c++) {
		bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		char s[4];
		size_t n = encode(c, s);

		if (gb_utf8_length(s, n) != (valid ? n : 0) ||
		    (valid && (gb_utf8_decode(s, n) != c || gb_utf8_length(s, n - 1) != 0)))
			tap_fail_("U+%x", c);
	}
}

// All pairs of bytes: what is accepted is what encoding gives, and never longer than what is there.
static void every_pair_of_bytes(void)
{
	for (unsigned v = 0; v < 0x10000; v++) {
		const char s[2] = {(char)(v >> 8), (char)v};
		size_t n = gb_utf8_length(s, 2);
		char again[4];

		CHECK(n <= 2);
		if (n && (encode(gb_utf8_decode(s, n), again) != n || memcmp(again, s, n) != 0))
			tap_fail_("%04x", v);
		CHECK_EQ(n >= 1, (v >> 8) < 0x80 || ((v >> 8) >= 0xc2 && (v >> 8) < 0xe0 &&
						     (v & 0xc0) == 0x80));
	}
}

static void longer_forms_than_needed_are_none(void)
{
	static const char *const forms[] = {"\xc0\x80",         "\xc1\xbf",
					    "\xe0\x80\x80",     "\xe0\x9f\xbf",
					    "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
					    "\xf8\x88\x80\x80"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		CHECK_EQ(gb_utf8_length(forms[i], strlen(forms[i])), 0);
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

// What has been escaped holds nothing that must be, but for the backslashes that escaping made.
static void escaped_text_is_plain(void)
{
	char text[3] = {};

	for (unsigned v = 0; v < 0x10000; v++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};

		text[0] = (char)v;
		text[1] = (char)(v >> 8);
		text[2] = '\xa0';
		gb_escape(&b, text, 3);
		for (size_t i = 0, n; i < b.len; i += n) {
			n = gb_utf8_length(b.data + i, b.len - i);
			REQUIRE(n > 0);
			CHECK(gb_codepoint_is_plain(gb_utf8_decode(b.data + i, n)));
		}
	}
}

TAP_MAIN(TAP_CASE(every_code_point_and_no_other), TAP_CASE(every_pair_of_bytes),
	 TAP_CASE(longer_forms_than_needed_are_none), TAP_CASE(escape_disarms_terminals_and_bidi),
	 TAP_CASE(escaped_text_is_plain))
