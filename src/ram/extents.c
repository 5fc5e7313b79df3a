// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Which pages of a sparse file hold data.
#include "ram/extents.h"

#include "base/addr.h"
#include "ram/map.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

int gb_extents_init(struct gb_extents *e, uint64_t pages, struct gb_error *err)
{
	*e = (struct gb_extents){.bits = calloc(pages / 64 + 1, sizeof(*e->bits)), .pages = pages};
	return e->bits ? 0 : gb_fail(err, GB_ENOMEM, "no memory to note the pages of guest RAM");
}

void gb_extents_deinit(struct gb_extents *e)
{
	free(e->bits);
	*e = (struct gb_extents){};
}

void gb_extents_probe(struct gb_extents *e, int fd, const struct gb_map *map)
{
	struct statfs fs;
	unsigned char behind_the_end = 1;

	if (!map->base || fstatfs(fd, &fs) != 0 || fs.f_type != TMPFS_MAGIC)
		return;
	e->by_mincore = mincore((char *)(uintptr_t)map->base + map->size - GB_PAGE_SIZE,
				GB_PAGE_SIZE, &behind_the_end) == 0 &&
			!(behind_the_end & 1);
}

static void set_in_word(struct gb_extents *e, uint64_t word, uint64_t mask, bool data)
{
	if (data)
		atomic_fetch_or_explicit(&e->bits[word], mask, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&e->bits[word], ~mask, memory_order_relaxed);
}

void gb_extents_set(struct gb_extents *e, uint64_t from, uint64_t to, bool data)
{
	while (from < to) {
		uint64_t n = 64 - from % 64 < to - from ? 64 - from % 64 : to - from;
		uint64_t mask = (n == 64 ? UINT64_MAX : ((uint64_t)1 << n) - 1) << from % 64;

		set_in_word(e, from / 64, mask, data);
		from += n;
	}
}

uint64_t gb_extents_run(const struct gb_extents *e, uint64_t from, uint64_t to, bool *data_ret)
{
	bool data = gb_extents_has(e, from);
	uint64_t at = from;

	while (at < to) {
		uint64_t word = atomic_load_explicit(&e->bits[at / 64], memory_order_relaxed);
		uint64_t other = (data ? ~word : word) >> at % 64;

		if (other) {
			at += (uint64_t)__builtin_ctzll(other);
			break;
		}
		at += 64 - at % 64;
	}
	*data_ret = data;
	return (at < to ? at : to) - from;
}

// The first page at or after `from` that holds data, at most `to`.
static int next_data(int fd, uint64_t from, uint64_t to, uint64_t *ret, struct gb_error *err)
{
	off_t at = lseek(fd, (off_t)(from * GB_PAGE_SIZE), SEEK_DATA);

	if (at < 0 && errno != ENXIO)
		return gb_fail_os(err, "cannot ask the RAM file where it holds data");
	*ret = at < 0 || (uint64_t)at / GB_PAGE_SIZE > to ? to : (uint64_t)at / GB_PAGE_SIZE;
	return 0;
}

static int refresh_by_seek(struct gb_extents *e, int fd, uint64_t from, uint64_t to,
			   struct gb_error *err)
{
	while (from < to) {
		uint64_t data = to, end;
		off_t hole;
		int r = next_data(fd, from, to, &data, err);

		if (r != 0)
			return r;
		gb_extents_set(e, from, data, false);
		if (data == to)
			return 0;
		hole = lseek(fd, (off_t)(data * GB_PAGE_SIZE), SEEK_HOLE);
		if (hole < 0)
			return gb_fail_os(err, "cannot ask the RAM file where its holes are");
		end = ((uint64_t)hole + GB_PAGE_SIZE - 1) / GB_PAGE_SIZE;
		end = end < to ? end : to;
		gb_extents_set(e, data, end, true);
		from = end > data ? end : data + 1;
	}
	return 0;
}

// Pages that mincore() did not find: a hole, or swapped out.
static int settle_absent(struct gb_extents *e, int fd, uint64_t from, uint64_t to,
			 struct gb_error *err)
{
	while (from < to) {
		uint64_t data = to;
		int r = next_data(fd, from, to, &data, err);

		if (r != 0)
			return r;
		gb_extents_set(e, from, data, false);
		if (data < to)
			gb_extents_set(e, data, data + 1, true);
		from = data + 1;
	}
	return 0;
}

#define ASKED_AT_ONCE 4096u

static int refresh_by_mincore(struct gb_extents *e, int fd, const struct gb_map *map, uint64_t from,
			      uint64_t to, struct gb_error *err)
{
	unsigned char in[ASKED_AT_ONCE];
	uint64_t n = to - from < ASKED_AT_ONCE ? to - from : ASKED_AT_ONCE;
	int r = 0;

	if (mincore((char *)(uintptr_t)map->base + from * GB_PAGE_SIZE, n * GB_PAGE_SIZE, in) != 0)
		return gb_fail_os(err, "cannot ask which pages of guest RAM exist");
	for (uint64_t i = 0, end; i < n && r == 0; i = end) {
		for (end = i + 1; end < n && !((in[end] ^ in[i]) & 1);)
			end++;
		if (in[i] & 1)
			gb_extents_set(e, from + i, from + end, true);
		else
			r = settle_absent(e, fd, from + i, from + end, err);
	}
	return r;
}

int gb_extents_refresh(struct gb_extents *e, int fd, const struct gb_map *map, uint64_t from,
		       uint64_t to, struct gb_error *err)
{
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) != 0)
		return gb_fail_os(err, "cannot ask for the size of the RAM file");
	if ((uint64_t)st.st_size / GB_PAGE_SIZE < to)
		return gb_fail(err, GB_EGONE, "the RAM file became shorter while it was in use");
	if (!e->by_mincore || gb_map_broken(map) ||
	    (!atomic_load(&e->warm) && to - from > e->pages / 2))
		return refresh_by_seek(e, fd, from, to, err);
	for (uint64_t at = from; at < to && r == 0; at += ASKED_AT_ONCE)
		r = refresh_by_mincore(e, fd, map, at, to, err);
	return r;
}
