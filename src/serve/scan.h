// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What every frame held when it was last looked at, as a 64-bit hash: the base of "what changed?".
//
// A frame that was never looked at counts as all zero, which is what a follower's picture starts
// from. Hashes are seeded at random, so that a guest cannot prepare two frames that look alike.
#pragma once

#include "ram/ram.h"

struct gb_scan {
	uint64_t frames;
	uint64_t *hashes; // by packed index
	uint64_t seed, zero; // hash of a page of zeros
};

int gb_scan_init(struct gb_scan *s, uint64_t frames, struct gb_error *err);
void gb_scan_deinit(struct gb_scan *s);
uint64_t gb_scan_hash(const struct gb_scan *s, const void *page);

// Look at all of RAM and call changed() for each run of up to GB_SCAN_RUN frames from first, in
// ascending order, with their new hashes; those equal to s->hashes[] did not change. The callback
// stores them (it knows which lock guards the array). A run of holes has hashes == NULL: all zero.
#define GB_SCAN_RUN 256
typedef int gb_scan_visitor(void *arg, uint64_t first, const uint64_t *hashes, size_t count);
int gb_scan_run(const struct gb_scan *s, struct gb_ram *ram, gb_scan_visitor *visit, void *arg,
		struct gb_error *err);
