// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tables of the cube.
#include "view/cube.h"

#include <stdlib.h>
#include <string.h>

#define TURN_SHIFT 27

// Offset of the byte after the first large step: an eighth of a frame further.
#define EIGHTH 512
#define LAST 4095

static uint32_t axis_of(const struct gb_voxel v, unsigned d)
{
	return d == 0 ? v.x : d == 1 ? v.y : v.z;
}

static struct gb_voxel byte_voxel(unsigned order, uint64_t frame, unsigned offset)
{
	return gb_hilbert_voxel(order + 4, frame << 12 | offset);
}

// The axis along which two voxels lie in different halves of their brick.
static unsigned axis_between(struct gb_voxel a, struct gb_voxel b)
{
	if ((a.x ^ b.x) & 8)
		return 0;
	return (a.y ^ b.y) & 8 ? 1 : 2;
}

unsigned gb_cube_turn(unsigned order, uint64_t frame)
{
	struct gb_voxel enter = byte_voxel(order, frame, 0);
	unsigned corner = (enter.x >> 3 & 1) | (enter.y >> 3 & 1) << 1 | (enter.z >> 3 & 1) << 2;
	unsigned exit = axis_between(enter, byte_voxel(order, frame, LAST));
	unsigned first = axis_between(enter, byte_voxel(order, frame, EIGHTH));

	return (corner >> 1) * 6 + exit * 2 + (first == (exit + 1) % 3 ? 0 : 1);
}

static unsigned order_for(uint64_t frames)
{
	unsigned order = 1;

	while ((uint64_t)1 << 3 * order < frames)
		order++;
	return order;
}

static void measure(struct gb_cube *c)
{
	for (uint32_t frame = 0; frame < c->frames; frame++) {
		struct gb_voxel v = gb_hilbert_voxel(c->order, frame);

		for (unsigned d = 0; d < 3; d++)
			if (c->extent[d] <= axis_of(v, d))
				c->extent[d] = axis_of(v, d) + 1;
	}
}

static void place(struct gb_cube *c)
{
	for (uint32_t frame = 0; frame < c->frames; frame++) {
		struct gb_voxel v = gb_hilbert_voxel(c->order, frame);
		uint32_t cell = v.x + c->extent[0] * (v.y + c->extent[1] * v.z);

		c->places[frame] = cell;
		c->cells[cell] = frame | gb_cube_turn(c->order, frame) << TURN_SHIFT;
	}
}

int gb_cube_make(uint64_t frames, struct gb_cube *cube_ret, struct gb_error *err)
{
	struct gb_cube c = {.order = order_for(frames), .frames = (uint32_t)frames};
	size_t cells;

	if (frames == 0 || frames > GB_CUBE_FRAMES_MAX)
		return gb_fail(err, GB_EUSAGE, "a cube holds 1 to %llu frames, not %llu",
			       (unsigned long long)GB_CUBE_FRAMES_MAX, (unsigned long long)frames);
	measure(&c);
	cells = (size_t)c.extent[0] * c.extent[1] * c.extent[2];
	c.cells = malloc(cells * sizeof(*c.cells));
	c.places = malloc(frames * sizeof(*c.places));
	if (!c.cells || !c.places) {
		gb_cube_deinit(&c);
		return gb_fail(err, GB_ENOMEM, "no memory for a cube of %zu cells", cells);
	}
	memset(c.cells, 0xff, cells * sizeof(*c.cells));
	place(&c);
	*cube_ret = c;
	return 0;
}

void gb_cube_deinit(struct gb_cube *cube)
{
	free(cube->cells);
	free(cube->places);
	*cube = (struct gb_cube){};
}

void gb_cube_offsets(uint16_t offsets_ret[GB_CUBE_TURNS][4096])
{
	uint32_t done = 0;

	// All turns occur among the 512 frames of a cube of 8 frames a side.
	for (uint64_t frame = 0; frame < 512; frame++) {
		unsigned turn = gb_cube_turn(3, frame);

		if (done >> turn & 1)
			continue;
		done |= (uint32_t)1 << turn;
		for (unsigned offset = 0; offset < 4096; offset++) {
			struct gb_voxel v = byte_voxel(3, frame, offset);

			offsets_ret[turn][(v.x & 15) | (v.y & 15) << 4 | (v.z & 15) << 8] =
				(uint16_t)offset;
		}
	}
}

bool gb_cube_byte_at(const struct gb_cube *cube, const uint16_t offsets[GB_CUBE_TURNS][4096],
		     struct gb_voxel v, uint64_t *index_ret)
{
	uint32_t x = v.x >> 4, y = v.y >> 4, z = v.z >> 4, word;

	if (x >= cube->extent[0] || y >= cube->extent[1] || z >= cube->extent[2])
		return false;
	word = cube->cells[x + cube->extent[0] * (y + cube->extent[1] * z)];
	if (word == GB_CUBE_NO_FRAME)
		return false;
	*index_ret = (uint64_t)(word & (((uint32_t)1 << TURN_SHIFT) - 1)) << 12 |
		     offsets[word >> TURN_SHIFT][(v.x & 15) | (v.y & 15) << 4 | (v.z & 15) << 8];
	return true;
}
