// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the dirty-frame finder, against a plain comparison of all bytes.
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "ram/dirty.h"
#include "ram/test_image.h"
#include "tests/random.h"
#include "tests/tap.h"

#include <pthread.h>
#include <stdatomic.h>

#define MIB ((size_t)1 << 20)
#define SIZE (9 * MIB)
#define FRAMES (SIZE / 4096)

// What a client of the stream keeps: a picture of RAM that is only changed by what scans report.
struct picture {
	uint8_t *bytes; // by packed index
	uint64_t got[FRAMES / 64 + 1];
	unsigned twice;
};

static void take(void *arg, uint64_t index, const uint8_t bytes[4096])
{
	struct picture *p = arg;

	p->twice += (p->got[index / 64] >> index % 64 & 1) != 0;
	p->got[index / 64] |= (uint64_t)1 << index % 64;
	memcpy(p->bytes + index * 4096, bytes, 4096);
}

static uint64_t count_bits(const uint64_t *bits, uint64_t n)
{
	uint64_t found = 0;

	for (uint64_t i = 0; (i = gb_bitmap_next(bits, n, i)) < n; i++)
		found++;
	return found;
}

static void scan_into(struct gb_dirty *d, struct picture *p, struct gb_dirty_result *ret)
{
	struct gb_error err = {};

	memset(p->got, 0, sizeof(p->got));
	CHECK_OK(gb_dirty_scan(d, take, p, ret, &err), err);
	CHECK_EQ(p->twice, 0);
	CHECK_MEM(p->got, ret->changed, ret->frames / 8);
	CHECK_EQ(count_bits(ret->changed, ret->frames), ret->changed_count);
	CHECK_EQ(count_bits(ret->zeroed, ret->frames), ret->zeroed_count);
	for (uint64_t i = 0; (i = gb_bitmap_next(ret->zeroed, ret->frames, i)) < ret->frames; i++) {
		CHECK(!(p->got[i / 64] >> i % 64 & 1));
		memset(p->bytes + i * 4096, 0, 4096);
	}
}

// One frame in the file is the packed index itself, or as the split layout has it.
static uint64_t file_page(const struct gb_layout *l, uint64_t index)
{
	gb_pfn pfn = {};
	const struct gb_segment *s;

	gb_layout_pfn_of(l, index, &pfn);
	s = gb_layout_find(l, gb_pfn_gpa(pfn));
	return (s->offset + (gb_pfn_gpa(pfn).v - s->gpa.v)) / 4096;
}

struct plain {
	uint64_t changed, zeroed;
};

// The plain twin: what differs between the picture and the file.
static struct plain compare(const struct test_image *i, const struct picture *p,
			    const uint8_t *file)
{
	static const uint8_t zeros[4096];
	const struct gb_layout *l = gb_ram_layout(i->ram);
	struct plain found = {};

	for (uint64_t index = 0; index < gb_ram_frames(i->ram); index++) {
		const uint8_t *now = file + file_page(l, index) * 4096;

		if (memcmp(p->bytes + index * 4096, now, 4096) == 0)
			continue;
		if (memcmp(now, zeros, 4096) == 0)
			found.zeroed++;
		else
			found.changed++;
	}
	return found;
}

static void meddle(struct test_image *i, struct test_random *r)
{
	for (int n = 0; n < 200; n++) {
		uint64_t at = test_random_below(r, FRAMES) * 4096;

		switch (test_random_below(r, 5)) {
		case 0: // one byte
			i->bytes[at + test_random_below(r, 4096)] ^= 1;
			break;
		case 1:
			memset(i->bytes + at, (int)test_random_u64(r), 4096);
			break;
		case 2: // zeros, written
			memset(i->bytes + at, 0, 4096);
			break;
		case 3: // a hole
			CHECK(test_image_punch(i, at, 4096));
			break;
		case 4: // written, the same as before
			i->bytes[at] = *(volatile uint8_t *)(i->bytes + at);
			break;
		}
	}
}

