// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The cube on the page: picture, camera, pointer and selection brought together.
import { clampPose, flight, framePose, startPose } from './camera.js';
import { Gpu, linearColour } from './gpu.js';
import { Orbit } from './input.js';
import { UNKNOWN_HATCH } from './memory.js';
import { GLASS_PX, pick } from './pick.js';
import { Picture } from './picture.js';
import { byId, clean, hex, make } from './text.js';

const LIFT = 16, MARGIN = 16;
const REDUCED = matchMedia('(prefers-reduced-motion: reduce)');

function colourOf(name) {
	const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	return linearColour(Number.parseInt(text.slice(1), 16));
}

export class Scene {
	picture = null;
	#flying = 0;
	#moved = false;  // the user chose this view: another size of the window leaves it
	#pose;
	#front = false;  // all was framed just now: next time from the front

	constructor(canvas, state, offsets, options) {
		Object.assign(this, { canvas, state, offsets, options });
		this.still = options.still || REDUCED.matches;
		this.#pose = options.pose ?? this.#startPose();
		this.orbit = new Orbit(canvas, this);
		for (const type of ['select', 'hover', 'focus', 'filter', 'isolate'])
			state.addEventListener(type, (event) => this.#changed(type, event.detail));
		state.memory.addEventListener('owners', () => this.#owners());
		state.memory.addEventListener('frames', ({ detail }) => this.#written(detail));
		state.memory.addEventListener('complete', () => this.#nearer());
		new ResizeObserver(() => this.#resized()).observe(canvas);
	}

	async open() {
		const gpu = await Gpu.open(this.canvas, this.state.look.fold, this.offsets);
		const picture = new Picture(gpu, this.state.look, this.style(), this.#pose);
		picture.lift = LIFT;
		picture.samples = this.options.samples ?? picture.samples;
		picture.shadow = this.options.shadow ?? true;
		this.picture = picture;
		this.#nearer();
		this.#outline();
		picture.redraw();
		return gpu.device;
	}

	style() {
		const { memory, look } = this.state, { theme, patterns } = document.documentElement.dataset, light = theme === 'light';
		return {
			canvas: colourOf('--canvas'), fog: colourOf('--fog'), edge: colourOf('--edge'), wire: colourOf('--wire'), text: colourOf('--text'),
			air: look.off.has(memory.free) ? 0 : 0.002, edgeStrength: matchMedia('(prefers-contrast: more)').matches ? 1 : 0.55,
			wireStrength: light ? 0.45 : 0.5,
			groups: memory.groups.map((g) => ({ colour: linearColour(g.colour), hatch: patterns !== undefined || g.hatch === UNKNOWN_HATCH ? g.hatch : 0 })),
		};
	}

	restyle() {
		if (!this.picture)
			return;
		this.picture.style = this.style();
		this.picture.redraw();
	}

	get extent() {
		return this.state.look.fold.extent;
	}

	get pose() {
		return this.#pose;
	}

	set pose(pose) {
		cancelAnimationFrame(this.#flying);
		this.#front = false;
		this.#moved = true;
		this.#go(pose);
	}

	#go(pose) {
		this.#pose = clampPose(pose, this.extent);
		this.picture?.move(this.#pose);
		this.#nearer();
		this.#outline();
		this.state.dispatchEvent(new Event('view'));
	}

	get view() {
		return this.picture?.view();
	}

	// The part of the canvas that nothing covers, around the centre of the picture.
	#room() {
		const { clientWidth: width, clientHeight: height } = this.canvas;
		const under = 46, top = 44;
		return { height, halfWidth: width / 2 - MARGIN, above: height / 2 - LIFT - top, below: height / 2 + LIFT - under };
	}

	#startPose(front = false) {
		return startPose(this.extent, this.#room(), front);
	}

	#resized() {
		if (!this.picture)
			return;
		if (!this.#moved && !this.options.pose)
			this.#pose = this.#startPose();
		this.picture.pose = this.#pose;
		this.picture.redraw();
		this.hover(null); // the picture has moved away under the pointer
	}

	frameAll() {
		const front = this.#front;
		this.fly(null, this.#startPose(front));
		this.#front = !front;
		this.#moved = front;
	}

	// To a frame, or a pose; nothing: all.
	fly(hit, pose = null) {
		if (hit && !hit.cell)
			return this.frameAll();
		const to = clampPose(pose ?? framePose(this.#pose, hit.cell.map((c) => c - 1.5), hit.cell.map((c) => c + 2.5), this.#room()), this.extent);
		if (hit && hit.frame >= 0)
			this.state.select(hit.frame, { offset: hit.offset });
		cancelAnimationFrame(this.#flying);
		this.#moved = true;
		if (this.still)
			return this.#go(to);
		const path = flight(this.#pose, to), start = performance.now();
		const step = (now) => {
			const time = Math.max(0, now - start);
			this.#go(path.at(time));
			if (time < path.length)
				this.#flying = requestAnimationFrame(step);
		};
		this.#flying = requestAnimationFrame(step);
	}

	flyToFrame(frame) {
		if (frame >= 0)
			this.fly({ frame, offset: this.state.offset, cell: this.cellOf(frame) });
	}

	// A set of frames: near if it is in one place, else the whole box.
	flyToRuns(runs) {
		const { at } = this.state.look.fold, low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
		for (const [first, n] of runs)
			for (let frame = first; frame < first + n; frame++)
				for (let d = 0; d < 3; d++) {
					low[d] = Math.min(low[d], at[3 * frame + d]);
					high[d] = Math.max(high[d], at[3 * frame + d] + 1);
				}
		const volume = (v) => v.reduce((a, b) => a * b, 1);
		if (!runs.length || volume(high.map((v, d) => v - low[d])) > 0.6 * volume(this.extent))
			return this.frameAll();
		this.fly(null, framePose(this.#pose, low, high, this.#room()));
	}

	cellOf(frame) {
		return [...this.state.look.fold.at.subarray(3 * frame, 3 * frame + 3)];
	}

	// The GPU gets the bytes once the nearest frames are large enough to show them.
	#nearer() {
		const { gpu } = this.picture ?? {}, { memory } = this.state;
		if (!gpu || gpu.hasBytes || !memory.complete || !this.options.near)
			return;
		const view = this.view, gap = this.extent.map((e, d) => Math.max(0, -view.position[d], view.position[d] - e));
		if (view.focal / Math.max(0.5, Math.hypot(...gap)) > GLASS_PX) {
			gpu.holdBytes(memory);
			this.#owners(); // which frames have data
		}
	}

	#owners() {
		this.state.look.update();
		this.picture?.setLook();
	}

	#written({ list, changed }) {
		const { picture, state } = this;
		if (!picture)
			return;
		if (picture.gpu.hasBytes)
			picture.gpu.updateBytes(state.memory, list);
		else
			this.#nearer();
		if (picture.gpu.hasBytes && changed)
			this.#owners();
		else if (picture.gpu.hasBytes && list.some((frame) => this.#isNear(frame)))
			picture.redraw();
	}

	// Can its bytes be seen? A write far away does not change the picture.
	#isNear(frame) {
		const { position, focal } = this.view, gap = this.cellOf(frame).map((c, d) => Math.max(0, c - position[d], position[d] - c - 1));
		return focal >= GLASS_PX * Math.hypot(...gap);
	}

	pick(x, y) {
		const { look, memory } = this.state, { view } = this;
		return view ? pick(view, x, y, look, memory, this.offsets, this.picture.gpu.byteFrames ?? 0) : null;
	}

	hover(hit, event) {
		const frame = hit?.frame ?? -1;
		this.state.hover(frame, hit?.offset ?? -1);
		this.#tip(frame, event);
	}

	click(hit) {
		if (hit?.frame >= 0)
			this.state.select(hit.frame, { offset: hit.offset });
		else if (this.state.selected >= 0)
			this.state.select(-1);
	}

	#tip(frame, event) {
		const tip = byId('tip'), { memory } = this.state;
		tip.hidden = frame < 0;
		if (frame < 0)
			return;
		const pid = memory.pids[frame], { words } = memory.groups[memory.groupOf(frame)];
		tip.replaceChildren(words, make('span', {}, pid ? ` ${clean(this.state.commOf(pid), 24)} ${pid}` : ''), make('span', {}, ` 0x${hex(memory.addressOf(frame))}`));
		const x = Math.min(event.offsetX + 14, this.canvas.clientWidth - tip.offsetWidth - 8);
		const y = Math.min(event.offsetY + 18, this.canvas.clientHeight - tip.offsetHeight - 60);
		tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
	}

	#outline() {
		const { selected, hovered, memory } = this.state, lines = [];
		if (hovered >= 0 && hovered !== selected)
			lines.push({ cell: this.cellOf(hovered), half: 0.5, strength: 0.75 });
		if (selected >= 0 && selected < memory.frames)
			lines.push({ cell: this.cellOf(selected), half: 1, strength: 1 });
		this.picture?.outline(lines);
	}

	#changed(type, detail) {
		if (type === 'select' || type === 'hover')
			this.#outline();
		if (type === 'select' && detail?.fly)
			this.flyToFrame(this.state.selected);
		if (type === 'focus')
			this.picture?.redraw();
		if (type === 'filter' && this.picture) {
			this.picture.style = this.style();
			this.picture.setLook();
		}
	}

	// What of memory is shown.
	crumb() {
		const { memory, look, pid } = this.state;
		if (pid !== null)
			return `${clean(this.state.commOf(pid), 24)} ${pid}`;
		return look.only >= 0 ? memory.groups[look.only].words : look.off.size ? 'Some owners' : 'All memory';
	}
}
