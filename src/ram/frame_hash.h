// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A keyed hash of one 4 KiB frame, as fast as memory can be read. Internal to src/ram.
//
// NH of UMAC (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC: Fast and Secure Message
// Authentication", CRYPTO 1999, section 4): the frame is 512 words of 64 bits, each half is added
// to a half of a random key, and the products of the halves are summed:
//
//	h = sum over i of (lo(m_i) + lo(k_i) mod 2^32) * (hi(m_i) + hi(k_i) mod 2^32)   mod 2^64
//
// Two different frames have the same h for at most one in 2^32 keys, whoever chose the frames. Done
// twice with the key moved on (their Toeplitz construction; they move by two words, but any number
// will do, and eight keep the key's loads aligned): one in 2^64. The key is
// made anew for each finder and never leaves the process: the guest cannot hide a change from us,
// as it could from a hash without a key.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GB_FRAME_WORDS 512u
#define GB_FRAME_KEY_SHIFT 8u // a cache line
#define GB_FRAME_KEY_WORDS (GB_FRAME_WORDS + GB_FRAME_KEY_SHIFT)

struct gb_frame_key {
	_Alignas(64) uint64_t words[GB_FRAME_KEY_WORDS];
};

struct gb_frame_hash {
	uint64_t h[2];
};

typedef struct gb_frame_hash gb_frame_hash_fn(const struct gb_frame_key *key, const uint8_t *frame);

// From slow to fast; the first is plain C and the reference of the others.
struct gb_frame_hash_kind {
	const char *name;
	bool (*runs_here)(void);
	gb_frame_hash_fn *fn;
};
extern const struct gb_frame_hash_kind gb_frame_hash_kinds[];
extern const size_t gb_frame_hash_kinds_count;
// The last one that runs on this CPU.
const struct gb_frame_hash_kind *gb_frame_hash_best(void);

static inline bool gb_frame_hash_equal(struct gb_frame_hash a, struct gb_frame_hash b)
{
	return ((a.h[0] ^ b.h[0]) | (a.h[1] ^ b.h[1])) == 0;
}
