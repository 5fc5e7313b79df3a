// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The legend: one row an owner, which filters. On a narrow screen the same as chips.
import { byId, make, mib, size, swatch } from './text.js';

const BAR = 64;

export class Owners {
	#rows = [];
	#chips = [];

	constructor(state) {
		this.state = state;
		this.#build();
		state.memory.addEventListener('owners', () => this.update());
		state.addEventListener('filter', () => this.update());
		this.update();
	}

	#build() {
		const box = byId('owners'), { groups } = this.state.memory;
		let family = null;
		box.replaceChildren();
		byId('chips').replaceChildren();
		this.#rows = groups.map((group, i) => {
			if (group.family !== family)
				box.append(make('h3', {}, family = group.family));
			const key = i < 9 ? String(i + 1) : i === 9 ? '0' : null;
			const number = make('span', { class: 'number' }), bar = make('span', { class: `bar ${group.key}`, colour: group.rgb });
			const row = make('button', { class: 'owner', ...this.#actions(i) }, swatch(group), make('span', {}, group.words),
				make('kbd', { 'aria-hidden': 'true' }, key ?? ''), number, bar);
			if (key)
				row.setAttribute('aria-keyshortcuts', key);
			box.append(row);
			return { row, number, bar };
		});
		this.#chips = groups.map((group, i) => make('button', { class: 'chip', ...this.#actions(i) }, swatch(group), make('span', {}, group.words)));
	}

	#actions(i) {
		const { state } = this;
		return {
			onclick: () => state.toggle(i),
			ondblclick: () => state.showOnly(i),
			onkeydown: (event) => {
				if (event.key === 'Enter' && event.altKey) {
					event.preventDefault();
					state.showOnly(i);
				}
			},
			onpointerenter: (event) => event.pointerType === 'mouse' && state.focus(1 << i >>> 0),
			onpointerleave: () => state.focus(),
		};
	}

	isOn(i) {
		const { look } = this.state;
		return look.only >= 0 ? look.only === i : !look.off.has(i);
	}

	update() {
		const { memory } = this.state, counts = memory.counts(), shown = counts.filter((_, i) => i !== memory.free);
		const most = Math.max(1, ...shown);
		byId('owners-sum').textContent = size(memory.frames);
		memory.groups.forEach((group, i) => {
			const { row, number, bar } = this.#rows[i], on = String(this.isOn(i));
			row.setAttribute('aria-pressed', on);
			row.setAttribute('aria-label', `${group.words}, ${mib(counts[i])} MiB`);
			row.title = `${group.words}: ${counts[i]} frames`;
			number.textContent = counts[i] > 0 && counts[i] < 13 ? '<0.1' : mib(counts[i]);
			bar.style.width = `${Math.min(BAR, BAR * counts[i] / most)}px`;
			this.#chips[i].setAttribute('aria-pressed', on);
			this.#chips[i].lastChild.textContent = `${group.words} ${mib(counts[i])}`;
		});
		const order = memory.groups.map((_, i) => i).filter((i) => counts[i] > 0).sort((a, b) => counts[b] - counts[a]);
		byId('chips').replaceChildren(...order.filter((i) => i !== memory.free).map((i) => this.#chips[i]));
	}
}
