// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the frame hash: every kind against the plain one, and that it sees any change.
#include "ram/frame_hash.h"
#include "tests/random.h"
#include "tests/tap.h"

static void fill(struct test_random *r, void *to, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = test_random_u64(r);

		memcpy((char *)to + i, &v, 8);
	}
}

static void all_kinds_agree(void)
{
	struct test_random r = {1};
	struct gb_frame_key key;
	_Alignas(64) uint8_t memory[4096 + 64];
	unsigned compared = 0;

	for (unsigned round = 0; round < 200; round++) {
		uint8_t *frame = memory + round % 64; // any alignment

		fill(&r, &key, sizeof(key));
		fill(&r, memory, sizeof(memory));
		if (round % 3 == 0)
			memset(memory, round % 2 ? 0 : 0xff, sizeof(memory));
		for (size_t i = 1; i < gb_frame_hash_kinds_count; i++) {
			const struct gb_frame_hash_kind *kind = &gb_frame_hash_kinds[i];

			if (!kind->runs_here())
				continue;
			compared++;
			CHECK(gb_frame_hash_equal(kind->fn(&key, frame),
						  gb_frame_hash_kinds[0].fn(&key, frame)));
		}
	}
	CHECK(gb_frame_hash_best()->runs_here());
	if (!compared)
		TAP_SKIP("this CPU runs the plain hash only");
}

// The definition, written down once more and slowly.
static uint64_t by_definition(const uint32_t *m, const uint32_t *k)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < 1024; i += 2)
		sum += (uint64_t)(uint32_t)(m[i] + k[i]) * (uint32_t)(m[i + 1] + k[i + 1]);
	return sum;
}

static void it_is_nh(void)
{
	struct test_random r = {2};
	struct gb_frame_key key;
	uint32_t m[1024], k[2 * GB_FRAME_KEY_WORDS];
	struct gb_frame_hash h;

	fill(&r, &key, sizeof(key));
	fill(&r, m, sizeof(m));
	memcpy(k, key.words, sizeof(k));
	h = gb_frame_hash_best()->fn(&key, (const uint8_t *)m);
	CHECK_EQ(h.h[0], by_definition(m, k));
	CHECK_EQ(h.h[1], by_definition(m, k + 2 * GB_FRAME_KEY_SHIFT));
}

static void every_bit_counts(void)
{
	const struct gb_frame_hash_kind *best = gb_frame_hash_best();
	struct test_random r = {3};
	struct gb_frame_key key;
	uint8_t frame[4096] = {};
	struct gb_frame_hash before;
	unsigned missed = 0;

	fill(&r, &key, sizeof(key));
	before = best->fn(&key, frame);
	for (size_t bit = 0; bit < 8 * sizeof(frame); bit++) {
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		missed += gb_frame_hash_equal(before, best->fn(&key, frame));
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK_EQ(missed, 0);
}

TAP_MAIN(TAP_CASE(all_kinds_agree), TAP_CASE(it_is_nh), TAP_CASE(every_bit_counts))