static void compare_with_plain(const struct gb_layout *layout)
{
	GB_CLEANUP(gb_dirty_cleanup) struct gb_dirty *d = NULL;
	GB_CLEANUP(gb_cleanup_free) uint8_t *file = malloc(SIZE);
	struct picture p = {.bytes = calloc(1, SIZE)};
	struct test_random r = {7};
	struct gb_dirty_result result;
	struct gb_error err = {};
	struct test_image i;

	REQUIRE(test_image_make(&i, SIZE, layout) && p.bytes);
	REQUIRE_OK(gb_dirty_new(i.ram, &d, &err), err);
	for (int round = 0; round < 30; round++) {
		struct plain want;
		uint64_t blocks;

		meddle(&i, &r);
		blocks = test_image_blocks(&i);
		CHECK(pread(i.fd, file, SIZE, 0) == (ssize_t)SIZE);
		want = compare(&i, &p, file);
		scan_into(d, &p, &result);
		CHECK_EQ(result.changed_count, want.changed);
		CHECK_EQ(result.zeroed_count, want.zeroed);
		CHECK_EQ(result.torn, 0);
		CHECK_EQ(test_image_blocks(&i), blocks);
		want = compare(&i, &p, file);
		CHECK_EQ(want.changed + want.zeroed, 0);
		if (!layout)
			CHECK_EQ(result.data_frames, blocks / 8);
	}
	scan_into(d, &p, &result);
	CHECK_EQ(result.changed_count + result.zeroed_count, 0);
	free(p.bytes);
	test_image_free(&i);
}

static void finds_what_a_comparison_finds(void)
{
	compare_with_plain(NULL);
}

static void finds_it_in_split_ram(void)
{
	struct gb_layout l = {};

	// odd sizes: segments share words of the bitmaps and pieces of the file
	gb_layout_add(&l, (struct gb_segment){{0}, 3 * MIB + 4096, 5 * MIB}, NULL);
	gb_layout_add(&l, (struct gb_segment){{16 * MIB}, 4 * MIB - 8192, MIB}, NULL);
	compare_with_plain(&l);
}

static void a_reset_finder_reports_all_again(void)
{
	GB_CLEANUP(gb_dirty_cleanup) struct gb_dirty *d = NULL;
	struct gb_dirty_result result;
	struct gb_error err = {};
	struct test_image i;

	REQUIRE(test_image_make(&i, SIZE, NULL));
	i.bytes[0] = i.bytes[5 * MIB] = 1;
	i.bytes[MIB] = 0; // data, all zeros
	REQUIRE_OK(gb_dirty_new(i.ram, &d, &err), err);
	for (int round = 0; round < 4; round++) {
		CHECK_OK(gb_dirty_scan(d, NULL, NULL, &result, &err), err);
		CHECK_EQ(result.changed_count, round % 2 ? 0 : 2);
		CHECK_EQ(result.zeroed_count, 0);
		CHECK_EQ(result.data_frames, 3);
		if (round == 1)
			gb_dirty_reset(d);
		gb_dirty_set_cores(d, 1);
	}
	test_image_free(&i);
}

static void a_file_that_shrinks_is_said(void)
{
	GB_CLEANUP(gb_dirty_cleanup) struct gb_dirty *d = NULL;
	struct gb_dirty_result result = {.frames = 99};
	struct gb_error err = {};
	struct test_image i;

	REQUIRE(test_image_make(&i, SIZE, NULL));
	memset(i.bytes, 1, SIZE);
	REQUIRE_OK(gb_dirty_new(i.ram, &d, &err), err);
	CHECK_OK(gb_dirty_scan(d, NULL, NULL, &result, &err), err);
	REQUIRE(ftruncate(i.fd, SIZE / 2) == 0);
	result.frames = 99;
	CHECK_EQ(gb_dirty_scan(d, NULL, NULL, &result, &err), GB_EGONE);
	CHECK_EQ(result.frames, 99);
	test_image_free(&i);
}

struct shrink {
	struct test_image *image;
	bool done;
};

static void shrink_once(void *arg, uint64_t index, const uint8_t bytes[4096])
{
	struct shrink *s = arg;

	(void)index;
	(void)bytes;
	if (!s->done)
		s->done = ftruncate(s->image->fd, 4096) == 0;
}

static void a_file_may_shrink_during_a_scan(void)
{
	GB_CLEANUP(gb_dirty_cleanup) struct gb_dirty *d = NULL;
	struct gb_dirty_result result;
	struct gb_error err = {};
	struct test_image i;
	struct shrink s = {.image = &i};

	REQUIRE(test_image_make(&i, SIZE, NULL));
	memset(i.bytes, 1, SIZE);
	REQUIRE_OK(gb_dirty_new(i.ram, &d, &err), err);
	CHECK_EQ(gb_dirty_scan(d, shrink_once, &s, &result, &err), GB_EGONE);
	test_image_free(&i);
}

