// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The 3D Hilbert curve: index along the line <-> voxel, Skilling's transform.
//
// John Skilling, "Programming the Hilbert curve", AIP Conf. Proc. 707 (2004). Order k folds the
// line of 2^(3k) points into a cube of side 2^k; k is 1..20.
#pragma once

#include <stdint.h>

struct gb_voxel {
	uint32_t x, y, z;
};

struct gb_voxel gb_hilbert_voxel(unsigned order, uint64_t index);
uint64_t gb_hilbert_index(unsigned order, struct gb_voxel v);
