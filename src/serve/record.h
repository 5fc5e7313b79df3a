// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Records of the memory stream: the framing that docs/protocol.md describes.
//
//	u32 kind, u32 count, u64 time_ns, u64 bytes, then `bytes` of payload (a multiple of 4)
//
// All numbers are little-endian.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GB_RECORD_HEADER 24

enum gb_record_kind {
	GB_RECORD_OWNERS = 1, // u8 class[n], padding to 4, u32 owner[n]
	GB_RECORD_FRAMES = 2, // u32 index[count], count x 4096 bytes
	GB_RECORD_ZERO = 3,   // u32 index[count]
	GB_RECORD_TICK = 4,   // u32 scanned_us, dirty, torn, flags
	GB_RECORD_END = 5,    // text, padded with spaces to 4; count is its length
};

enum gb_tick_flag { GB_TICK_PAUSED = 1, GB_TICK_COMPLETE = 2 };

struct gb_record {
	uint32_t kind; // enum gb_record_kind
	uint32_t count;
	uint64_t time_ns;
	uint64_t bytes; // of payload
};

void gb_put_u32(uint8_t *out, uint32_t v);
void gb_put_u64(uint8_t *out, uint64_t v);
void gb_record_put(uint8_t out[GB_RECORD_HEADER], const struct gb_record *r);
// Payload bytes of the kinds whose size follows from the count.
uint64_t gb_record_owners_bytes(uint64_t frames);
uint64_t gb_record_frames_bytes(uint64_t count);
