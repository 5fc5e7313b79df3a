// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The address strip: all of physical memory by owner, along one line; and the flat map, the same in
// rows, for browsers without WebGPU.
import { byId, hex, make, size } from './text.js';

const ROW = 256; // frames in a row of the flat map: 1 MiB

const LOADING_MS = 400; // a picture that comes sooner needs no words
const DIM = 60;         // of 255: what is left of an owner that is not shown

// isDim: frames that are not shown now.
function paint(canvas, width, height, memory, frameAt, isDim = () => false) {
	canvas.width = width;
	canvas.height = height;
	const context = canvas.getContext('2d'), image = context.createImageData(width, height);
	for (let i = 0; i < width * height; i++) {
		const frame = frameAt(i);
		if (frame < 0 || frame >= memory.frames || memory.groupOf(frame) === memory.free)
			continue;
		const { colour } = memory.groups[memory.groupOf(frame)];
		image.data.set([colour >> 16, colour >> 8 & 255, colour & 255, isDim(frame) ? DIM : 255], i * 4);
	}
	context.putImageData(image, 0, 0);
}

export class Strip {
	constructor(state) {
		this.state = state;
		this.box = byId('strip');
		this.canvas = make('canvas', { 'aria-hidden': 'true' });
		this.here = make('span', { class: 'here', hidden: true });
		this.box.replaceChildren(this.canvas, ...this.#breaks(), this.here);
		this.#ticks();
		new ResizeObserver(() => this.draw()).observe(this.box);
		for (const type of ['select', 'hover'])
			state.addEventListener(type, () => this.#mark());
		state.memory.addEventListener('owners', () => this.draw());
		setTimeout(() => this.#loading(), LOADING_MS);
		this.box.addEventListener('pointerdown', (event) => {
			this.box.setPointerCapture(event.pointerId);
			this.#choose(event);
		});
		this.box.addEventListener('pointermove', (event) => this.box.hasPointerCapture(event.pointerId) && this.#choose(event));
		this.box.addEventListener('keydown', (event) => this.#key(event));
	}

	// The first picture comes in the order of addresses.
	#loading() {
		const { memory } = this.state;
		if (memory.complete)
			return;
		const words = make('span', { class: 'loading' });
		const tell = ({ detail: { list } }) => (words.textContent = `Reading ${size(memory.frames)}, ${Math.floor(100 * list.at(-1) / memory.frames)} %`);
		this.box.append(words);
		memory.addEventListener('frames', tell);
		memory.addEventListener('complete', () => {
			words.remove();
			memory.removeEventListener('frames', tell);
		}, { once: true });
	}

	#choose({ clientX }) {
		const { left, width } = this.box.getBoundingClientRect(), { frames } = this.state.memory;
		this.state.select(Math.min(frames - 1, Math.max(0, Math.floor((clientX - left) / width * frames))));
	}

	#key(event) {
		const { frames } = this.state.memory, now = Math.max(0, this.state.selected);
		const to = { ArrowRight: now + 1, ArrowUp: now + 1, ArrowLeft: now - 1, ArrowDown: now - 1, PageUp: now + 256, PageDown: now - 256, Home: 0, End: frames - 1 }[event.key];
		if (to === undefined)
			return;
		event.preventDefault();
		event.stopPropagation();
		this.state.select(Math.min(frames - 1, Math.max(0, to)));
	}

	// Where guest-physical addresses jump.
	#breaks() {
		const { layout, frames } = this.state.memory;
		let before = 0;
		return layout.slice(0, -1).map((part) => {
			const mark = make('span', { class: 'break', title: 'Addresses jump here' });
			before += part.size / 4096;
			mark.style.left = `${100 * before / frames}%`;
			return mark;
		});
	}

	#ticks() {
		const { frames } = this.state.memory, step = frames / 4;
		byId('ticks').replaceChildren(...[0, 1, 2, 3, 4].map((i) => {
			const tick = make('span', {}, i === 0 ? '0' : size(Math.round(step * i)));
			tick.style.left = `${25 * i}%`;
			return tick;
		}));
	}

	#mark() {
		const { memory, shown } = this.state;
		this.here.hidden = shown < 0;
		this.here.style.left = `${100 * (shown + 0.5) / memory.frames}%`;
		this.box.setAttribute('aria-valuemin', '0');
		this.box.setAttribute('aria-valuemax', String(memory.frames - 1));
		this.box.setAttribute('aria-valuenow', String(Math.max(0, shown)));
		if (shown >= 0)
			this.box.setAttribute('aria-valuetext', `0x${hex(memory.addressOf(shown))}, ${memory.groups[memory.groupOf(shown)].words}`);
	}

	draw() {
		const { memory } = this.state, width = Math.max(1, Math.round(this.box.clientWidth * devicePixelRatio));
		paint(this.canvas, width, 1, memory, (x) => Math.floor((x + 0.5) * memory.frames / width));
		this.#mark();
	}
}

export class FlatMap {
	constructor(state) {
		this.state = state;
		this.canvas = make('canvas', { role: 'img', 'aria-label': 'Physical memory by owner, one row is 1 MiB' });
		byId('flat').replaceChildren(this.canvas);
		byId('flat').hidden = false;
		for (const [from, type] of [[state.memory, 'owners'], [state, 'filter'], [state, 'focus']])
			from.addEventListener(type, () => this.draw());
		const frame = ({ offsetX, offsetY }) => {
			const { clientWidth, clientHeight, height } = this.canvas;
			const at = Math.floor(offsetY / clientHeight * height) * ROW + Math.floor(offsetX / clientWidth * ROW);
			return at < state.memory.frames ? at : -1;
		};
		this.canvas.addEventListener('pointermove', (event) => state.hover(frame(event)));
		this.canvas.addEventListener('click', (event) => state.select(frame(event)));
		this.draw();
	}

	draw() {
		const { memory, look } = this.state, rows = Math.ceil(memory.frames / ROW);
		paint(this.canvas, ROW, rows, memory, (i) => i, (frame) => look.isDim(frame));
		this.canvas.style.height = `${Math.max(rows * 3, 1)}px`;
	}
}
