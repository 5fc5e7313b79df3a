// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// UTF-8, and guest text made safe for a terminal.
#pragma once

#include "base/buf.h"

// Length (1..4) of the valid UTF-8 sequence at s, or 0 if there is none in len bytes. Overlong
// forms, surrogates and values past U+10FFFF are invalid (RFC 3629).
size_t gb_utf8_length(const char *s, size_t len);
// The code point of a sequence that gb_utf8_length() accepted.
uint32_t gb_utf8_decode(const char *s, size_t n);

// Append foreign text so that it cannot move a cursor, ring a bell or reorder what stands around it:
// control characters, DEL, C1, bidi controls, line and paragraph separators, what takes no place (zero-width
// marks, soft hyphens, variation selectors), private use and invalid bytes come out as \xNN or
// \u{NNNN}; a backslash is doubled.
void gb_escape(struct gb_buf *out, const char *s, size_t len);
// True if gb_escape() would write the code point as it is.
bool gb_codepoint_is_plain(uint32_t c);
