// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The process table: what each process maps; hover previews, click isolates.
import { NONE } from './hilbert.js';
import { tornWords } from './process.js';
import { byId, capital, clean, make, mib, plural } from './text.js';

const PARTS = ['code', 'heap', 'stack', 'mapped'];
const GONE_MS = 5000, NEW_MS = 2000;

const total = (p) => PARTS.reduce((sum, part) => sum + (p.frames?.[part] ?? 0), 0);

export class Processes {
	#list = [];
	#rows = new Map();
	#known = null; // pids of the list before
	#all = false;

	constructor(state) {
		this.state = state;
		this.body = make('tbody');
		this.more = make('button', { class: 'more', onclick: () => this.#toggleAll() });
		byId('processes').replaceChildren(make('table', { 'aria-label': 'Processes' },
			make('thead', {}, make('tr', {}, ...['pid', 'name', '', 'MiB'].map((text) => make('th', { scope: 'col' }, text)))),
			this.body), this.more);
		state.addEventListener('isolate', () => this.#mark());
	}

	find(pid) {
		return this.#list.find((p) => p.pid === pid);
	}

	update(list) {
		const now = performance.now(), pids = new Set(list.map((p) => p.pid));
		for (const [pid, row] of this.#rows)
			if (!pids.has(pid) && !row.gone) {
				row.gone = now;
				row.element.classList.add('gone');
				setTimeout(() => this.#drop(pid, row), GONE_MS);
			}
		this.#list = [...list].sort((a, b) => total(b) - total(a) || a.pid - b.pid);
		this.#draw();
		for (const pid of this.#known ? pids : [])
			if (!this.#known.has(pid))
				this.#greet(this.#rows.get(pid)?.element);
		this.#known = pids;
	}

	#greet(element) {
		element?.classList.add('new');
		setTimeout(() => element?.classList.remove('new'), NEW_MS);
	}

	#drop(pid, row) {
		if (this.#rows.get(pid) === row && row.gone) {
			row.element.remove();
			this.#rows.delete(pid);
		}
	}

	#toggleAll() {
		this.#all = !this.#all;
		this.#draw();
	}

	#draw() {
		const shown = this.#list.filter((p) => this.#all || total(p) > 0), most = Math.max(1, ...shown.map(total));
		const rest = this.#list.length - this.#list.filter((p) => total(p) > 0).length;
		byId('processes-sum').textContent = this.#list.length ? `${shown.length} of ${this.#list.length}` : 'none known';
		this.more.hidden = rest === 0;
		this.more.textContent = this.#all ? 'Hide those without memory of their own' : `Show ${rest} without memory of their own`;
		shown.forEach((p, i) => {
			const row = this.#row(p);
			this.#fill(row, p, most);
			if (this.body.children[i] !== row.element)
				this.body.insertBefore(row.element, this.body.children[i] ?? null);
		});
		const keep = new Set(shown.map((p) => p.pid));
		for (const [pid, row] of this.#rows)
			if (!keep.has(pid) && !row.gone) {
				row.element.remove();
				this.#rows.delete(pid);
			}
		this.#mark();
	}

	#row(p) {
		let row = this.#rows.get(p.pid);
		if (row && !row.gone)
			return row;
		row?.element.remove();
		row = { cells: [0, 1, 2, 3].map(() => make('td')) };
		row.element = make('tr', { tabindex: '-1', 'data-pid': p.pid, onclick: () => this.open(p.pid),
			onpointerenter: (event) => event.pointerType === 'mouse' && this.state.focus(0xffffffff, p.pid),
			onpointerleave: () => this.state.focus(0xffffffff, NONE), onkeydown: (event) => this.#key(event, p.pid) }, ...row.cells);
		this.#rows.set(p.pid, row);
		return row;
	}

	#fill(row, p, most) {
		const { memory } = this.state, name = clean(p.comm, 24), args = clean(argsOf(p), 40), n = total(p);
		const text = `${name}|${args}|${PARTS.map((part) => p.frames?.[part])}|${most}|${p.torn}|${p.cut}`;
		if (row.text === text)
			return;
		row.text = text;
		row.cells[0].textContent = p.pid;
		row.cells[1].replaceChildren(name, make('em', {}, args), p.torn ? make('mark', { title: capital(tornWords(p)) }, '!') : '');
		const bar = make('div', { class: 'parts', 'aria-hidden': 'true' });
		bar.style.width = `${Math.max(8, 100 * n / most)}%`;
		for (const part of PARTS) {
			const colour = memory.groups.find((g) => g.key === part)?.rgb, share = p.frames?.[part] ?? 0;
			if (share > 0) {
				const piece = make('i', { colour });
				piece.style.flex = share;
				bar.append(piece);
			}
		}
		row.cells[2].replaceChildren(n > 0 ? bar : '');
		row.cells[3].textContent = n > 0 && n < 13 ? '<0.1' : n > 0 ? mib(n) : '';
		row.element.title = `${name} ${p.pid}: ${plural(n, 'frame')} of its own, maps ${count(p.rss_pages)}; ` +
			PARTS.map((part) => `${part} ${p.frames?.[part] ?? 0}`).join(', ');
	}

	#mark() {
		for (const [pid, { element }] of this.#rows)
			element.setAttribute('aria-selected', String(pid === this.state.pid));
		const first = this.body.querySelector('[aria-selected=true]') ?? this.body.firstElementChild;
		if (!this.body.contains(document.activeElement) && first) {
			this.body.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
			first.setAttribute('tabindex', '0');
		}
	}

	open(pid, fly = false) {
		if (this.state.pid === pid && !fly)
			return this.state.undo();
		this.state.isolate(pid).then(() => fly && this.state.dispatchEvent(new Event('fly')), (error) => this.state.fail(error));
	}

	#key(event, pid) {
		const row = this.#rows.get(pid).element;
		const to = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
		if (event.key === 'Enter' || event.key === ' ')
			this.open(pid, event.key === 'Enter');
		else if (to)
			to.focus();
		else
			return;
		event.preventDefault();
		event.stopPropagation();
	}
}

// The command line without the name that stands before it already.
function argsOf({ comm, args }) {
	const [first, ...rest] = (args ?? '').split(' ');
	return first.split('/').at(-1).replace(/^-/, '').startsWith(comm) ? rest.join(' ') : args ?? '';
}

function count(n) {
	return n === undefined ? 'an unknown number' : n;
}
