// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Repeatable random numbers for tests: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
#pragma once

#include <stdint.h>

struct test_random {
	uint64_t state;
};

static inline uint64_t test_random_u64(struct test_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

// 0..n-1
static inline uint64_t test_random_below(struct test_random *r, uint64_t n)
{
	return (uint64_t)((unsigned __int128)test_random_u64(r) * n >> 64);
}
