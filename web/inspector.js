// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The inspector: the frame that is selected, else the one under the pointer, else the process that is
// isolated.
import { processFacts } from './process.js';
import { ago, byId, capital, clean, hex, make, sentence, swatch } from './text.js';

const ROW = 8, ROWS = 16, WINDOW = ROW * ROWS;
const ASK_MS = 120; // a pointer that rests, before the server is asked
const STALE_MS = 1000;

const RIGHTS = { r: 'read', w: 'write', x: 'execute' };
const rights = (text) => [...text].filter((c) => c in RIGHTS).map((c) => RIGHTS[c]).join(', ') || 'none';
const printable = (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '\u00b7');

export class Inspector {
	#facts = new Map(); // what the server told of a frame
	#timer = 0;
	#at = 0;            // first byte shown
	#frame = -1;

	constructor(state) {
		this.state = state;
		this.box = byId('right');
		state.addEventListener('select', () => this.#turn());
		state.addEventListener('hover', () => this.#turn());
		state.addEventListener('isolate', () => this.draw());
		state.memory.addEventListener('frames', ({ detail }) => detail.list.includes(this.#frame) && this.#redraw());
		state.memory.addEventListener('owners', () => {
			this.#facts.clear();
			this.#ask();
		});
		setInterval(() => this.#grow(), 1000);
		this.draw();
	}

	#turn() {
		const { state } = this, frame = state.shown, offset = state.selected >= 0 ? state.offset : state.hoveredOffset;
		if (frame !== this.#frame || offset >= 0)
			this.#at = offset >= 0 ? Math.min(4096 - WINDOW, offset & ~(ROW - 1)) : this.#firstFull(frame);
		this.#frame = frame;
		this.draw();
		this.#ask();
	}

	#firstFull(frame) {
		if (frame < 0)
			return 0;
		const first = this.state.memory.bytesOf(frame).findIndex((b) => b !== 0);
		return Math.min(4096 - WINDOW, Math.max(0, first) & ~(ROW - 1));
	}

	#ask() {
		clearTimeout(this.#timer);
		const frame = this.#frame;
		if (frame >= 0 && !this.#facts.has(frame))
			this.#timer = setTimeout(() => this.#load(frame), ASK_MS);
	}

	async #load(frame) {
		let facts;
		try {
			facts = await this.state.api.json(`frame/${frame}`);
		} catch (error) {
			facts = { error: error.message };
		}
		this.#facts.set(frame, facts);
		if (frame === this.#frame)
			this.#redraw();
	}

	// The guest changed something, the user did nothing: what is being copied must not go away.
	#redraw() {
		const selection = getSelection();
		if (selection.isCollapsed || !this.box.contains(selection.anchorNode))
			this.draw();
	}

	// Times that pass while nothing else happens.
	#grow() {
		const { memory } = this.state, written = memory.written[this.#frame];
		if (this.stale?.isConnected)
			this.stale.textContent = memory.age > STALE_MS ? `as of ${ago(memory.age)}` : '';
		if (this.written?.isConnected && written)
			this.written.textContent = ago(performance.now() - written);
	}

	draw() {
		const focused = this.box.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : null;
		this.stale = make('span', { class: 'caution-text' });
		this.box.replaceChildren(...this.#parts(), make('button', { class: 'close', 'aria-label': 'Close', onclick: () => (document.body.dataset.right = '') }, '\u00d7'));
		this.#grow();
		if (focused)
			this.box.querySelector(`[aria-label="${focused}"]`)?.focus();
	}

	#parts() {
		const { memory, selected, isolated } = this.state, error = this.#facts.get(this.#frame)?.error;
		if (this.#frame < 0 && isolated)
			return processFacts(this.state.processOf(isolated.pid), isolated, memory);
		if (this.#frame < 0)
			return [make('h2', {}, 'Inspector'), make('p', { class: 'empty' }, 'Point at memory to inspect it.')];
		const address = memory.addressOf(this.#frame);
		return [make('h2', {}, 'Frame ', make('span', {}, `0x${hex(address / 4096)}`), selected >= 0 ? make('span', {}, 'pinned') : '', this.stale),
			this.#address(address), this.#list(), ...this.#bytes(), ...error ? [make('p', { class: 'caution-text' }, sentence(clean(error, 200)))] : []];
	}

	#address(address) {
		const digits = hex(address / 4096, 5), offset = this.state.selected >= 0 ? this.state.offset : this.state.hoveredOffset;
		return make('code', { class: 'address' }, make('span', {}, '0x'), digits, make('span', {}, hex(Math.max(0, offset), 3)));
	}

	#owner() {
		const { memory } = this.state, group = memory.groups[memory.groupOf(this.#frame)], facts = this.#facts.get(this.#frame);
		const pid = memory.pids[this.#frame], name = clean(facts?.comm ?? this.state.commOf(pid), 24);
		const words = pid ? `${group.words} of ${name || 'process'} ${pid}` : (!facts?.symbol && capital(clean(facts?.owner, 80))) || group.words;
		return make('span', { class: 'named' }, swatch(group), words);
	}

	#list() {
		const { memory } = this.state, facts = this.#facts.get(this.#frame) ?? {}, list = make('dl'), group = memory.groupOf(this.#frame);
		const add = (name, ...value) => list.append(make('dt', {}, name), make('dd', {}, ...value));
		const code = (text) => make('code', {}, text);
		add('Owner', this.#owner());
		if (memory.groupOfClass.filter((g) => g === group).length > 1) // else it says no more than the owner
			add('Class', memory.classNames[memory.classes[this.#frame]] ?? 'unknown');
		if (facts.symbol)
			add('Symbol', code(clean(facts.symbol, 80)));
		const [first, ...more] = facts.mappers ?? [];
		if (first?.vma)
			add('Mapping', code(clean(first.vma, 80)));
		if (facts.gva)
			add('Virtual', code(facts.gva.replace(/^0x/, '')), more.length ? make('span', { class: 'dim', title: more.map((m) => `${clean(m.comm, 24)} ${m.pid} ${m.gva}`).join('\n') }, ` +${more.length}${facts.mappers_more ? ' or more' : ''} more`) : '');
		if (facts.access)
			add('Access', rights(facts.access));
		const written = memory.written[this.#frame];
		this.written = make('span', {}, written ? ago(performance.now() - written) : 'not since this page was opened');
		add('Written', this.written);
		if (facts.torn)
			add('Read', make('span', { class: 'caution-text' }, 'changed while it was read'));
		return list;
	}

	#bytes() {
		const bytes = this.state.memory.bytesOf(this.#frame), end = this.#at + WINDOW;
		if (!this.state.memory.full[this.#frame])
			return [make('div', { class: 'caption' }, make('span', {}, 'Bytes'), make('span', {}, 'all 4096 are zero'))];
		const move = (by, text, label) => make('button', { 'aria-label': label, onclick: () => this.#scroll(by) }, text);
		const rows = Array.from({ length: ROWS }, (_, i) => this.#row(bytes, this.#at + i * ROW));
		return [make('div', { class: 'caption' }, make('span', {}, 'Bytes'), make('span', {}, move(-WINDOW, '\u2039', 'Bytes before'),
			` 0x${hex(this.#at, 3)} to 0x${hex(end - 1, 3)} of 0xfff `, move(WINDOW, '\u203a', 'Bytes after'))), make('div', { class: 'hex' }, ...rows)];
	}

	#scroll(by) {
		this.#at = Math.min(4096 - WINDOW, Math.max(0, this.#at + by));
		this.draw();
	}

	#row(bytes, at) {
		const chosen = this.state.selected >= 0 ? this.state.offset : this.state.hoveredOffset;
		const row = make('div', {}, make('span', { class: 'at' }, `${hex(at, 3)} `)), values = [...bytes.subarray(at, at + ROW)];
		values.forEach((b, i) => {
			const kind = at + i === chosen ? 'chosen' : b === 0 ? 'zero' : '';
			row.append(make('span', { class: kind || undefined }, hex(b, 2)), ' ');
		});
		row.append(make('span', { class: 'text' }, ' ' + values.map(printable).join('')));
		return row;
	}

	// One sentence about what is shown, for screen readers.
	sentence() {
		const { memory } = this.state, group = memory.groups[memory.groupOf(this.#frame)];
		return this.#frame < 0 ? '' : `Frame 0x${hex(memory.addressOf(this.#frame) / 4096)}, ${group.words}` +
			(memory.pids[this.#frame] ? ` of ${clean(this.state.commOf(memory.pids[this.#frame]), 24)} ${memory.pids[this.#frame]}` : '');
	}
}

