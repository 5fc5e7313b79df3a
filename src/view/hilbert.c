// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Skilling's transform, plain: the reference that all fast forms are checked against.
#include "view/hilbert.h"

// The index in "transposed" form: bit 3i+2, 3i+1, 3i of the index are bit i of x, y, z.
static void transpose(unsigned order, uint64_t index, uint32_t v[3])
{
	v[0] = v[1] = v[2] = 0;
	for (unsigned i = 0; i < order; i++)
		for (unsigned d = 0; d < 3; d++)
			v[d] |= (uint32_t)(index >> (3 * i + 2 - d) & 1) << i;
}

static uint64_t interleave(unsigned order, const uint32_t v[3])
{
	uint64_t index = 0;

	for (unsigned i = 0; i < order; i++)
		for (unsigned d = 0; d < 3; d++)
			index |= (uint64_t)(v[d] >> i & 1) << (3 * i + 2 - d);
	return index;
}

// Invert the low bits of v[0] if bit q of v[d] is set, else exchange them with those of v[d].
static void exchange(uint32_t v[3], unsigned d, uint32_t q)
{
	uint32_t low = q - 1, t;

	if (v[d] & q) {
		v[0] ^= low;
		return;
	}
	t = (v[0] ^ v[d]) & low;
	v[0] ^= t;
	v[d] ^= t;
}

struct gb_voxel gb_hilbert_voxel(unsigned order, uint64_t index)
{
	uint32_t v[3], t;

	transpose(order, index, v);
	t = v[2] >> 1; // Gray decode
	v[2] ^= v[1];
	v[1] ^= v[0];
	v[0] ^= t;
	for (uint32_t q = 2; q != (uint32_t)1 << order; q <<= 1)
		for (unsigned d = 3; d-- > 0;)
			exchange(v, d, q);
	return (struct gb_voxel){v[0], v[1], v[2]};
}

uint64_t gb_hilbert_index(unsigned order, struct gb_voxel voxel)
{
	uint32_t v[3] = {voxel.x, voxel.y, voxel.z}, t = 0;

	for (uint32_t q = (uint32_t)1 << (order - 1); q > 1; q >>= 1)
		for (unsigned d = 0; d < 3; d++)
			exchange(v, d, q);
	v[1] ^= v[0]; // Gray encode
	v[2] ^= v[1];
	for (uint32_t q = (uint32_t)1 << (order - 1); q > 1; q >>= 1)
		if (v[2] & q)
			t ^= q - 1;
	for (unsigned d = 0; d < 3; d++)
		v[d] ^= t;
	return interleave(order, v);
}
