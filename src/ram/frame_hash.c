// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A keyed hash of one 4 KiB frame.
#include "ram/frame_hash.h"

#include <immintrin.h>
#include <string.h>

// Frames are hashed one after the other. The processor's own prefetching ends at each page, and the
// hash fills its window before the next page comes into sight: asking 16 KiB ahead takes a scan
// from 0.75 to 0.95 of what the memory gives. A prefetch never faults: holes and ends are safe.
#define AHEAD ((uintptr_t)16 << 10)

static void ask_ahead(const uint8_t *at)
{
	_mm_prefetch((const char *)((uintptr_t)at + AHEAD), _MM_HINT_T0);
}

static uint64_t product(uint64_t m, uint64_t k)
{
	uint32_t low = (uint32_t)m + (uint32_t)k;
	uint32_t high = (uint32_t)(m >> 32) + (uint32_t)(k >> 32);

	return (uint64_t)low * high;
}

static struct gb_frame_hash hash_plain(const struct gb_frame_key *key, const uint8_t *frame)
{
	struct gb_frame_hash h = {};

	for (size_t i = 0; i < GB_FRAME_WORDS; i++) {
		uint64_t m;

		memcpy(&m, frame + 8 * i, sizeof(m));
		h.h[0] += product(m, key->words[i]);
		h.h[1] += product(m, key->words[i + GB_FRAME_KEY_SHIFT]);
	}
	return h;
}

static bool always(void)
{
	return true;
}

__attribute__((target("avx2"))) static __m256i product_avx2(__m256i m, const uint64_t *key)
{
	__m256i t = _mm256_add_epi32(m, _mm256_load_si256((const __m256i *)key));

	return _mm256_mul_epu32(t, _mm256_srli_epi64(t, 32));
}

__attribute__((target("avx2"))) static uint64_t sum_avx2(__m256i v)
{
	__m128i two = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	return (uint64_t)_mm_cvtsi128_si64(two) + (uint64_t)_mm_extract_epi64(two, 1);
}

__attribute__((target("avx2"))) static struct gb_frame_hash hash_avx2(
	const struct gb_frame_key *key, const uint8_t *frame)
{
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;

	for (size_t i = 0; i < GB_FRAME_WORDS; i += 8) {
		const uint64_t *k = key->words + i;
		__m256i m = _mm256_loadu_si256((const __m256i_u *)(frame + 8 * i));
		__m256i n = _mm256_loadu_si256((const __m256i_u *)(frame + 8 * i + 32));

		ask_ahead(frame + 8 * i);
		a = _mm256_add_epi64(a, product_avx2(m, k));
		b = _mm256_add_epi64(b, product_avx2(m, k + 8));
		c = _mm256_add_epi64(c, product_avx2(n, k + 4));
		d = _mm256_add_epi64(d, product_avx2(n, k + 12));
	}
	return (struct gb_frame_hash){
		{sum_avx2(_mm256_add_epi64(a, c)), sum_avx2(_mm256_add_epi64(b, d))}};
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

__attribute__((target("avx512f"))) static __m512i product_avx512(__m512i m, const uint64_t *key)
{
	__m512i t = _mm512_add_epi32(m, _mm512_load_si512(key));

	return _mm512_mul_epu32(t, _mm512_srli_epi64(t, 32));
}

// Not _mm512_reduce_add_epi64(): gcc 12 adds signed numbers in it.
__attribute__((target("avx512f"))) static uint64_t sum_avx512(__m512i v)
{
	return sum_avx2(
		_mm256_add_epi64(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1)));
}

__attribute__((target("avx512f"))) static struct gb_frame_hash hash_avx512(
	const struct gb_frame_key *key, const uint8_t *frame)
{
	__m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;

	for (size_t i = 0; i < GB_FRAME_WORDS; i += 16) {
		const uint64_t *k = key->words + i;
		__m512i m = _mm512_loadu_si512(frame + 8 * i);
		__m512i n = _mm512_loadu_si512(frame + 8 * i + 64);

		ask_ahead(frame + 8 * i);
		ask_ahead(frame + 8 * i + 64);
		a = _mm512_add_epi64(a, product_avx512(m, k));
		b = _mm512_add_epi64(b, product_avx512(m, k + 8));
		c = _mm512_add_epi64(c, product_avx512(n, k + 8));
		d = _mm512_add_epi64(d, product_avx512(n, k + 16));
	}
	return (struct gb_frame_hash){
		{sum_avx512(_mm512_add_epi64(a, c)), sum_avx512(_mm512_add_epi64(b, d))}};
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f");
}

const struct gb_frame_hash_kind gb_frame_hash_kinds[] = {
	{"plain", always, hash_plain},
	{"avx2", has_avx2, hash_avx2},
	{"avx512", has_avx512, hash_avx512},
};
const size_t gb_frame_hash_kinds_count =
	sizeof(gb_frame_hash_kinds) / sizeof(gb_frame_hash_kinds[0]);

const struct gb_frame_hash_kind *gb_frame_hash_best(void)
{
	size_t best = 0;

	for (size_t i = 1; i < gb_frame_hash_kinds_count; i++)
		if (gb_frame_hash_kinds[i].runs_here())
			best = i;
	return &gb_frame_hash_kinds[best];
}
