// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Which frames changed since the last look.
//
// A finder keeps 16 bytes a frame: a hash under a secret key (frame_hash.h says why a guest cannot
// hide a change from it). A scan reads all data once, on all cores, at the speed of memory; what
// differs is copied while it is in the cache, hashed again as copied, and can be had from the scan
// at once: what the sink got is exactly what the next scan compares with. Holes count as zeros, are
// not touched and not filled.
//
// At first every frame counts as zeros: the first scan reports all that hold anything. Somebody who
// starts from an empty picture and applies each scan is always in step.
#pragma once

#include "ram/ram.h"

struct gb_dirty; // one scan at a time; several finders may watch the same RAM

int gb_dirty_new(struct gb_ram *ram, struct gb_dirty **ret, struct gb_error *err);
void gb_dirty_free(struct gb_dirty *d); // accepts NULL
void gb_dirty_cleanup(struct gb_dirty **d);
// Forget all: the next scan is like the first one.
void gb_dirty_reset(struct gb_dirty *d);

// Scan on at most n cores, the caller's among them (all, if never called). Beside a running guest,
// leave the cores to its virtual CPUs: one core often reads as fast as the memory gives.
void gb_dirty_set_cores(struct gb_dirty *d, unsigned n);

// Called for each changed frame that is not all zeros, in no order, by one thread at a time (not
// always the same one). bytes is a private copy of the frame, valid until the callback returns.
typedef void gb_dirty_sink(void *arg, uint64_t index, const uint8_t bytes[GB_PAGE_SIZE]);

struct gb_dirty_result {
	const uint64_t *changed; // bit per packed frame index: new content, not all zeros
	const uint64_t *zeroed;  // became all zeros (or a hole)
	uint64_t frames;         // bits in each, also gb_ram_frames()
	uint64_t changed_count, zeroed_count;
	uint64_t data_frames; // that hold data now, were read and compared
	uint64_t torn;        // changed while they were copied: will be dirty again
	uint64_t duration_ns;
};
// Compare all of RAM with what it was at the last scan. sink may be NULL. The bitmaps belong to the
// finder and are valid until its next scan. GB_EGONE: the file shrank; reset or free the finder
// then.
int gb_dirty_scan(struct gb_dirty *d, gb_dirty_sink *sink, void *arg, struct gb_dirty_result *ret,
		  struct gb_error *err);

// Are these the bytes that the last scan saw in the frame? The one call that may be made while another
// thread scans: a frame that is looked at just then may or may not match.
bool gb_dirty_matches(const struct gb_dirty *d, uint64_t index, const uint8_t bytes[GB_PAGE_SIZE]);

// The first set bit at or after `from`, or count: for (i = 0; (i = next(b, n, i)) < n; i++)
uint64_t gb_bitmap_next(const uint64_t *bitmap, uint64_t count, uint64_t from);
