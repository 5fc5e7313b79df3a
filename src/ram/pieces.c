// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Guest RAM cut into pieces for several cores.
#include "ram/pieces.h"

static uint64_t pieces_of(const struct gb_segment *s)
{
	uint64_t first = gb_segment_first(s) / GB_PIECE_PAGES;
	uint64_t end = (gb_segment_end(s) + GB_PIECE_PAGES - 1) / GB_PIECE_PAGES;

	return end - first;
}

uint64_t gb_pieces(const struct gb_ram *ram)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ram->layout.count; i++)
		n += pieces_of(&ram->layout.segments[i]);
	return n;
}

static struct gb_piece piece_of(const struct gb_segment *s, uint64_t number, uint64_t index)
{
	uint64_t first = gb_segment_first(s), end = gb_segment_end(s);
	uint64_t from = (first / GB_PIECE_PAGES + number) * GB_PIECE_PAGES;
	struct gb_piece p = {.from = from > first ? from : first, .to = from + GB_PIECE_PAGES};

	p.to = p.to < end ? p.to : end;
	p.index = index + (p.from - first);
	return p;
}

struct gb_piece gb_piece_at(const struct gb_ram *ram, uint64_t number)
{
	uint64_t index = 0;

	for (size_t i = 0; i < ram->layout.count; i++) {
		const struct gb_segment *s = &ram->layout.segments[i];

		if (number < pieces_of(s))
			return piece_of(s, number, index);
		number -= pieces_of(s);
		index += s->size >> GB_PAGE_SHIFT;
	}
	return (struct gb_piece){};
}

int gb_pieces_refresh(struct gb_ram *ram, struct gb_error *err)
{
	int r = 0;

	for (size_t i = 0; i < ram->layout.count && r == 0; i++) {
		const struct gb_segment *s = &ram->layout.segments[i];

		r = gb_ram_refresh(ram, gb_segment_first(s), gb_segment_end(s), err);
	}
	return r;
}
