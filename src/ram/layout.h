// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Guest-physical layout: which bytes of the RAM file appear where in guest-physical space.
//
// A GPA is not an offset into the RAM file: the machine moves the upper part of its RAM above the
// PCI hole (q35: what is over 2 GiB goes to 4 GiB as soon as RAM exceeds 2.75 GiB). The layout
// comes from QEMU (`info mtree -f`), never from a guess; a raw image without one is identity.
#pragma once

#include "base/addr.h"
#include "base/error.h"
#include "base/json.h"

#include <stddef.h>

#define GB_LAYOUT_MAX 32

struct gb_segment {
	gb_gpa gpa;      // page aligned
	uint64_t size;   // bytes, a multiple of the page size
	uint64_t offset; // of its first byte in the RAM file
};

// Segments by ascending GPA, without overlap in GPA or offset.
struct gb_layout {
	struct gb_segment segments[GB_LAYOUT_MAX];
	size_t count;
};

// One segment: GPA == offset.
void gb_layout_identity(uint64_t size, struct gb_layout *ret);
// Insert in order. GB_ERANGE when misaligned, empty, overlapping or one too many.
int gb_layout_add(struct gb_layout *l, struct gb_segment segment, struct gb_error *err);
// The segment that holds a GPA, or NULL.
const struct gb_segment *gb_layout_find(const struct gb_layout *l, gb_gpa gpa);
uint64_t gb_layout_size(const struct gb_layout *l); // bytes of RAM
gb_gpa gb_layout_end(const struct gb_layout *l);    // one past the highest byte

// The packed frame index numbers the frames of all segments 0..n-1 in GPA order, without the hole:
// what the cube is folded from. Both return false for what is no RAM.
bool gb_layout_index_of(const struct gb_layout *l, gb_pfn pfn, uint64_t *index_ret);
bool gb_layout_pfn_of(const struct gb_layout *l, uint64_t index, gb_pfn *pfn_ret);

// Neighbouring frames, by packed index; offset: of the first one from the start of the range asked
// for.
struct gb_frame_run {
	uint64_t first, count, offset;
};
// The RAM in [gpa, gpa + size), page aligned, size not 0: one run a segment. Returns how many. A
// page-table entry may claim 1 GiB of which little or nothing is RAM.
size_t gb_layout_runs(const struct gb_layout *l, gb_gpa gpa, uint64_t size,
		      struct gb_frame_run ret[GB_LAYOUT_MAX]);

// The value of a JSON key: [{"gpa","size","offset"}, ...], all as "0x...".
void gb_layout_json(struct gb_json *j, const struct gb_layout *l);
