// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Looks for the two landmarks of a Linux kernel in a span of bytes, as fast as memory allows.
//
// - the header of BTF: u32 0x0001eb9f on a multiple of 4;
// - the digits in the token table of kallsyms: "0\0" "1\0" ... "9\0" at any byte. Every character
//   that symbol names use is a token of its own, and tokens lie in the order of their codes.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum gb_scan_mark { GB_SCAN_BTF, GB_SCAN_DIGITS };

#define GB_SCAN_DIGITS_LEN 20
extern const uint8_t gb_scan_digits[GB_SCAN_DIGITS_LEN];

// A hit at bytes + offset. Non-zero stops the scan and is returned.
typedef int gb_scan_hit(void *arg, enum gb_scan_mark mark, size_t offset);
// bytes is a multiple of 4 in guest memory. Digits that begin in the span but end behind it are a
// hit when the part inside agrees: the caller looks again.
int gb_scan(const uint8_t *bytes, size_t len, gb_scan_hit *hit, void *arg);
// The same, byte by byte: what gb_scan() is tested against.
int gb_scan_plain(const uint8_t *bytes, size_t len, gb_scan_hit *hit, void *arg);
