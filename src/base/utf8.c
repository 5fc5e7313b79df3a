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

// What is not plain: Unicode's categories Cc, Cf, Co, Zl and Zp, and Default_Ignorable_Code_Point, which is what
// web/text.js takes out of the page; tests/cli/escape.sh compares the two. Of Unicode 17.
static const struct {
	uint32_t first, last;
} hidden[] = {
	{0x0, 0x1f},        {0x7f, 0x9f},         {0xad, 0xad},       {0x34f, 0x34f},
	{0x600, 0x605},     {0x61c, 0x61c},       {0x6dd, 0x6dd},     {0x70f, 0x70f},
	{0x890, 0x891},     {0x8e2, 0x8e2},       {0x115f, 0x1160},   {0x17b4, 0x17b5},
	{0x180b, 0x180f},   {0x200b, 0x200f},     {0x2028, 0x202e},   {0x2060, 0x206f},
	{0x3164, 0x3164},   {0xe000, 0xf8ff},     {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
	{0xffa0, 0xffa0},   {0xfff0, 0xfffb},     {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
	{0x13430, 0x1343f}, {0x1bca0, 0x1bca3},   {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	{0xf0000, 0xffffd}, {0x100000, 0x10fffd},
};

bool gb_codepoint_is_plain(uint32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && hidden[i].first <= c; i++)
		if (c <= hidden[i].last)
			return false;
	return true;
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
