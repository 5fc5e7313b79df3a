// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The status line: at most four updates a second, so that numbers can be read.
import { byId, clean, count, make, plural, size } from './text.js';

const PERIOD = 250;

export class Status {
	#written = [];   // [when, bytes] of the last second
	#torn = 0;
	#status = null;
	#ended = false;

	constructor(memory, picture) {
		this.memory = memory;
		this.picture = picture; // a function: there may be none yet
		memory.addEventListener('tick', ({ detail }) => {
			this.#torn = detail.torn;
			this.paused = (detail.flags & 1) !== 0;
		});
		memory.addEventListener('frames', ({ detail }) => detail.live && this.#written.push([performance.now(), detail.list.length]));
		memory.addEventListener('end', () => (this.#ended = true));
		setInterval(() => this.draw(), PERIOD);
	}

	set status(status) {
		this.#status = status;
	}

	set hello(hello) {
		this.missing = hello.missing;
		this.kernel = hello.understood ? `Linux ${clean(hello.release, 40)}, ${count(hello.symbols)} symbols and ${count(hello.btf_types)} types from RAM in ${Math.round(hello.attach_ms)} ms`
			: 'kernel not understood';
	}

	#rate() {
		const now = performance.now();
		this.#written = this.#written.filter(([when]) => now - when < 1000);
		return this.#written.reduce((sum, [, frames]) => sum + frames, 0) / 256;
	}

	#age() {
		const { age } = this.memory;
		if (this.#ended || age === null)
			return null;
		const text = age < 1000 ? `${Math.round(age)} ms` : `${(age / 1000).toFixed(0)} s`;
		return { text: ['picture ', text, ' old'], state: age > 1000 ? 'bad' : age > 100 ? 'caution' : '' };
	}

	#consistency() {
		const torn = this.#torn || this.#status?.torn || 0;
		if (this.#status === null && this.memory.age === null)
			return null;
		if (this.#status?.cut)
			return { dot: 'caution', text: 'page tables without end: some owners are missing', state: 'caution' };
		if (this.missing)
			return { dot: 'caution', text: `incomplete: the image lacks ${size(Math.ceil(this.missing / 4096))} of the machine's RAM`, state: 'caution' };
		return torn ? { dot: 'caution', text: `torn: ${plural(torn, 'frame')} moved while reading`, state: 'caution' }
			: { dot: '', text: `${this.paused ? 'one instant' : 'verified'}, 0 torn frames`, state: '' };
	}

	draw() {
		const parts = [], add = (state, ...children) => parts.push(make('span', { class: state }, ...children));
		const value = (text) => make('b', {}, text), stats = this.picture()?.stats, age = this.#age(), consistent = this.#consistency();
		if (stats) {
			const rate = stats.frames.filter((t) => performance.now() - t < 1000).length;
			add('', ...rate ? [value(String(rate)), ' fps'] : ['picture at rest']);
			add('optional', 'GPU ', value(stats.gpuMs.toFixed(1)), ' ms');
		}
		if (this.paused)
			add('caution', 'guest paused');
		add('', value(this.#rate().toFixed(this.#rate() < 10 ? 1 : 0)), ' MiB/s written');
		if (age)
			add(`optional ${age.state}`, age.text[0], value(age.text[1]), age.text[2]);
		if (consistent)
			add(consistent.state, make('span', { class: `dot ${consistent.dot}` }), consistent.text);
		parts.push(make('span', { class: 'space' }));
		if (this.kernel)
			parts.push(make('span', { class: 'optional kernel', title: this.kernel }, this.kernel));
		byId('status').replaceChildren(...parts);
	}
}
