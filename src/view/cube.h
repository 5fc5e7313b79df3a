// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The cube by direct addressing: voxel -> frame -> byte by two small tables, and back.
//
// Guest RAM is not remapped to be drawn. The Hilbert curve through all bytes (view/hilbert.h) fills
// every aligned 4 KiB frame's own brick of 16^3 voxels, and every brick is one of 24 rigid turns of
// one base brick. So the byte of a voxel is
//
//	ram[frame(cell) * 4096 + offsets[turn(cell)][voxel in the brick]]
//
// A turn is named by how the curve goes through the brick: the corner where it enters (one of the
// four with an even number of high axes), the axis along which its end lies, and the axis of its
// first large step: corner * 6 + axis * 2 + (first step along axis + 1 ? 0 : 1).
//
// Frames are numbered in packed order (gb_layout_index_of). They are a prefix of the curve; the
// cube is the box that this prefix fills, which is smaller than 2^order cells a side unless the
// number of frames is a power of eight. Tables are made by the program from Skilling's transform;
// web/hilbert.js makes the same ones, and a test compares them.
#pragma once

#include "base/error.h"
#include "view/hilbert.h"

#include <stdbool.h>
#include <stddef.h>

#define GB_CUBE_TURNS 24u
#define GB_CUBE_NO_FRAME UINT32_MAX
#define GB_CUBE_FRAMES_MAX ((uint64_t)1 << 27)

struct gb_cube {
	unsigned order; // of the curve through frames: the smallest that holds them all, from 1
	uint32_t frames;
	uint32_t extent[3]; // cells along x, y, z
	uint32_t *cells;  // frame | turn << 27 of cell x + extent[0] * (y + extent[1] * z), or none
	uint32_t *places; // the cell of each frame
};

// Takes frames * 8 bytes or a little more; gb_cube_deinit() gives them back.
// GB_EUSAGE: no frames, or more than GB_CUBE_FRAMES_MAX.
int gb_cube_make(uint64_t frames, struct gb_cube *cube_ret, struct gb_error *err);
void gb_cube_deinit(struct gb_cube *cube);

// The turn of a frame in a cube of 2^order frames a side.
unsigned gb_cube_turn(unsigned order, uint64_t frame);

// For each turn and voxel x | y << 4 | z << 8 of a brick, the offset of its byte.
void gb_cube_offsets(uint16_t offsets_ret[GB_CUBE_TURNS][4096]);

// The byte of a voxel: false where there is no frame. `offsets` as made by gb_cube_offsets().
bool gb_cube_byte_at(const struct gb_cube *cube, const uint16_t offsets[GB_CUBE_TURNS][4096],
		     struct gb_voxel v, uint64_t *index_ret);
