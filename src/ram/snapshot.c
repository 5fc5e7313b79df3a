// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A copy of guest RAM at one time.
#include "ram/snapshot.h"

#include "base/parallel.h"
#include "ram/pieces.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct copy {
	struct gb_ram *from, *to;
};

static int copy_pages(struct copy *c, uint64_t from, uint64_t to)
{
	uint64_t at = from << GB_PAGE_SHIFT;
	size_t len = (to - from) << GB_PAGE_SHIFT;
	char *target = (char *)(uintptr_t)c->to->map.base + at;

	if (len == GB_PIECE_PAGES << GB_PAGE_SHIFT)
		madvise(target, len, MADV_HUGEPAGE);
	return gb_ram_read_file(c->from, at, target, len, NULL);
}

static int copy_piece(void *arg, unsigned worker, uint64_t number)
{
	struct copy *c = arg;
	struct gb_piece p = gb_piece_at(c->from, number);
	int r = 0;

	(void)worker;
	for (uint64_t at = p.from; at < p.to && r == 0;) {
		bool data;
		uint64_t n = gb_extents_run(&c->from->extents, at, p.to, &data);

		gb_extents_set(&c->to->extents, at, at + n, data);
		if (data)
			r = copy_pages(c, at, at + n);
		at += n;
	}
	return r;
}

static int make(const struct gb_ram *ram, struct gb_ram **ret, struct gb_error *err)
{
	struct gb_ram *made = calloc(1, sizeof(*made));
	int r;

	if (!made)
		return gb_fail(err, GB_ENOMEM, "no memory for a snapshot");
	made->fd = -1;
	made->file_size = ram->file_size;
	made->layout = ram->layout;
	r = gb_extents_init(&made->extents, ram->extents.pages, err);
	if (r == 0)
		gb_map_private(ram->extents.pages << GB_PAGE_SHIFT, &made->map);
	if (r == 0 && !made->map.base)
		r = gb_fail(err, GB_ENOMEM, "no memory for a snapshot of %llu MiB",
			    (unsigned long long)(ram->file_size >> 20));
	if (r != 0)
		gb_ram_close(made);
	else
		*ret = made;
	return r;
}

static bool is_like(const struct gb_ram *snapshot, const struct gb_ram *ram)
{
	return snapshot->fd < 0 && snapshot->extents.pages == ram->extents.pages &&
	       snapshot->layout.count == ram->layout.count &&
	       memcmp(snapshot->layout.segments, ram->layout.segments,
		      ram->layout.count * sizeof(ram->layout.segments[0])) == 0;
}

int gb_ram_snapshot(struct gb_ram *ram, struct gb_ram **snapshot, struct gb_error *err)
{
	struct gb_ram *to = *snapshot;
	struct copy copy = {.from = ram};
	int r = 0;

	if (to && (to == ram || !is_like(to, ram)))
		return gb_fail(err, GB_EUSAGE, "this is no snapshot of the same RAM");
	if (!to)
		r = make(ram, &to, err);
	if (r == 0)
		r = gb_pieces_refresh(ram, err);
	copy.to = to;
	if (r == 0 && gb_parallel(gb_pieces(ram), copy_piece, &copy) != 0)
		r = gb_fail(err, GB_EGONE, "the RAM file went away while it was copied");
	if (r == 0)
		atomic_store(&ram->extents.warm, true);
	if (r == 0)
		*snapshot = to;
	else if (!*snapshot)
		gb_ram_close(to);
	return r;
}
