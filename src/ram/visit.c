// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Lending guest RAM to callbacks, in place.
#include "ram/ram_internal.h"

#include "base/cleanup.h"

#include <string.h>

#define CHUNK ((size_t)1 << 20)

struct visit {
	struct gb_ram *ram;
	const struct gb_segment *segment;
	gb_ram_visitor *fn;
	void *arg;
	uint8_t *chunk; // for what cannot be lent in place; NULL until needed
	struct gb_error *err;
};

static gb_gpa gpa_of(const struct visit *v, uint64_t offset)
{
	return (gb_gpa){v->segment->gpa.v + (offset - v->segment->offset)};
}

static int visit_copied(struct visit *v, uint64_t from, uint64_t to)
{
	if (!v->chunk)
		v->chunk = malloc(CHUNK);
	if (!v->chunk)
		return gb_fail(v->err, GB_ENOMEM, "no memory to look at guest RAM");
	while (from < to) {
		size_t n = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		int r = gb_ram_read_file(v->ram, from, v->chunk, n, v->err);

		if (r == 0)
			r = v->fn(v->arg, gpa_of(v, from), v->chunk, n);
		if (r != 0)
			return r;
		from += n;
	}
	return 0;
}

static int visit_span(struct visit *v, uint64_t from, uint64_t to)
{
	int r;

	if (gb_map_broken(&v->ram->map))
		return visit_copied(v, from, to);
	r = v->fn(v->arg, gpa_of(v, from), v->ram->map.base + from, to - from);
	if (gb_map_broken(&v->ram->map))
		return gb_fail(v->err, GB_EGONE, "the RAM file went away while it was looked at");
	return r;
}

// from, to: bytes of the RAM file inside the segment
static int visit_segment(struct visit *v, uint64_t from, uint64_t to)
{
	uint64_t end = (to + GB_PAGE_SIZE - 1) >> GB_PAGE_SHIFT;
	int r = gb_ram_refresh(v->ram, from >> GB_PAGE_SHIFT, end, v->err);

	while (from < to && r == 0) {
		bool data;
		uint64_t page = from >> GB_PAGE_SHIFT;
		uint64_t next = (page + gb_extents_run(&v->ram->extents, page, end, &data))
				<< GB_PAGE_SHIFT;

		next = next < to ? next : to;
		if (data)
			r = visit_span(v, from, next);
		from = next;
	}
	return r;
}

int gb_ram_visit(struct gb_ram *ram, gb_gpa gpa, uint64_t len, gb_ram_visitor *visit, void *arg,
		 struct gb_error *err)
{
	struct visit v = {.ram = ram, .fn = visit, .arg = arg, .err = err};
	uint64_t last = gpa.v + len < gpa.v ? UINT64_MAX : gpa.v + len;
	int r = 0;

	for (size_t i = 0; i < ram->layout.count && r == 0; i++) {
		const struct gb_segment *s = &ram->layout.segments[i];
		uint64_t from = gpa.v > s->gpa.v ? gpa.v - s->gpa.v : 0;
		uint64_t to = last > s->gpa.v ? last - s->gpa.v : 0;

		v.segment = s;
		to = to < s->size ? to : s->size;
		if (from < to)
			r = visit_segment(&v, s->offset + from, s->offset + to);
	}
	if (r == 0 && gpa.v == 0 && last >= gb_layout_end(&ram->layout).v)
		atomic_store(&ram->extents.warm, true);
	free(v.chunk);
	return r;
}

int gb_ram_frame(struct gb_ram *ram, gb_pfn pfn, gb_ram_visitor *visit, void *arg,
		 struct gb_error *err)
{
	gb_gpa gpa = gb_pfn_gpa(pfn);
	const struct gb_segment *s = gb_layout_find(&ram->layout, gpa);
	struct visit v = {.ram = ram, .segment = s, .fn = visit, .arg = arg, .err = err};
	uint8_t copy[GB_PAGE_SIZE];
	uint64_t offset;
	int r;

	if (!s)
		return gb_fail_at(err, GB_EFAULT, gpa.v, "there is no RAM");
	offset = s->offset + (gpa.v - s->gpa.v);
	if (gb_extents_has(&ram->extents, offset >> GB_PAGE_SHIFT) && !gb_map_broken(&ram->map))
		return visit_span(&v, offset, offset + GB_PAGE_SIZE);
	r = gb_ram_read_file(ram, offset, copy, sizeof(copy), err);
	return r != 0 ? r : visit(arg, gpa, copy, sizeof(copy));
}
