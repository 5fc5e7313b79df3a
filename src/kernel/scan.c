// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Looks for the landmarks of a Linux kernel.
//
// 32 bytes at a time are compared with the magic, and with '0', '1' and '2' at distances of two.
// What passes is looked at again byte by byte; in 100 MiB of a guest that is a few thousand places.
#include "kernel/scan.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define MAGIC 0x0001eb9fu

const uint8_t gb_scan_digits[GB_SCAN_DIGITS_LEN] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";

static int look(const uint8_t *bytes, size_t len, size_t at, gb_scan_hit *hit, void *arg)
{
	size_t left = len - at, n = left < GB_SCAN_DIGITS_LEN ? left : GB_SCAN_DIGITS_LEN;
	uint32_t word;
	int r = 0;

	if (at % 4 == 0 && left >= 4) {
		memcpy(&word, bytes + at, 4);
		if (word == MAGIC)
			r = hit(arg, GB_SCAN_BTF, at);
	}
	if (r == 0 && memcmp(bytes + at, gb_scan_digits, n) == 0)
		r = hit(arg, GB_SCAN_DIGITS, at);
	return r;
}

static int scan_from(const uint8_t *bytes, size_t len, size_t at, size_t end, gb_scan_hit *hit,
		     void *arg)
{
	int r = 0;

	for (; at < end && r == 0; at++)
		if (bytes[at] == '0' || bytes[at] == (MAGIC & 0xff))
			r = look(bytes, len, at, hit, arg);
	return r;
}

int gb_scan_plain(const uint8_t *bytes, size_t len, gb_scan_hit *hit, void *arg)
{
	int r = 0;

	for (size_t at = 0; at < len && r == 0; at++)
		r = look(bytes, len, at, hit, arg);
	return r;
}

static int look_at_bits(const uint8_t *bytes, size_t len, size_t at, uint32_t bits,
			gb_scan_hit *hit, void *arg)
{
	int r = 0;

	for (; bits && r == 0; bits &= bits - 1)
		r = look(bytes, len, at + (size_t)__builtin_ctz(bits), hit, arg);
	return r;
}

__attribute__((target("avx2"))) static inline uint32_t marks_avx2(const uint8_t *p)
{
	const __m256i a = _mm256_loadu_si256((const __m256i *)p);
	const __m256i b = _mm256_loadu_si256((const __m256i *)(p + 2));
	const __m256i c = _mm256_loadu_si256((const __m256i *)(p + 4));
	__m256i digits = _mm256_cmpeq_epi8(a, _mm256_set1_epi8('0'));

	digits = _mm256_and_si256(digits, _mm256_cmpeq_epi8(b, _mm256_set1_epi8('1')));
	digits = _mm256_and_si256(digits, _mm256_cmpeq_epi8(c, _mm256_set1_epi8('2')));
	return (uint32_t)_mm256_movemask_epi8(
		_mm256_or_si256(digits, _mm256_cmpeq_epi32(a, _mm256_set1_epi32((int)MAGIC))));
}

__attribute__((target("avx2"))) static int scan_avx2(const uint8_t *bytes, size_t len,
						     gb_scan_hit *hit, void *arg)
{
	size_t at = 0;
	int r = 0;

	for (; at + 68 <= len && r == 0; at += 64) {
		uint32_t low = marks_avx2(bytes + at), high = marks_avx2(bytes + at + 32);

		if (__builtin_expect(low | high, 0)) {
			r = look_at_bits(bytes, len, at, low, hit, arg);
			if (r == 0)
				r = look_at_bits(bytes, len, at + 32, high, hit, arg);
		}
	}
	return r ? r : scan_from(bytes, len, at, len, hit, arg);
}

static inline uint32_t marks_sse2(const uint8_t *p)
{
	const __m128i a = _mm_loadu_si128((const __m128i *)p);
	const __m128i b = _mm_loadu_si128((const __m128i *)(p + 2));
	const __m128i c = _mm_loadu_si128((const __m128i *)(p + 4));
	__m128i digits = _mm_cmpeq_epi8(a, _mm_set1_epi8('0'));

	digits = _mm_and_si128(digits, _mm_cmpeq_epi8(b, _mm_set1_epi8('1')));
	digits = _mm_and_si128(digits, _mm_cmpeq_epi8(c, _mm_set1_epi8('2')));
	return (uint32_t)_mm_movemask_epi8(
		_mm_or_si128(digits, _mm_cmpeq_epi32(a, _mm_set1_epi32((int)MAGIC))));
}

static int scan_sse2(const uint8_t *bytes, size_t len, gb_scan_hit *hit, void *arg)
{
	size_t at = 0;
	int r = 0;

	for (; at + 20 <= len && r == 0; at += 16)
		r = look_at_bits(bytes, len, at, marks_sse2(bytes + at), hit, arg);
	return r ? r : scan_from(bytes, len, at, len, hit, arg);
}

int gb_scan(const uint8_t *bytes, size_t len, gb_scan_hit *hit, void *arg)
{
	if (__builtin_cpu_supports("avx2"))
		return scan_avx2(bytes, len, hit, arg);
	return scan_sse2(bytes, len, hit, arg);
}
