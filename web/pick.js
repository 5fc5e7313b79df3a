// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What is under a point of the canvas: the cell that the shader draws there (see march.js).
import { NONE } from './hilbert.js';
import { depthOf, rayOf, walkBytes, walkCell, walkStart, walkStep } from './march.js';

// Pixels per frame from which frames begin to turn into cases of bytes, and are half of that.
export const GLASS_PX = 30, HALF_GLASS_PX = 45;

// Ray time before which frames are that large.
export const timeOf = (view, px) => Math.floor(view.focal / px * 2 ** view.bits);

// { frame, offset, cell, depth } with frame and offset -1 where there is none. `held`: how many
// frames have their bytes on the GPU.
export function pick(view, x, y, look, memory, offsets, held) {
	const w = walkStart(view, rayOf(view, Math.floor(x), Math.floor(y))), glass = held > 0 ? timeOf(view, HALF_GLASS_PX) : 0;
	const { extent, cells } = look.fold, eye = 2 ** view.bits;
	let first = null;
	for (; w.alive; walkStep(view, w)) {
		const at = walkCell(view, w), cell = at[0] + extent[0] * (at[1] + extent[1] * at[2]);
		if (!look.solidAt(cell) || w.axis === 3 || w.t <= eye)
			continue;
		const word = cells[cell], hit = { frame: word === NONE ? -1 : word & 0x7ffffff, offset: -1, cell: at, depth: depthOf(view, w.t) };
		if (w.t >= glass || hit.frame >= held)
			return first ?? hit;
		first ??= hit;
		if (!(look.words[cell] & 64))
			continue;
		const turn = (word >>> 27) * 4096, bytes = memory.bytesOf(hit.frame);
		const voxel = walkBytes(view, w, (v) => bytes[offsets[turn + v]] !== 0);
		if (voxel >= 0)
			return { ...hit, offset: offsets[turn + voxel] };
	}
	return first ?? { frame: -1, offset: -1, cell: null, depth: 0 };
}
