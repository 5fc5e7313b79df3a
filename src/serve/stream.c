// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// One viewer's memory stream.
#include "serve/stream.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "ram/guard.h"
#include "serve/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 512                 // frames of one record
#define TICK_PERIOD (400 * GB_MS) // the protocol promises two a second

// Before a record in the buffer: the head of its chunk (hexadecimal length, CR LF). Behind: CR LF.
#define CHUNK_HEAD 16
#define CHUNK_TAIL 2

struct stream {
	struct gb_live *live;
	struct gb_ram *ram;
	const struct gb_layout *layout;
	struct gb_follower *follower;
	gb_stream_write *write;
	void *arg;
	struct gb_live_beat beat;
	uint64_t owners_sent, scans_ticked, last_tick;
	uint64_t torn; // since the last tick
	bool complete, complete_ticked;
	uint64_t *filled; // one bit per frame: the viewer's copy is not all zero
	uint32_t taken[BATCH], zeroed[BATCH];
	uint32_t doubtful[BATCH];
	// chunk head, record header, BATCH indices, BATCH frames, chunk tail
	uint8_t *buffer;
};

#define FRAMES_AT (CHUNK_HEAD + GB_RECORD_HEADER + 4 * BATCH)
#define BUFFER_SIZE (FRAMES_AT + BATCH * GB_PAGE_SIZE + CHUNK_TAIL)

// record points at a record header with CHUNK_HEAD bytes of room before it and CHUNK_TAIL behind.
static bool send_chunk(struct stream *s, uint8_t *record, size_t len)
{
	char head[CHUNK_HEAD + 1];
	int n = snprintf(head, sizeof(head), "%zx\r\n", len);

	memcpy(record - n, head, (size_t)n);
	memcpy(record + len, "\r\n", CHUNK_TAIL);
	return s->write(s->arg, record - n, (size_t)n + len + CHUNK_TAIL);
}

static bool send_small(struct stream *s, enum gb_record_kind kind, uint32_t count,
		       const void *payload, size_t bytes)
{
	uint8_t *record = s->buffer + CHUNK_HEAD;
	struct gb_record r = {.kind = kind,
			      .count = count,
			      .time_ns = gb_clock_real_ns(),
			      .bytes = bytes};

	gb_record_put(record, &r);
	memcpy(record + GB_RECORD_HEADER, payload, bytes);
	return send_chunk(s, record, GB_RECORD_HEADER + bytes);
}

static bool send_tick(struct stream *s)
{
	uint8_t payload[16];

	gb_put_u32(payload, (uint32_t)(s->beat.scan_ns / 1000));
	gb_put_u32(payload + 4, (uint32_t)s->beat.dirty);
	gb_put_u32(payload + 8, (uint32_t)s->torn);
	gb_put_u32(payload + 12, (s->beat.state.paused ? GB_TICK_PAUSED : 0u) |
					 (s->complete ? GB_TICK_COMPLETE : 0u));
	s->torn = 0;
	s->scans_ticked = s->beat.scans;
	s->complete_ticked = s->complete;
	s->last_tick = gb_clock_ns();
	return send_small(s, GB_RECORD_TICK, 1, payload, sizeof(payload));
}

static bool tick_is_due(const struct stream *s)
{
	return s->beat.scans != s->scans_ticked || s->complete != s->complete_ticked ||
	       gb_clock_ns() - s->last_tick >= TICK_PERIOD;
}

static bool send_end(struct stream *s)
{
	char text[sizeof(s->beat.reason) + 4];
	size_t len = strlen(s->beat.reason);

	memset(text, ' ', sizeof(text));
	memcpy(text, s->beat.reason, len);
	return send_small(s, GB_RECORD_END, (uint32_t)len, text, (len + 3) & ~(size_t)3) &&
	       s->write(s->arg, "0\r\n\r\n", 5);
}

static bool send_owners(struct stream *s, const struct gb_census *c)
{
	size_t n = c->frames.count;
	uint64_t bytes = gb_record_owners_bytes(n);
	size_t owners_at = (size_t)bytes - 4 * n;
	GB_CLEANUP(gb_cleanup_free)
	uint8_t *buffer = calloc(1, CHUNK_HEAD + GB_RECORD_HEADER + (size_t)bytes + CHUNK_TAIL);
	struct gb_record r = {.kind = GB_RECORD_OWNERS,
			      .count = (uint32_t)n,
			      .time_ns = c->time_ns,
			      .bytes = bytes};
	uint8_t *record = buffer + CHUNK_HEAD, *payload = record + GB_RECORD_HEADER;

	if (!buffer)
		return false;
	gb_record_put(record, &r);
	memcpy(payload, c->frames.classes, n);
	for (size_t i = 0; i < n; i++)
		gb_put_u32(payload + owners_at + 4 * i, (uint32_t)c->frames.pids[i]);
	s->owners_sent = c->owners_version;
	return send_chunk(s, record, GB_RECORD_HEADER + (size_t)bytes);
}

static bool update_owners(struct stream *s)
{
	GB_CLEANUP(gb_census_unref) struct gb_census *c = NULL;

	if (s->beat.owners_version == s->owners_sent)
		return true;
	return gb_live_census(s->live, UINT64_MAX, &c, NULL) != 0 || send_owners(s, c);
}

static int read_frame(struct stream *s, uint32_t index, uint8_t *frame, bool *torn_ret,
		      struct gb_error *err)
{
	gb_pfn pfn;

