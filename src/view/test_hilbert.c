// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the Hilbert transform.
#include "tests/tap.h"
#include "view/hilbert.h"

static uint32_t distance(struct gb_voxel a, struct gb_voxel b)
{
	return (uint32_t)(abs((int)a.x - (int)b.x) + abs((int)a.y - (int)b.y) +
			  abs((int)a.z - (int)b.z));
}

static void adjacent_addresses_are_adjacent_voxels(void)
{
	for (unsigned order = 1; order <= 6; order++) {
		struct gb_voxel before = gb_hilbert_voxel(order, 0);

		CHECK_EQ(before.x + before.y + before.z, 0);
		for (uint32_t i = 1; i < (uint32_t)1 << (3 * order); i++) {
			struct gb_voxel v = gb_hilbert_voxel(order, i);

			REQUIRE(distance(before, v) == 1);
			before = v;
		}
	}
}

static void both_ways_agree(void)
{
	uint32_t random = 1;

	for (unsigned order = 1; order <= 6; order++)
		for (uint32_t i = 0; i < (uint32_t)1 << (3 * order); i++)
			REQUIRE(gb_hilbert_index(order, gb_hilbert_voxel(order, i)) == i);
	for (unsigned order = 7; order <= 10; order++)
		for (int n = 0; n < 200000; n++) {
			uint32_t i, mask = ((uint32_t)1 << (3 * order)) - 1;

			random = random * 1664525 + 1013904223;
			i = (random ^ random >> 13) & mask;
			REQUIRE(gb_hilbert_index(order, gb_hilbert_voxel(order, i)) == i);
			REQUIRE(i == 0 || distance(gb_hilbert_voxel(order, i - 1),
						   gb_hilbert_voxel(order, i)) == 1);
		}
}

TAP_MAIN(TAP_CASE(adjacent_addresses_are_adjacent_voxels), TAP_CASE(both_ways_agree))
