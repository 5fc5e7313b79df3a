// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// UTF-8, and guest text made safe for a terminal.
#include "base/utf8.h"

uint32_t gb_utf8_decode(const char *s, size_t n)
{
	static const unsigned char lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (unsigned char)s[0] & lead_mask[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

static size_t lead_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c < 0xe0)
		return 2;
	if (c >= 0xe0 && c < 0xf0)
		return 3;
	if (c >= 0xf0 && c < 0xf5)
		return 4;
	return 0;
}

size_t gb_utf8_length(const char *s, size_t len)
{
	size_t n = len ? lead_length((unsigned char)s[0]) : 0;
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	c = gb_utf8_decode(s, n);
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

bool gb_codepoint_is_plain(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	if (c == 0x61c || c == 0x200e || c == 0x200f || c == 0x2028 || c == 0x2029 || c == 0xfeff)
		return false;
	return !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) &&
	       !(c >= 0xfff9 && c <= 0xfffb) && !(c >= 0xe0000 && c <= 0xe007f);
}

void gb_escape(struct gb_buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = gb_utf8_length(s + i, len - i);
		uint32_t c = n ? gb_utf8_decode(s + i, n) : 0;

		if (n == 0)
			gb_buf_printf(out, "\\x%02x", (unsigned char)s[i]);
		else if (c == '\\')
			gb_buf_add_str(out, "\\\\");
		else if (!gb_codepoint_is_plain(c))
			gb_buf_printf(out, c < 0x80 ? "\\x%02x" : "\\u{%x}", c);
		else
			gb_buf_add(out, s + i, n);
		i += n ? n : 1;
	}
}
