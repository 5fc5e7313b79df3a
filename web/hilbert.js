// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The 3D Hilbert curve and the tables for direct addressing: cell -> frame and orientation,
// orientation and voxel -> byte. The same as src/view/hilbert.c and src/view/cube.c, which the
// tests compare it with.
//
// A frame is 16^3 voxels of the curve through all bytes. Every frame is one of 24 rigid turns of
// one base brick. A turn is named by the corner where the curve enters (one of the four with an
// even number of high axes), the axis along which it leaves, and the axis of its first large step.

export const NONE = 0xffffffff;
export const ORIENTATIONS = 24;

function exchange(v, d, q) {
	const low = q - 1;
	if (v[d] & q) {
		v[0] ^= low;
	} else {
		const t = (v[0] ^ v[d]) & low;
		v[0] ^= t;
		v[d] ^= t;
	}
}

// Skilling: "transposed" index to voxel, in place.
function unfold(order, v) {
	const t = v[2] >>> 1; // Gray decode
	v[2] ^= v[1];
	v[1] ^= v[0];
	v[0] ^= t;
	for (let q = 2; q !== 2 ** order; q *= 2)
		for (let d = 2; d >= 0; d--)
			exchange(v, d, q);
}

function transpose(order, index, v, at) {
	for (let i = 0; i < order; i++, index = Math.floor(index / 8)) {
		v[0] |= (index >>> 2 & 1) << at + i;
		v[1] |= (index >>> 1 & 1) << at + i;
		v[2] |= (index & 1) << at + i;
	}
}

// The voxel of a point of the curve.
export function hilbertVoxel(order, index) {
	const v = [0, 0, 0];
	transpose(order, index, v, 0);
	unfold(order, v);
	return v;
}

// The voxel of a byte of a frame, in a cube of 2^order frames a side.
export function byteVoxel(order, frame, offset) {
	const v = [0, 0, 0];
	transpose(order, frame, v, 4);
	transpose(4, offset, v, 0);
	unfold(order + 4, v);
	return v;
}

function orientationOf(order, frame) {
	const enter = byteVoxel(order, frame, 0), second = byteVoxel(order, frame, 512);
	const last = byteVoxel(order, frame, 4095);
	const axis = (to) => [0, 1, 2].find((d) => (enter[d] ^ to[d]) & 8);
	const corner = (enter[0] >> 3 & 1) | (enter[1] >> 3 & 1) << 1 | (enter[2] >> 3 & 1) << 2;
	const exit = axis(last);
	return (corner >> 1) * 6 + exit * 2 + (axis(second) === (exit + 1) % 3 ? 0 : 1);
}

// For each orientation and voxel x | y << 4 | z << 8: the offset of its byte. All 24 turns occur
// among the 512 frames of a cube of 8 frames a side.
export function offsetTable() {
	const table = new Uint16Array(ORIENTATIONS * 4096);
	const done = new Set();
	for (let frame = 0; frame < 512 && done.size < ORIENTATIONS; frame++) {
		const turn = orientationOf(3, frame);
		if (done.has(turn))
			continue;
		done.add(turn);
		for (let offset = 0; offset < 4096; offset++) {
			const [x, y, z] = byteVoxel(3, frame, offset);
			table[turn * 4096 + (x & 15 | (y & 15) << 4 | (z & 15) << 8)] = offset;
		}
	}
	return table;
}

// Frames a side, as a power of two.
export function orderFor(frames) {
	let order = 1;
	while (8 ** order < frames)
		order++;
	return order;
}

// The cube of `frames` frames, a prefix of the curve: the box that they fill, the cell of each
// frame and its turn, and what is in each cell (frame | orientation << 27, or NONE).
export function foldFrames(frames) {
	const order = orderFor(frames), place = new Uint32Array(frames), turn = new Uint8Array(frames);
	const extent = [0, 0, 0], at = new Uint16Array(frames * 3);
	for (let frame = 0; frame < frames; frame++) {
		const enter = byteVoxel(order, frame, 0);
		turn[frame] = orientationOf(order, frame);
		for (let d = 0; d < 3; d++) {
			at[frame * 3 + d] = enter[d] >> 4;
			extent[d] = Math.max(extent[d], (enter[d] >> 4) + 1);
		}
	}
	const cells = new Uint32Array(extent[0] * extent[1] * extent[2]).fill(NONE);
	for (let frame = 0; frame < frames; frame++) {
		const [x, y, z] = at.subarray(frame * 3, frame * 3 + 3);
		place[frame] = x + extent[0] * (y + extent[1] * z);
		cells[place[frame]] = (frame | turn[frame] << 27) >>> 0;
	}
	return { order, frames, extent, at, place, turn, cells };
}
