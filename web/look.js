// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What each cell shows: filters, isolation and focus turned into the words that the shader reads.
import { NONE } from './hilbert.js';

export const AIR = 0, SOLID = 1, GHOST = 2;
const FULL = 64;

export class Look {
	off = new Set();      // groups that are switched off: ghosts
	only = -1;            // the one group that is shown, or -1
	chosen = null;        // Uint8Array, 1 for each frame of an isolated set
	focus = { groups: 0xffffffff, pid: NONE }; // what a hover keeps in full colour

	constructor(memory, fold) {
		this.memory = memory;
		this.fold = fold;
		this.words = new Uint32Array(fold.cells.length);
		this.blockSize = fold.extent.map((e) => Math.ceil(e / 4));
		this.blocks = new Uint32Array(this.blockSize.reduce((a, b) => a * b));
		this.fill = new Uint8Array(Math.ceil(fold.cells.length / 4) * 4);
	}

	get isolated() {
		return this.chosen !== null || this.only >= 0 || this.off.size > 0;
	}

	kindOf(frame, group) {
		if (this.only >= 0)
			return group === this.only ? SOLID : group === this.memory.free ? AIR : GHOST;
		if (this.chosen)
			return this.chosen[frame] ? SOLID : group === this.memory.free ? AIR : GHOST;
		if (group === this.memory.free)
			return AIR;
		return this.off.has(group) ? GHOST : SOLID;
	}

	// Drawn as a ghost, or faded by a hover.
	isDim(frame) {
		const { memory, focus } = this, group = memory.groupOf(frame);
		return this.kindOf(frame, group) === GHOST || !(focus.groups >>> group & 1) || (focus.pid !== NONE && focus.pid !== memory.pids[frame]);
	}

	update() {
		const { memory, fold, words } = this;
		for (let frame = 0; frame < memory.frames; frame++) {
			const group = memory.groupOf(frame);
			words[fold.place[frame]] = (group | this.kindOf(frame, group) << 4 |
				(memory.full[frame] ? FULL : 0) | memory.pids[frame] << 8) >>> 0;
		}
		this.#summarise();
		this.#blur();
	}

	solidAt(cell) {
		return (this.words[cell] >> 4 & 3) === SOLID;
	}

	#summarise() {
		const [ex, ey] = this.fold.extent, [bx, by] = this.blockSize;
		this.blocks.fill(0);
		for (let cell = 0; cell < this.words.length; cell++) {
			if ((this.words[cell] >> 4 & 3) === AIR)
				continue;
			const x = cell % ex, y = Math.floor(cell / ex) % ey, z = Math.floor(cell / (ex * ey));
			this.blocks[(x >> 2) + bx * ((y >> 2) + by * (z >> 2))] = 1;
		}
	}

	// How full it is around each cell: exp(-r^2 / 5), radius 3, one axis after the other.
	#blur() {
		const [ex, ey, ez] = this.fold.extent, n = this.words.length;
		const weights = [-3, -2, -1, 0, 1, 2, 3].map((r) => Math.exp(-r * r / 5));
		const total = weights.reduce((a, b) => a + b);
		let from = new Float32Array(n), to = new Float32Array(n);
		for (let cell = 0; cell < n; cell++)
			from[cell] = this.solidAt(cell) ? 1 : 0;
		for (const [stride, size] of [[1, ex], [ex, ey], [ex * ey, ez]]) {
			to.fill(0);
			for (let cell = 0; cell < n; cell++) {
				if (from[cell] === 0)
					continue;
				const at = Math.floor(cell / stride) % size;
				for (let r = Math.max(-3, -at); r <= Math.min(3, size - 1 - at); r++)
					to[cell + r * stride] += from[cell] * weights[r + 3] / total;
			}
			[from, to] = [to, from];
		}
		for (let cell = 0; cell < n; cell++)
			this.fill[cell] = Math.round(255 * from[cell]);
	}
}
