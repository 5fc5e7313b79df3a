// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What the files of src/ram know about a struct gb_ram.
#pragma once

#include "ram/extents.h"
#include "ram/map.h"
#include "ram/ram.h"

struct gb_ram {
	int fd; // -1: a snapshot; what is no data in it is zeros
	uint64_t file_size;
	struct gb_map map;
	struct gb_extents extents;
	struct gb_layout layout;
};

// Where all frames of a segment begin and end in the RAM file, in pages.
static inline uint64_t gb_segment_first(const struct gb_segment *s)
{
	return s->offset >> GB_PAGE_SHIFT;
}

static inline uint64_t gb_segment_end(const struct gb_segment *s)
{
	return (s->offset + s->size) >> GB_PAGE_SHIFT;
}

// Copy bytes of the RAM file; the range lies inside a segment.
int gb_ram_read_file(struct gb_ram *ram, uint64_t offset, void *ret, size_t len,
		     struct gb_error *err);
// Make the bits of extents true for pages [from, to) of the file.
int gb_ram_refresh(struct gb_ram *ram, uint64_t from, uint64_t to, struct gb_error *err);
