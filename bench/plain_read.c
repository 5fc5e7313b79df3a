// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The fastest plain loop over memory.
#include "bench/plain_read.h"

#include "base/parallel.h"

#include <stdatomic.h>

typedef uint64_t vector64 __attribute__((vector_size(64), aligned(64), may_alias));
typedef uint64_t vector32 __attribute__((vector_size(32), aligned(32), may_alias));

#define LOOP(type) \
	do { \
		const type *at = (const type *)(const void *)bytes; \
		const type *end = (const type *)(const void *)(bytes + len); \
		type a = {}, b = {}, c = {}, d = {}; \
		uint64_t sum = 0; \
		for (; at < end; at += 4) { \
			a |= at[0]; \
			b |= at[1]; \
			c |= at[2]; \
			d |= at[3]; \
		} \
		a |= b | c | d; \
		for (size_t i = 0; i < sizeof(a) / sizeof(uint64_t); i++) \
			sum |= a[i]; \
		return sum; \
	} while (0)

__attribute__((target("avx512f"))) static uint64_t read_avx512(const uint8_t *bytes, size_t len)
{
	LOOP(vector64);
}

__attribute__((target("avx2"))) static uint64_t read_avx2(const uint8_t *bytes, size_t len)
{
	LOOP(vector32);
}

static uint64_t read_plain(const uint8_t *bytes, size_t len)
{
	uint64_t a = 0, b = 0;

	for (const uint64_t *at = (const uint64_t *)(const void *)bytes; len; len -= 16, at += 2) {
		a |= at[0];
		b |= at[1];
	}
	return a | b;
}

gb_plain_read_fn *gb_plain_read_best(void)
{
	if (__builtin_cpu_supports("avx512f"))
		return read_avx512;
	return __builtin_cpu_supports("avx2") ? read_avx2 : read_plain;
}

#define PIECE ((size_t)2 << 20)

struct job {
	const uint8_t *bytes;
	size_t len;
	_Atomic(uint64_t) sum;
};

static int read_piece(void *arg, unsigned worker, uint64_t item)
{
	struct job *j = arg;
	size_t at = item * PIECE, n = j->len - at < PIECE ? j->len - at : PIECE;

	(void)worker;
	atomic_fetch_or(&j->sum, gb_plain_read_best()(j->bytes + at, n));
	return 0;
}

uint64_t gb_plain_read_parallel(const uint8_t *bytes, size_t len)
{
	struct job j = {.bytes = bytes, .len = len};

	gb_parallel((len + PIECE - 1) / PIECE, read_piece, &j);
	return j.sum;
}
