// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Guest RAM cut into pieces for several cores. Internal to src/ram.
#pragma once

#include "ram/ram_internal.h"

#define GB_PIECE_PAGES 512u // 2 MiB, a huge page where there are such

// Pages [from, to) of the RAM file, in one segment; pieces begin at multiples of 2 MiB in the file.
struct gb_piece {
	uint64_t from, to;
	uint64_t index; // packed frame index of page `from`
};

uint64_t gb_pieces(const struct gb_ram *ram);
struct gb_piece gb_piece_at(const struct gb_ram *ram, uint64_t number);
// Make the bits of extents true for all of RAM, before its pieces are worked on.
int gb_pieces_refresh(struct gb_ram *ram, struct gb_error *err);
