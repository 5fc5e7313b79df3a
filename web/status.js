// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The status line: at most four updates a second, so that numbers can be read.
import { byId, count, make } from './text.js';

const PERIOD = 250;

export class Status {
	#tick = null;    // when the last tick came, ms
	#written = [];   // [when, bytes] of the last second
	#torn = 0;
	#status = null;
	#ended = false;

	constructor(memory, picture) {
		this.memory = memory;
		this.picture = picture; // a function: there may be none yet
		memory.addEventListener('tick', ({ detail }) => {
			this.#tick = performance.now();
			this.#torn = detail.torn;
			this.paused = (detail.flags & 1) !== 0;
		});
		memory.addEventListener('frames', ({ detail }) => memory.complete && this.#written.push([performance.now(), detail.list.length]));
		memory.addEventListener('end', () => (this.#ended = true));
		setInterval(() => this.draw(), PERIOD);
	}

	set status(status) {
		this.#status = status;
	}

	set hello(hello) {
		this.kernel = hello.understood ? `${hello.release}, ${count(hello.symbols)} symbols and ${count(hello.btf_types)} types from RAM in ${Math.round(hello.attach_ms)} ms`
			: 'kernel not understood';
	}

	get age() {
		return this.#tick === null ? null : performance.now() - this.#tick;
	}

	#rate() {
		const now = performance.now();
		this.#written = this.#written.filter(([when]) => now - when < 1000);
		return this.#written.reduce((sum, [, frames]) => sum + frames, 0) / 256;
	}

	#age() {
		const { age } = this;
		if (this.#ended || age === null)
			return null;
		const text = age < 1000 ? `${Math.round(age)} ms` : `${(age / 1000).toFixed(0)} s`;
		return { text: ['picture ', text, ' old'], state: age > 1000 ? 'bad' : age > 300 ? 'caution' : '' };
	}

	#consistency() {
		const torn = this.#torn || this.#status?.torn || 0;
		if (this.#status === null && this.#tick === null)
			return null;
		return torn ? { dot: 'caution', text: `torn: ${count(torn)} frames moved while reading`, state: 'caution' }
			: { dot: '', text: `${this.paused ? 'one instant' : 'verified'}, 0 torn frames`, state: '' };
	}

	draw() {
		const parts = [], add = (state, ...children) => parts.push(make('span', { class: state }, ...children));
		const value = (text) => make('b', {}, text), stats = this.picture()?.stats, age = this.#age(), consistent = this.#consistency();
		if (stats) {
			const rate = stats.frames.filter((t) => performance.now() - t < 1000).length;
			add('', ...rate ? [value(String(rate)), ' fps'] : ['picture at rest']);
			add('optional', 'frame ', value(stats.gpuMs.toFixed(1)), ' ms');
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
			add('optional', this.kernel);
		byId('status').replaceChildren(...parts);
	}
}
