// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// When the cube is drawn: on demand, first quickly, then with more samples until the picture is
// smooth, then not at all. Slow devices draw fewer pixels while something moves.
import { viewOf } from './camera.js';
import { outlineOf } from './gpu.js';

const MOVING_MS = 250;  // after the last change of the camera it counts as moving
const SLOW_MS = 45;
const PIXELS_MAX = 8e6;

// Points that fill the pixel evenly (Roberts' R2 sequence); the first is its centre.
const jitterOf = (sample) => (sample === 0 ? [0, 0] : [(0.7548776662466927 * sample + 0.5) % 1 - 0.5, (0.5698402909980532 * sample + 0.5) % 1 - 0.5]);

export class Picture extends EventTarget {
	samples = 16;
	shadow = true;
	lift = 16;
	lines = [];     // { cell, half, strength }: outlined frames
	stats = { gpuMs: 0, frames: [] };
	#sample = 0;
	#stale = true;  // the samples so far are of another picture
	#over = true;   // the outlines changed
	#busy = false;
	#asked = false;
	#moved = -Infinity;
	#slow = 1;      // pixels are this many times larger while moving

	constructor(gpu, look, style, pose) {
		super();
		Object.assign(this, { gpu, look, style, pose });
		gpu.setLook(look);
	}

	get still() {
		return !this.#stale && !this.#over && !this.#busy && this.#sample >= this.samples && this.coarse === 1;
	}

	get moving() {
		return performance.now() - this.#moved < MOVING_MS;
	}

	move(pose) {
		this.pose = pose;
		this.#moved = performance.now();
		this.redraw();
	}

	redraw() {
		this.#stale = true;
		this.#ask();
	}

	outline(lines) {
		this.lines = lines;
		this.#over = true;
		this.#ask();
	}

	setLook() {
		this.gpu.setLook(this.look);
		this.redraw();
	}

	// The view in CSS pixels: for picking and labels.
	view() {
		const { clientWidth, clientHeight } = this.gpu.canvas;
		return viewOf(this.pose, this.look.fold.extent, clientWidth, clientHeight, this.lift);
	}

	#ask() {
		if (!this.#asked && !this.#busy) {
			this.#asked = true;
			requestAnimationFrame(() => this.#next());
		}
	}

	#size(coarse) {
		const canvas = this.gpu.canvas, ratio = Math.min(devicePixelRatio, Math.sqrt(PIXELS_MAX / Math.max(1, canvas.clientWidth * canvas.clientHeight)));
		const width = Math.max(1, Math.round(canvas.clientWidth * ratio)), height = Math.max(1, Math.round(canvas.clientHeight * ratio));
		if (canvas.width !== width || canvas.height !== height) {
			canvas.width = width;
			canvas.height = height;
			this.#stale = true;
		}
		this.gpu.resize(Math.max(1, Math.ceil(width / coarse)), Math.max(1, Math.ceil(height / coarse)));
	}

	#overlay() {
		const view = this.view(), scale = this.gpu.canvas.width / view.width;
		return this.lines.flatMap(({ cell, half, strength }) =>
			outlineOf(view, cell, cell.map((c) => c + 1), half * scale, strength, scale));
	}

	// What the next sample is drawn with; starts a new picture where that is needed.
	#plan() {
		const coarse = this.moving ? this.#slow : 1;
		if (coarse !== this.coarse)
			this.#stale = true;
		this.coarse = coarse;
		this.#size(coarse);
		if (this.#stale) {
			this.#sample = 0;
			this.#stale = false;
		}
		const { width, height } = this.gpu, zoom = height / this.gpu.canvas.clientHeight;
		return { view: viewOf(this.pose, this.look.fold.extent, width, height, this.lift * zoom, jitterOf(this.#sample)),
			sample: this.#sample, draw: this.#sample < this.samples, style: this.style, look: this.look,
			shadow: this.shadow, lines: this.#overlay() };
	}

	async #next() {
		this.#asked = false;
		if (this.#busy || this.gpu.canvas.clientWidth === 0)
			return;
		this.#busy = true;
		this.#over = false;
		const plan = this.#plan();
		this.#sample++;
		const ms = await this.gpu.render(plan);
		this.#busy = false;
		if (plan.draw)
			this.#measure(ms);
		this.dispatchEvent(new CustomEvent('drawn', { detail: { sample: plan.sample, ms } }));
		if (this.#stale || this.#over || this.#sample < this.samples)
			this.#ask();
		else if (this.coarse > 1) // even if it stopped moving while this one was drawn
			setTimeout(() => this.redraw(), MOVING_MS);
		else
			this.dispatchEvent(new Event('still'));
	}

	#measure(ms) {
		const now = performance.now();
		this.stats.gpuMs = ms;
		this.stats.frames = [...this.stats.frames.filter((t) => now - t < 1000), now];
		const full = ms * this.coarse ** 2;
		this.#slow = full < SLOW_MS ? 1 : full < 4 * SLOW_MS ? 2 : full < 9 * SLOW_MS ? 3 : 4;
	}
}
