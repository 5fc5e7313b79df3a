// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Followers: which frames each viewer still has to fetch.
#include "serve/live_private.h"

#include <stdlib.h>

static size_t words(uint64_t frames)
{
	return (size_t)((frames + 63) / 64);
}

static void set_pending(struct gb_follower *f, uint64_t i)
{
	uint64_t bit = (uint64_t)1 << i % 64;

	f->pending_count += !(f->pending[i / 64] & bit);
	f->pending[i / 64] |= bit;
}

int gb_live_follow(struct gb_live *live, struct gb_follower **ret, struct gb_error *err)
{
	struct gb_follower *f = calloc(1, sizeof(*f));
	size_t n = words(live->frames);

	if (f) {
		f->pending = calloc(n + 1, sizeof(*f->pending));
		f->doubt = calloc(n + 1, sizeof(*f->doubt));
	}
	if (!f || !f->pending || !f->doubt) {
		if (f) {
			free(f->pending);
			free(f->doubt);
		}
		free(f);
		return gb_fail(err, GB_ENOMEM, "no memory for one more viewer");
	}
	pthread_mutex_lock(&live->lock);
	for (uint64_t i = 0; (i = gb_bitmap_next(live->data, live->frames, i)) < live->frames; i++)
		set_pending(f, i);
	// A scan that runs now may have passed frames which changed since the one before.
	f->whole_after = live->beat.ended ? live->beat.scans : live->beat.scans + 1;
	f->next = live->followers;
	live->followers = f;
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
	*ret = f;
	return 0;
}

void gb_live_unfollow(struct gb_live *live, struct gb_follower *f)
{
	pthread_mutex_lock(&live->lock);
	for (struct gb_follower **at = &live->followers; *at; at = &(*at)->next) {
		if (*at == f) {
			*at = f->next;
			break;
		}
	}
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
	free(f->pending);
	free(f->doubt);
	free(f);
}

// Take set bits of one word, lowest first.
static size_t take_word(struct gb_follower *f, size_t w, uint32_t *indices, size_t max)
{
	size_t n = 0;

	while (n < max && f->pending[w]) {
		indices[n++] = (uint32_t)(w * 64 + (size_t)__builtin_ctzll(f->pending[w]));
		f->pending[w] &= f->pending[w] - 1;
	}
	return n;
}

size_t gb_live_take(struct gb_live *live, struct gb_follower *f, uint32_t *indices, size_t max,
		    bool *complete_ret)
{
	size_t n = 0, all = words(live->frames);

	pthread_mutex_lock(&live->lock);
	// Round robin: frames that change all the time do not starve those behind them.
	for (size_t step = 0; step < all && n < max && f->pending_count > n; step++) {
		n += take_word(f, f->cursor, indices + n, max - n);
		if (!f->pending[f->cursor])
			f->cursor = f->cursor + 1 < all ? f->cursor + 1 : 0;
	}
	f->pending_count -= n;
	if (n == 0 && live->beat.scans >= f->whole_after)
		f->whole = true;
	*complete_ret = f->whole;
	pthread_mutex_unlock(&live->lock);
	return n;
}

void gb_live_doubt(struct gb_live *live, struct gb_follower *f, const uint32_t *indices,
		   size_t count, uint64_t torn)
{
	pthread_mutex_lock(&live->lock);
	for (size_t i = 0; i < count; i++)
		f->doubt[indices[i] / 64] |= (uint64_t)1 << indices[i] % 64;
	live->torn_total += torn;
	pthread_mutex_unlock(&live->lock);
}

void gb_follow_changed(struct gb_live *live, uint64_t index, bool filled)
{
	uint64_t bit = (uint64_t)1 << index % 64;

	live->data[index / 64] =
		filled ? live->data[index / 64] | bit : live->data[index / 64] & ~bit;
	for (struct gb_follower *f = live->followers; f; f = f->next)
		set_pending(f, index);
}

void gb_follow_scanned(struct gb_live *live)
{
	size_t all = words(live->frames);

	for (struct gb_follower *f = live->followers; f; f = f->next) {
		for (size_t w = 0; w < all; w++) {
			uint64_t fresh = f->doubt[w] & ~f->pending[w];

			f->pending_count += (uint64_t)__builtin_popcountll(fresh);
			f->pending[w] |= f->doubt[w];
			f->doubt[w] = 0;
		}
	}
}