struct writer {
	struct test_image *image;
	atomic_bool stop;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;
	struct test_random r = {11};

	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		uint64_t at = test_random_below(&r, SIZE / 8 / 16) * 8;

		if (at % 3) // a few frames change all the time, others now and then
			at %= 4 * 4096;
		*(volatile uint64_t *)(void *)(w->image->bytes + at) = test_random_u64(&r);
	}
	return NULL;
}

// Whatever was missed or torn while the guest wrote is found once it stops.
static void a_picture_of_a_busy_guest_ends_up_right(void)
{
	GB_CLEANUP(gb_dirty_cleanup) struct gb_dirty *d = NULL;
	GB_CLEANUP(gb_cleanup_free) uint8_t *file = malloc(SIZE);
	struct picture p = {.bytes = calloc(1, SIZE)};
	struct gb_dirty_result result;
	struct gb_error err = {};
	struct test_image i;
	struct writer w = {.image = &i};
	uint64_t torn = 0, end = gb_clock_ns() + 20 * GB_SECOND;
	struct plain left;
	pthread_t thread;

	REQUIRE(test_image_make(&i, SIZE, NULL) && p.bytes);
	REQUIRE_OK(gb_dirty_new(i.ram, &d, &err), err);
	REQUIRE(pthread_create(&thread, NULL, write_on, &w) == 0);
	for (int round = 0;
	     round < 100 || (!torn && gb_parallel_width() > 1 && gb_clock_ns() < end); round++) {
		scan_into(d, &p, &result);
		torn += result.torn;
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	scan_into(d, &p, &result);
	CHECK(pread(i.fd, file, SIZE, 0) == (ssize_t)SIZE);
	left = compare(&i, &p, file);
	CHECK_EQ(left.changed + left.zeroed, 0);
	CHECK_EQ(result.torn, 0);
	CHECK(torn > 0 || gb_parallel_width() < 2);
	free(p.bytes);
	test_image_free(&i);
}

static void what_was_seen_is_matched(void)
{
	static uint8_t frame[4096], other[4096];
	GB_CLEANUP(gb_dirty_cleanup) struct gb_dirty *d = NULL;
	struct gb_dirty_result result;
	struct gb_error err = {};
	struct test_image i;

	REQUIRE(test_image_make(&i, SIZE, NULL));
	memset(frame, 7, sizeof(frame));
	REQUIRE(pwrite(i.fd, frame, sizeof(frame), 3 * 4096) == sizeof(frame));
	REQUIRE_OK(gb_dirty_new(i.ram, &d, &err), err);
	CHECK(gb_dirty_matches(d, 3, other)); // never looked at: zeros
	CHECK(!gb_dirty_matches(d, 3, frame));
	REQUIRE_OK(gb_dirty_scan(d, NULL, NULL, &result, &err), err);
	CHECK(gb_dirty_matches(d, 3, frame));
	CHECK(!gb_dirty_matches(d, 3, other));
	memcpy(other, frame, sizeof(frame));
	other[4095] ^= 0x80;
	CHECK(!gb_dirty_matches(d, 3, other));
	test_image_free(&i);
}

static void bitmaps_are_gone_through(void)
{
	static const uint64_t bits[] = {0x8000000000000001, 0, 0, 2};

	CHECK_EQ(gb_bitmap_next(bits, 256, 0), 0);
	CHECK_EQ(gb_bitmap_next(bits, 256, 1), 63);
	CHECK_EQ(gb_bitmap_next(bits, 256, 64), 193);
	CHECK_EQ(gb_bitmap_next(bits, 193, 64), 193);
	CHECK_EQ(gb_bitmap_next(bits, 256, 194), 256);
	CHECK_EQ(gb_bitmap_next(bits, 63, 1), 63);
	CHECK_EQ(gb_bitmap_next(bits, 0, 0), 0);
}

TAP_MAIN(TAP_CASE(finds_what_a_comparison_finds), TAP_CASE(finds_it_in_split_ram),
	 TAP_CASE(a_reset_finder_reports_all_again), TAP_CASE(a_file_that_shrinks_is_said),
	 TAP_CASE(a_file_may_shrink_during_a_scan),
	 TAP_CASE(a_picture_of_a_busy_guest_ends_up_right), TAP_CASE(what_was_seen_is_matched),
	 TAP_CASE(bitmaps_are_gone_through))
