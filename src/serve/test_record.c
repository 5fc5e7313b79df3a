// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Records: the bytes on the wire.
#include "serve/record.h"

#include "tests/tap.h"

static void header_bytes(void)
{
	static const uint8_t want[GB_RECORD_HEADER] = {
		2, 0, 0, 0, 0x03, 0x02, 0x01, 0, 0xf8, 0xf7, 0xf6, 0xf5,
		4, 3, 2, 1, 0x0c, 0x30, 0,    0, 1,    0,    0,    0,
	};
	const struct gb_record r = {.kind = GB_RECORD_FRAMES,
				    .count = 0x010203,
				    .time_ns = 0x01020304f5f6f7f8,
				    .bytes = 0x10000300c};
	uint8_t got[GB_RECORD_HEADER];

	gb_record_put(got, &r);
	CHECK_MEM(got, want, sizeof(want));
}

// Payloads are multiples of 4, so that a reader can lay number arrays over them.
static void sizes(void)
{
	for (uint64_t n = 0; n < 9; n++) {
		CHECK_EQ(gb_record_owners_bytes(n) % 4, 0);
		CHECK(gb_record_owners_bytes(n) >= 5 * n && gb_record_owners_bytes(n) < 5 * n + 4);
	}
	CHECK_EQ(gb_record_owners_bytes(262144), 262144 * 5);
	CHECK_EQ(gb_record_frames_bytes(3), 3 * 4100);
}

TAP_MAIN(TAP_CASE(header_bytes), TAP_CASE(sizes))
