// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What the user looks at: selection, hover, filters, an isolated process. Panels listen and draw.
import { NONE } from './hilbert.js';

export class State extends EventTarget {
	selected = -1;       // frame that the inspector keeps
	offset = -1;         // byte in it, if one was pointed at
	hovered = -1;
	hoveredOffset = -1;
	pid = null;          // isolated process
	isolated = null;     // { pid, frames, runs } of it
	#request = 0;

	constructor(memory, look, api) {
		super();
		Object.assign(this, { memory, look, api });
	}

	#say(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}

	get shown() {
		return this.selected >= 0 ? this.selected : this.hovered;
	}

	select(frame, { offset = -1, fly = false } = {}) {
		if (frame >= this.memory.frames)
			return;
		this.selected = frame;
		this.offset = offset;
		this.#say('select', { fly });
	}

	hover(frame, offset = -1) {
		if (frame === this.hovered && offset === this.hoveredOffset)
			return;
		this.hovered = frame;
		this.hoveredOffset = offset;
		this.#say('hover');
	}

	// Keep only some things in full colour for as long as the pointer is on a row.
	focus(groups = 0xffffffff, pid = NONE) {
		const { focus } = this.look;
		if (focus.groups === groups && focus.pid === pid)
			return;
		this.look.focus = { groups, pid };
		this.#say('focus');
	}

	filter() {
		this.look.update();
		this.#say('filter');
	}

	toggle(group) {
		const { look } = this;
		look.only = -1;
		if (!look.off.delete(group))
			look.off.add(group);
		this.filter();
	}

	showOnly(group) {
		const { look } = this;
		look.only = look.only === group ? -1 : group;
		look.off.clear();
		this.filter();
	}

	// The frames that a process maps; everything else becomes a ghost.
	async isolate(pid) {
		const asked = ++this.#request, { runs } = await this.api.json(`process/${pid}/frames`);
		if (asked !== this.#request)
			return;
		const chosen = new Uint8Array(this.memory.frames);
		for (const [first, n] of runs)
			chosen.fill(1, first, first + n);
		this.pid = pid;
		this.isolated = { pid, frames: runs.reduce((sum, [, n]) => sum + n, 0), runs };
		this.look.only = -1;
		this.look.chosen = chosen;
		this.filter();
		this.#say('isolate', this.isolated);
		this.select(-1); // what is inspected now is the process
	}

	// One step back: selection, then isolation, then filters.
	undo() {
		if (this.selected >= 0)
			return this.select(-1);
		if (this.pid === null && !this.look.isolated)
			return;
		this.#request++;
		this.pid = this.isolated = null;
		this.look.chosen = null;
		this.look.only = -1;
		this.look.off.clear();
		this.filter();
		this.#say('isolate', { pid: null, frames: 0, runs: [] });
	}
}
