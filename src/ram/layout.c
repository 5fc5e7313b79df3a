// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Guest-physical layout.
#include "ram/layout.h"

#include <string.h>

void gb_layout_identity(uint64_t size, struct gb_layout *ret)
{
	*ret = (struct gb_layout){.segments = {{.size = size & ~(GB_PAGE_SIZE - 1)}}, .count = 1};
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static int check_segment(const struct gb_segment *s, struct gb_error *err)
{
	if (s->size == 0 || (s->size | s->gpa.v | s->offset) % GB_PAGE_SIZE)
		return gb_fail_at(err, GB_ERANGE, s->gpa.v, "a RAM segment must be whole pages");
	if (s->gpa.v >> 52 || s->size >> 52 || s->offset >> 52)
		return gb_fail_at(err, GB_ERANGE, s->gpa.v, "a RAM segment is beyond 52 bits");
	return 0;
}

int gb_layout_add(struct gb_layout *l, struct gb_segment segment, struct gb_error *err)
{
	size_t at = 0;
	int r = check_segment(&segment, err);

	if (r != 0)
		return r;
	if (l->count == GB_LAYOUT_MAX)
		return gb_fail(err, GB_ERANGE, "more than %d RAM segments", GB_LAYOUT_MAX);
	for (size_t i = 0; i < l->count; i++) {
		const struct gb_segment *s = &l->segments[i];

		if (overlaps(s->gpa.v, s->size, segment.gpa.v, segment.size) ||
		    overlaps(s->offset, s->size, segment.offset, segment.size))
			return gb_fail_at(err, GB_ERANGE, segment.gpa.v, "RAM segments overlap");
		at += s->gpa.v < segment.gpa.v;
	}
	memmove(&l->segments[at + 1], &l->segments[at], (l->count - at) * sizeof(segment));
	l->segments[at] = segment;
	l->count++;
	return 0;
}

const struct gb_segment *gb_layout_find(const struct gb_layout *l, gb_gpa gpa)
{
	for (size_t i = 0; i < l->count; i++)
		if (gpa.v - l->segments[i].gpa.v < l->segments[i].size)
			return &l->segments[i];
	return NULL;
}

uint64_t gb_layout_size(const struct gb_layout *l)
{
	uint64_t size = 0;

	for (size_t i = 0; i < l->count; i++)
		size += l->segments[i].size;
	return size;
}

gb_gpa gb_layout_end(const struct gb_layout *l)
{
	const struct gb_segment *last = &l->segments[l->count - 1];

	return l->count ? (gb_gpa){last->gpa.v + last->size} : (gb_gpa){0};
}

bool gb_layout_index_of(const struct gb_layout *l, gb_pfn pfn, uint64_t *index_ret)
{
	uint64_t before = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct gb_segment *s = &l->segments[i];
		uint64_t in = pfn.v - gb_gpa_pfn(s->gpa).v;

		if (in < s->size >> GB_PAGE_SHIFT)
			return *index_ret = before + in, true;
		before += s->size >> GB_PAGE_SHIFT;
	}
	return false;
}

bool gb_layout_pfn_of(const struct gb_layout *l, uint64_t index, gb_pfn *pfn_ret)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct gb_segment *s = &l->segments[i];
		uint64_t n = s->size >> GB_PAGE_SHIFT;

		if (index < n)
			return pfn_ret->v = gb_gpa_pfn(s->gpa).v + index, true;
		index -= n;
	}
	return false;
}

size_t gb_layout_runs(const struct gb_layout *l, gb_gpa gpa, uint64_t size,
		      struct gb_frame_run ret[GB_LAYOUT_MAX])
{
	uint64_t last = gpa.v + (size - 1), before = 0;
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct gb_segment *s = &l->segments[i];
		uint64_t end = s->gpa.v + (s->size - 1);
		uint64_t from = gpa.v > s->gpa.v ? gpa.v : s->gpa.v, to = last < end ? last : end;

		if (from <= to)
			ret[n++] = (struct gb_frame_run){
				.first = before + ((from - s->gpa.v) >> GB_PAGE_SHIFT),
				.count = ((to - from) >> GB_PAGE_SHIFT) + 1,
				.offset = from - gpa.v,
			};
		before += s->size >> GB_PAGE_SHIFT;
	}
	return n;
}

void gb_layout_json(struct gb_json *j, const struct gb_layout *l)
{
	gb_json_array(j);
	for (size_t i = 0; i < l->count; i++) {
		gb_json_object(j);
		gb_json_pair(j, "gpa", hex, l->segments[i].gpa.v);
		gb_json_pair(j, "size", hex, l->segments[i].size);
		gb_json_pair(j, "offset", hex, l->segments[i].offset);
		gb_json_end_object(j);
	}
	gb_json_end_array(j);
}
