// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Which cells a ray visits, in integers: the same walk as shaders/march.wgsl, for picking. It finds
// exactly the cell that the shader draws, without a trip to the GPU. See there how it works.

export const NEVER = 0xffffffff;

const later = (a, b) => (a > NEVER - b ? NEVER : a + b);

// floor(a * 2^s / b), NEVER where that needs more than 32 bits.
function scaledRatio(a, b, s) {
	if (b === 0)
		return NEVER;
	let q = Math.floor(a / b), r = a % b;
	if (q >= 2 ** (32 - s))
		return NEVER;
	for (let left = s; left > 0;) {
		const k = Math.min(left, 12);
		r *= 2 ** k;
		q = q * 2 ** k + Math.floor(r / b);
		r %= b;
		left -= k;
	}
	return q;
}

function catchUp(w, c, limit) {
	if (w.next[c] >= limit || w.next[c] === NEVER)
		return;
	const n = Math.floor((limit - 1 - w.next[c]) / w.delta[c]);
	w.next[c] = later(w.next[c] + n * w.delta[c], w.delta[c]);
	w.cell[c] += n + 1;
}

// The ray of a pixel of the view (see camera.js).
export function rayOf(view, x, y) {
	return [0, 1, 2].map((c) => (view.d0[c] + x * view.du[c] + y * view.dv[c]) >> 8);
}

export function walkStart(view, direction) {
	const w = { cell: [0, 0, 0], next: [0, 0, 0], delta: [0, 0, 0], mirror: [], t: 0, axis: 3, alive: true };
	for (let c = 0; c < 3; c++) {
		const size = view.extent[c] * 4096, speed = Math.abs(direction[c]);
		w.mirror[c] = direction[c] < 0;
		const from = w.mirror[c] ? size - view.eye[c] : view.eye[c];
		if (from >= size || (from < 0 && speed === 0))
			w.alive = false;
		w.cell[c] = from < 0 ? -1 : from >> 12;
		w.next[c] = scaledRatio(from < 0 ? -from : 4096 - (from & 4095), speed, view.bits + 6);
		w.delta[c] = Math.max(scaledRatio(4096, speed, view.bits + 6), 1);
		if (from < 0 && (w.next[c] > w.t || w.axis === 3)) {
			w.t = w.next[c];
			w.axis = c;
		}
	}
	if (w.t === NEVER)
		w.alive = false;
	for (let c = 0; c < 3 && w.alive; c++)
		catchUp(w, c, w.t + 1);
	w.alive &&= w.cell.every((cell, c) => cell < view.extent[c]);
	return w;
}

export function walkCell(view, w) {
	return w.cell.map((cell, c) => (w.mirror[c] ? view.extent[c] - 1 - cell : cell));
}

function earliest(t) {
	if (t[0] <= t[1] && t[0] <= t[2])
		return 0;
	return t[1] <= t[2] ? 1 : 2;
}

export function walkStep(view, w) {
	const axis = earliest(w.next), t = w.next[axis];
	if (t === NEVER) {
		w.alive = false;
		return;
	}
	for (let c = 0; c < 3; c++)
		catchUp(w, c, t + (c <= axis ? 1 : 0));
	w.t = t;
	w.axis = axis;
	w.alive = w.cell.every((cell, d) => cell < view.extent[d]);
}

// The byte voxels of the frame that the walk is in; see shaders/bytes.wgsl. Calls `solid` with the
// voxel x | y << 4 | z << 8 until it says true; returns that voxel, or -1.
export function walkBytes(view, w, solid) {
	const sub = [0, 0, 0], next = [...w.next];
	const delta = w.delta.map((d) => (d === NEVER ? NEVER : Math.max(d >>> 4, 1)));
	for (let c = 0; c < 3; c++) {
		const from = w.mirror[c] ? view.extent[c] * 4096 - view.eye[c] : view.eye[c];
		sub[c] = (from & 4095) >> 8;
		if (next[c] !== NEVER && delta[c] !== NEVER) {
			const left = Math.min(15, Math.floor((Math.max(next[c] - w.t, 1) - 1) / delta[c]));
			next[c] -= left * delta[c];
			sub[c] = 15 - left;
		}
	}
	for (let axis = w.axis; ;) {
		const [x, y, z] = sub.map((s, c) => (w.mirror[c] ? 15 - s : s));
		const voxel = x | y << 4 | z << 8;
		if (axis < 3 && solid(voxel))
			return voxel;
		axis = earliest(next);
		if (++sub[axis] > 15 || next[axis] === NEVER)
			return -1;
		next[axis] = later(next[axis], delta[axis]);
	}
}

export const depthOf = (view, t) => t / 2 ** view.bits;