	if (!gb_layout_pfn_of(s->layout, index, &pfn))
		return gb_fail(err, GB_EBUG, "there is no frame %u", index);
	return gb_ram_read_stable(s->ram, gb_pfn_gpa(pfn), frame, GB_PAGE_SIZE, torn_ret, err);
}

static bool is_zero(const uint8_t *frame)
{
	return frame[0] == 0 && memcmp(frame, frame + 1, GB_PAGE_SIZE - 1) == 0;
}

struct batch {
	size_t filled, zeroed, doubtful;
	uint64_t torn;
};

static bool flip_filled(struct stream *s, uint32_t index, bool now)
{
	uint64_t bit = (uint64_t)1 << index % 64, *word = &s->filled[index / 64];
	bool before = *word & bit;

	*word = now ? *word | bit : *word & ~bit;
	return before;
}

// Read what was taken: frames with data to the buffer, their indices to the front of taken[].
static int read_batch(struct stream *s, size_t count, struct batch *ret, struct gb_error *err)
{
	struct batch b = {};

	for (size_t i = 0; i < count; i++) {
		uint8_t *frame = s->buffer + FRAMES_AT + b.filled * GB_PAGE_SIZE;
		uint32_t index = s->taken[i];
		bool torn = false, zero, before;
		int r = read_frame(s, index, frame, &torn, err);

		if (r != 0)
			return r;
		b.torn += torn;
		if (torn || !gb_live_matches(s->live, index, frame))
			s->doubtful[b.doubtful++] = index;
		zero = is_zero(frame);
		before = flip_filled(s, index, !zero);
		if (!zero)
			s->taken[b.filled++] = index;
		else if (before)
			s->zeroed[b.zeroed++] = index;
	}
	if (b.doubtful)
		gb_live_doubt(s->live, s->follower, s->doubtful, b.doubtful, b.torn);
	s->torn += b.torn;
	*ret = b;
	return 0;
}

// Header and indices go right before the frames, so that nothing is moved.
static bool send_filled(struct stream *s, size_t count)
{
	uint8_t *indices = s->buffer + FRAMES_AT - 4 * count;
	uint8_t *record = indices - GB_RECORD_HEADER;
	struct gb_record r = {.kind = GB_RECORD_FRAMES,
			      .count = (uint32_t)count,
			      .time_ns = gb_clock_real_ns(),
			      .bytes = gb_record_frames_bytes(count)};

	gb_record_put(record, &r);
	for (size_t i = 0; i < count; i++)
		gb_put_u32(indices + 4 * i, s->taken[i]);
	return send_chunk(s, record, GB_RECORD_HEADER + (size_t)r.bytes);
}

static bool send_zeroed(struct stream *s, size_t count)
{
	uint8_t payload[4 * BATCH];

	for (size_t i = 0; i < count; i++)
		gb_put_u32(payload + 4 * i, s->zeroed[i]);
	return send_small(s, GB_RECORD_ZERO, (uint32_t)count, payload, 4 * count);
}

static bool send_batch(struct stream *s, size_t count, struct gb_error *err)
{
	struct batch b;

	if (read_batch(s, count, &b, err) != 0) {
		snprintf(s->beat.reason, sizeof(s->beat.reason), "%s", err->message);
		send_end(s);
		return false;
	}
	return (b.filled == 0 || send_filled(s, b.filled)) &&
	       (b.zeroed == 0 || send_zeroed(s, b.zeroed));
}

// One turn; false at the end.
static bool turn(struct stream *s, struct gb_error *err)
{
	size_t n;

	if (s->beat.stopping || !update_owners(s))
		return false;
	n = gb_live_take(s->live, s->follower, s->taken, BATCH, &s->complete);
	if (n && !send_batch(s, n, err))
		return false;
	if (tick_is_due(s) && !send_tick(s))
		return false;
	if (n) {
		gb_live_beat(s->live, &s->beat);
		return true;
	}
	if (s->beat.ended) {
		send_end(s);
		return false;
	}
	gb_live_wait(s->live, s->follower, &s->beat, TICK_PERIOD);
	return true;
}

static int init(struct stream *s, struct gb_error *err)
{
	struct gb_census *c;

	s->layout = gb_ram_layout(s->ram);
	s->buffer = malloc(BUFFER_SIZE);
	s->filled = calloc((size_t)(gb_ram_frames(s->ram) / 64 + 1), sizeof(*s->filled));
	if (!s->buffer || !s->filled)
		return gb_fail(err, GB_ENOMEM, "no memory for one more viewer");
	// Owners go first where they can be had soon; a guest that takes longer shows its frames meanwhile.
	if (gb_live_census(s->live, UINT64_MAX, &c, NULL) == 0)
		gb_census_unref(&c);
	gb_live_beat(s->live, &s->beat);
	return gb_live_follow(s->live, &s->follower, err);
}

int gb_stream_run(struct gb_live *live, struct gb_ram *ram, gb_stream_write *write, void *arg,
		  struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) struct stream *s = calloc(1, sizeof(*s));
	struct gb_error ended = {};
	int r;

	if (!s)
		return gb_fail(err, GB_ENOMEM, "no memory for one more viewer");
	*s = (struct stream){.live = live, .ram = ram, .write = write, .arg = arg};
	r = init(s, err);
	while (r == 0 && turn(s, &ended))
		continue;
	if (s->follower)
		gb_live_unfollow(live, s->follower);
	free(s->buffer);
	free(s->filled);
	return r;
}
