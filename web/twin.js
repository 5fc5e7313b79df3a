// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The twin of the cube for keyboard and screen reader: region > owner run > frame > bytes, as a tree
// grid. Rows are made when their parent is opened.
import { byId, clean, hex, make, plural, size } from './text.js';

const FRAMES_MOST = 512, ROW_BYTES = 16;

export class Twin {
	#timer = 0;

	constructor(state) {
		this.state = state;
		this.box = byId('twin');
		this.grid = make('div', { role: 'treegrid', 'aria-label': 'Physical memory', onkeydown: (event) => this.#key(event) });
		this.box.replaceChildren(make('h2', {}, 'Memory as a table'), this.grid);
		state.memory.addEventListener('owners', () => this.#later());
		state.addEventListener('select', () => this.#mark());
	}

	get open() {
		return !this.box.hidden;
	}

	toggle(open = !this.open) {
		if (open !== this.open && open)
			this.before = document.activeElement;
		else if (open !== this.open)
			this.before?.focus(); // whoever came here by keyboard goes on from there
		this.box.hidden = !open;
		if (open) {
			this.draw();
			this.opening = true; // what is selected stays so until a row is chosen
			this.grid.querySelector('[role=row]')?.focus();
			this.opening = false;
		}
	}

	// Owners may change four times a second; a table that is being read must not.
	#later() {
		if (!this.#timer && this.open)
			this.#timer = setTimeout(() => {
				this.#timer = 0;
				if (this.open && !this.grid.contains(document.activeElement))
					this.draw();
			}, 2000);
	}

	draw() {
		const { memory } = this.state;
		let before = 0;
		this.runs = memory.runs();
		this.grid.replaceChildren(...memory.layout.map(({ gpa, size: bytes }) => {
			const first = before, n = bytes / 4096;
			before += n;
			return this.#row(1, [`0x${hex(gpa)} to 0x${hex(gpa + bytes - 1)}`, '', size(n)], first, () => this.#runsOf(first, n));
		}));
		this.grid.firstElementChild?.setAttribute('tabindex', '0');
		if (memory.layout.length === 1)
			this.#expand(this.grid.firstElementChild);
	}

	#runsOf(first, n) {
		const inside = this.runs.filter(([at]) => at >= first && at < first + n);
		return inside.map(([at, frames]) => this.#row(2, [this.#name(at), `0x${hex(this.state.memory.addressOf(at))}`, size(frames)], at,
			() => this.#framesOf(at, frames)));
	}

	#name(frame) {
		const { memory } = this.state, pid = memory.pids[frame], { words } = memory.groups[memory.groupOf(frame)];
		return pid ? `${words} of ${clean(this.state.commOf(pid), 24)} ${pid}` : words;
	}

	#framesOf(first, n) {
		const { memory } = this.state;
		const rows = Array.from({ length: Math.min(n, FRAMES_MOST) }, (_, i) =>
			this.#row(3, [memory.full[first + i] ? 'Frame' : 'Frame, all zero', `0x${hex(memory.addressOf(first + i))}`, '4 KiB'], first + i, () => this.#bytesOf(first + i)));
		if (n > FRAMES_MOST)
			rows.push(this.#row(3, [`${n - FRAMES_MOST} more frames; use [ and ] to walk them`, '', ''], first + FRAMES_MOST, null));
		return rows;
	}

	#bytesOf(frame) {
		const bytes = this.state.memory.bytesOf(frame), rows = [];
		for (let at = 0; at < 4096; at += ROW_BYTES) {
			const part = [...bytes.subarray(at, at + ROW_BYTES)];
			if (part.some((b) => b))
				rows.push(this.#row(4, [`${hex(at, 3)} ${part.map((b) => hex(b, 2)).join(' ')}`], frame, null));
		}
		return rows.length ? rows : [this.#row(4, ['all 4096 bytes are zero'], frame, null)];
	}

	#row(level, cells, frame, children) {
		const row = make('div', { role: 'row', tabindex: '-1', 'aria-level': level, 'aria-expanded': children ? 'false' : undefined,
			'aria-selected': 'false', onclick: () => this.#choose(row), onfocus: () => this.opening || this.state.select(frame) },
		...cells.map((text) => make('span', { role: 'gridcell' }, text)));
		Object.assign(row, { frame, level, children_: children });
		return row;
	}

	#choose(row) {
		row.focus();
		this.#expand(row);
	}

	#expand(row) {
		if (!row.children_)
			return;
		const open = row.getAttribute('aria-expanded') === 'true';
		row.setAttribute('aria-expanded', String(!open));
		if (!open)
			return row.after(...row.children_());
		while (row.nextElementSibling?.level > row.level)
			row.nextElementSibling.remove();
	}

	#key(event) {
		const row = event.target.closest('[role=row]'), open = row?.getAttribute('aria-expanded');
		if (!row)
			return;
		const parent = () => {
			let up = row;
			while (up && up.level >= row.level)
				up = up.previousElementSibling;
			return up;
		};
		let to = null;
		if (event.key === 'ArrowDown')
			to = row.nextElementSibling;
		else if (event.key === 'ArrowUp')
			to = row.previousElementSibling;
		else if (event.key === 'ArrowRight' && open === 'false')
			this.#expand(row);
		else if (event.key === 'ArrowLeft' && open === 'true')
			this.#expand(row);
		else if (event.key === 'ArrowLeft')
			to = parent();
		else if (event.key === 'Enter' && open)
			this.#expand(row);
		else
			return;
		event.preventDefault();
		event.stopPropagation();
		to?.focus();
	}

	#mark() {
		for (const row of this.grid.querySelectorAll('[aria-selected=true]'))
			row.setAttribute('aria-selected', 'false');
		const at = this.grid.contains(document.activeElement) ? document.activeElement : null;
		at?.setAttribute('aria-selected', 'true');
	}

	// What the canvas says of itself.
	summary() {
		const { memory } = this.state, counts = memory.counts();
		const most = memory.groups.map((g, i) => [g.words, counts[i], i]).filter(([, n, i]) => n > 0 && i !== memory.free).sort((a, b) => b[1] - a[1]);
		const [ex, ey, ez] = this.state.look.fold.extent;
		return `Physical memory as a cube of ${ex} by ${ey} by ${ez} frames. Most is ${most.slice(0, 3).map(([words, n]) => `${words}, ${size(n)}`).join('; ')}. ` +
			`${plural(counts[memory.free] ?? 0, 'frame')} of ${memory.frames} are free.`;
	}
}
