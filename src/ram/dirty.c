// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Which frames changed since the last look.
#include "ram/dirty.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "ram/frame_hash.h"
#include "ram/pieces.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct gb_dirty {
	struct gb_ram *ram;
	uint64_t frames;
	struct gb_frame_key *key;
	gb_frame_hash_fn *hash;
	struct gb_frame_hash zero;  // of a frame of zeros
	struct gb_frame_hash *seen; // by packed index
	uint64_t *changed, *zeroed; // set atomically: pieces may share a word
	size_t words;               // of each bitmap
	unsigned cores;
	pthread_mutex_t sink_lock;
};

struct counts {
	uint64_t changed, zeroed, data, torn;
};

// One scan.
struct scan {
	struct gb_dirty *d;
	gb_dirty_sink *sink;
	void *arg;
	struct counts counts[GB_PARALLEL_MAX];
};

// One worker's share of it, while on one piece.
struct look {
	struct gb_dirty *d;
	struct scan *scan;
	struct counts *counts;
	uint8_t *copy; // one frame
};

static int make_key(struct gb_dirty *d, struct gb_error *err)
{
	char *at = (char *)d->key->words;
	size_t left = sizeof(d->key->words);

	while (left) { // getrandom() may give less than asked above 256 bytes
		ssize_t n = getrandom(at, left, 0);

		if (n < 0)
			return gb_fail_os(err, "cannot get random bytes");
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

static int set_up(struct gb_dirty *d, struct gb_error *err)
{
	static const uint8_t zeros[GB_PAGE_SIZE];

	d->words = d->frames / 64 + 1;
	d->key = aligned_alloc(_Alignof(struct gb_frame_key), sizeof(*d->key));
	d->seen = calloc(d->frames, sizeof(*d->seen));
	d->changed = calloc(d->words, sizeof(*d->changed));
	d->zeroed = calloc(d->words, sizeof(*d->zeroed));
	if (!d->key || !d->seen || !d->changed || !d->zeroed)
		return gb_fail(err, GB_ENOMEM, "no memory to watch %llu frames",
			       (unsigned long long)d->frames);
	if (make_key(d, err) != 0)
		return GB_EOS;
	d->hash = gb_frame_hash_best()->fn;
	d->zero = d->hash(d->key, zeros);
	gb_dirty_reset(d);
	return 0;
}

int gb_dirty_new(struct gb_ram *ram, struct gb_dirty **ret, struct gb_error *err)
{
	struct gb_dirty *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return gb_fail(err, GB_ENOMEM, "no memory to watch guest RAM");
	pthread_mutex_init(&d->sink_lock, NULL);
	d->ram = ram;
	d->frames = gb_ram_frames(ram);
	d->cores = GB_PARALLEL_MAX;
	r = set_up(d, err);
	if (r != 0)
		gb_dirty_free(d);
	else
		*ret = d;
	return r;
}

void gb_dirty_free(struct gb_dirty *d)
{
	if (!d)
		return;
	pthread_mutex_destroy(&d->sink_lock);
	free(d->key);
	free(d->seen);
	free(d->changed);
	free(d->zeroed);
	free(d);
}

void gb_dirty_cleanup(struct gb_dirty **d)
{
	gb_dirty_free(*d);
}

void gb_dirty_reset(struct gb_dirty *d)
{
	for (uint64_t i = 0; i < d->frames; i++)
		d->seen[i] = d->zero;
}

void gb_dirty_set_cores(struct gb_dirty *d, unsigned n)
{
	d->cores = n;
}

// Word by word, because gb_dirty_matches() may look.
static void note(struct gb_dirty *d, uint64_t index, struct gb_frame_hash hash)
{
	__atomic_store_n(&d->seen[index].h[0], hash.h[0], __ATOMIC_RELAXED);
	__atomic_store_n(&d->seen[index].h[1], hash.h[1], __ATOMIC_RELAXED);
}

bool gb_dirty_matches(const struct gb_dirty *d, uint64_t index, const uint8_t bytes[GB_PAGE_SIZE])
{
	const struct gb_frame_hash seen = {
		.h = {__atomic_load_n(&d->seen[index].h[0], __ATOMIC_RELAXED),
		      __atomic_load_n(&d->seen[index].h[1], __ATOMIC_RELAXED)}};

	return gb_frame_hash_equal(seen, d->hash(d->key, bytes));
}

static void mark(uint64_t *bitmap, uint64_t index)
{
	__atomic_fetch_or(&bitmap[index / 64], (uint64_t)1 << index % 64, __ATOMIC_RELAXED);
}

static void became_zero(struct look *l, uint64_t index)
{
	note(l->d, index, l->d->zero);
	mark(l->d->zeroed, index);
	l->counts->zeroed++;
}

// l->copy holds the frame: note it and hand it over.
static void changed(struct look *l, uint64_t index, struct gb_frame_hash hash)
{
	struct gb_dirty *d = l->d;

	if (gb_frame_hash_equal(hash, d->zero)) {
		became_zero(l, index);
		return;
	}
	note(d, index, hash);
	mark(d->changed, index);
	l->counts->changed++;
	if (!l->scan->sink)
		return;
	pthread_mutex_lock(&d->sink_lock);
	l->scan->sink(l->scan->arg, index, l->copy);
	pthread_mutex_unlock(&d->sink_lock);
}

static int look_at_data(struct look *l, uint64_t page, uint64_t index)
{
	struct gb_dirty *d = l->d;
	struct gb_frame_hash now = d->seen[index], copied;
	int r;

	l->counts->data++;
	if (!gb_map_broken(&d->ram->map)) {
		now = d->hash(d->key, d->ram->map.base + (page << GB_PAGE_SHIFT));
		if (gb_frame_hash_equal(now, d->seen[index]) && !gb_map_broken(&d->ram->map))
			return 0;
	}
	r = gb_ram_read_file(d->ram, page << GB_PAGE_SHIFT, l->copy, GB_PAGE_SIZE, NULL);
	if (r != 0)
		return r;
	copied = d->hash(d->key, l->copy);
	l->counts->torn += !gb_frame_hash_equal(copied, now) && !gb_map_broken(&d->ram->map);
	if (!gb_frame_hash_equal(copied, d->seen[index]))
		changed(l, index, copied);
	return 0;
}

static void look_at_hole(struct look *l, uint64_t index, uint64_t n)
{
	for (uint64_t i = index; i < index + n; i++)
		if (!gb_frame_hash_equal(l->d->seen[i], l->d->zero))
			became_zero(l, i);
}

static int look_at_piece(void *arg, unsigned worker, uint64_t number)
{
	struct scan *scan = arg;
	struct gb_ram *ram = scan->d->ram;
	struct gb_piece p = gb_piece_at(ram, number);
	uint8_t copy[GB_PAGE_SIZE];
	struct look l = {scan->d, scan, &scan->counts[worker], copy};
	int r = 0;

	for (uint64_t at = p.from; at < p.to && r == 0;) {
		bool data;
		uint64_t n = gb_extents_run(&ram->extents, at, p.to, &data);
		uint64_t index = p.index + (at - p.from);

		if (!data)
			look_at_hole(&l, index, n);
		for (uint64_t i = 0; data && i < n && r == 0; i++)
			r = look_at_data(&l, at + i, index + i);
		at += n;
	}
	return r;
}

static void add_up(const struct scan *scan, struct gb_dirty_result *ret)
{
	for (unsigned i = 0; i < GB_PARALLEL_MAX; i++) {
		ret->changed_count += scan->counts[i].changed;
		ret->zeroed_count += scan->counts[i].zeroed;
		ret->data_frames += scan->counts[i].data;
		ret->torn += scan->counts[i].torn;
	}
}

int gb_dirty_scan(struct gb_dirty *d, gb_dirty_sink *sink, void *arg, struct gb_dirty_result *ret,
		  struct gb_error *err)
{
	struct scan scan = {.d = d, .sink = sink, .arg = arg};
	uint64_t begin = gb_clock_ns();
	int r = gb_pieces_refresh(d->ram, err);

	if (r != 0)
		return r;
	memset(d->changed, 0, d->words * sizeof(*d->changed));
	memset(d->zeroed, 0, d->words * sizeof(*d->zeroed));
	r = gb_parallel_on(d->cores, gb_pieces(d->ram), look_at_piece, &scan);
	if (r != 0)
		return gb_fail(err, r, "the RAM file went away while it was scanned");
	atomic_store(&d->ram->extents.warm, true);
	*ret = (struct gb_dirty_result){.frames = d->frames};
	ret->changed = d->changed;
	ret->zeroed = d->zeroed;
	add_up(&scan, ret);
	ret->duration_ns = gb_clock_ns() - begin;
	return 0;
}

uint64_t gb_bitmap_next(const uint64_t *bitmap, uint64_t count, uint64_t from)
{
	while (from < count) {
		uint64_t word = bitmap[from / 64] >> from % 64;

		if (word) {
			from += (uint64_t)__builtin_ctzll(word);
			break;
		}
		from += 64 - from % 64;
	}
	return from < count ? from : count;
}
