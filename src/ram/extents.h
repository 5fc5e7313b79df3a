// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Which pages of a sparse file hold data. Internal to src/ram.
//
// A hole of a tmpfs file reads as zeros, but touching it through a map, even a read-only one,
// allocates a page: an observer that does so grows the memory of the host. So a page is read
// through the map only when its bit is set here; else it is read with pread(), which allocates
// nothing.
//
// A missing bit costs time, never truth. A bit that is still set although the guest gave the page
// back (balloon, free page reporting) since the last refresh costs one page of host memory when
// somebody reads just there; every visit, scan and snapshot refreshes before it touches.
//
// How the bits are found: SEEK_DATA and SEEK_HOLE say it of any file, but walk the page cache at 50
// ns a page. mincore() says the same of pages that our own page tables already map at 2 ns a page,
// and can be asked of a part: used on tmpfs where the kernel lets us (it answers "all present" to
// one who may not write the file; the page behind the end of the file tells which). What mincore()
// denies may still be swapped out, so SEEK_DATA has the last word on those pages.
#pragma once

#include "base/error.h"

#include <stdatomic.h>

struct gb_map;

struct gb_extents {
	_Atomic(uint64_t) *bits; // one a page of the file
	uint64_t pages;
	bool by_mincore;
	atomic_bool warm; // our page tables map what there is: somebody has gone through all of it
};

int gb_extents_init(struct gb_extents *e, uint64_t pages, struct gb_error *err);
void gb_extents_deinit(struct gb_extents *e);
// Find out, once and before the first refresh, how this file and map are asked.
void gb_extents_probe(struct gb_extents *e, int fd, const struct gb_map *map);
// Ask again about pages [from, to). GB_EOS; GB_EGONE when the file became shorter than `to`.
int gb_extents_refresh(struct gb_extents *e, int fd, const struct gb_map *map, uint64_t from,
		       uint64_t to, struct gb_error *err);
// How many pages from `from`, up to `to`, are alike; *data_ret says whether they hold data.
uint64_t gb_extents_run(const struct gb_extents *e, uint64_t from, uint64_t to, bool *data_ret);
void gb_extents_set(struct gb_extents *e, uint64_t from, uint64_t to, bool data);

static inline bool gb_extents_has(const struct gb_extents *e, uint64_t page)
{
	return atomic_load_explicit(&e->bits[page / 64], memory_order_relaxed) >> page % 64 & 1;
}
