// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The keyboard: one table, from which the help is made too.
import { byId, make } from './text.js';

const STEP = 15, PAN_PX = 40;

// [keys, what they do]; keys as KeyboardEvent.key, S- before an arrow: with Shift.
function table({ scene, state, twin, theme, patterns, panel }) {
	const turn = (yaw, pitch) => () => scene.orbit.turn(yaw, pitch), pan = (x, y) => () => scene.orbit.pan(x, y);
	const step = (by) => () => state.select((Math.max(0, state.selected) + by + state.memory.frames) % state.memory.frames);
	return [
		[['ArrowLeft'], turn(STEP, 0)], [['ArrowRight'], turn(-STEP, 0)],
		[['ArrowUp'], turn(0, STEP)], [['ArrowDown'], turn(0, -STEP)],
		[['S-ArrowLeft'], pan(PAN_PX, 0)], [['S-ArrowRight'], pan(-PAN_PX, 0)],
		[['S-ArrowUp'], pan(0, PAN_PX)], [['S-ArrowDown'], pan(0, -PAN_PX)],
		[['+', '='], () => scene.orbit.zoom(0.8)], [['-'], () => scene.orbit.zoom(1.25)],
		[['['], step(-1)], [[']'], step(1)],
		[['{'], () => state.select(runStart(state, -1))], [['}'], () => state.select(runStart(state, 1))],
		[['Enter'], () => scene.flyToFrame(state.shown)],
		[[' '], () => state.select(state.selected >= 0 ? -1 : state.hovered)],
		[['f'], () => scene.frameAll()], [['t'], theme], [['h'], () => patterns()], [['v'], () => twin.toggle()],
		[['o', 'p'], () => panel('left')], [['i'], () => panel('right')],
		[['?'], () => help()], [['Escape'], () => escape(state, twin)],
	];
}

const WORDS = [
	['Turn', 'arrows, or drag'], ['Move', 'Shift and arrows, or Shift-drag'], ['Nearer, farther', '+ \u2212, or wheel'],
	['Frame before, after', '[ ]'], ['Owner run before, after', '{ }'], ['Fly to it', 'Enter, or double click'], ['Keep in the inspector', 'Space, or click'],
	['See all; again: from the front', 'f'], ['Owner on or off', '1 \u2026 9, 0'], ['Only this owner', 'Shift and 1 \u2026 0'],
	['Memory as a table', 'v'], ['Lists, inspector (narrow window)', 'o i'], ['Patterns on owners', 'h'], ['Theme', 't'], ['Close, step back', 'Esc'],
];

// The first frame of the owner run after or before the selected one.
function runStart({ selected, memory }, by) {
	const n = memory.frames;
	let frame = Math.max(0, selected);
	if (by < 0) {
		while (frame > 0 && memory.sameOwner(frame - 1, frame))
			frame--;
		frame = frame === 0 ? n - 1 : frame - 1;
		while (frame > 0 && memory.sameOwner(frame - 1, frame))
			frame--;
		return frame;
	}
	while (frame < n - 1 && memory.sameOwner(frame, frame + 1))
		frame++;
	return (frame + 1) % n;
}

function escape(state, twin) {
	if (!byId('keys').hidden)
		help(false);
	else if (twin.open)
		twin.toggle(false);
	else
		state.undo();
}

export function help(open = byId('keys').hidden) {
	byId('keys').hidden = !open;
	byId('help').setAttribute('aria-expanded', String(open));
}

export class Keys {
	#single = true; // single-key shortcuts may be switched off (WCAG 2.1.4)

	constructor(parts) {
		this.parts = parts;
		this.actions = new Map(table(parts).flatMap(([keys, act]) => keys.map((key) => [key, act])));
		const single = make('input', { type: 'checkbox', id: 'single-keys', checked: true, onchange: ({ target }) => (this.#single = target.checked) });
		const patterns = make('input', { type: 'checkbox', id: 'patterns', onchange: ({ target }) => parts.patterns(target.checked) });
		byId('keys').replaceChildren(make('h2', {}, 'Keys'), make('dl', {}, ...WORDS.flatMap(([words, keys]) => [make('dt', {}, words), make('dd', {}, make('kbd', {}, keys))])),
			make('label', {}, patterns, 'Patterns on owners, from ten pixels a frame'), make('label', {}, single, 'Single keys are shortcuts'));
		byId('help').addEventListener('click', () => help());
		addEventListener('keydown', (event) => this.#press(event));
	}

	#press(event) {
		const { key, shiftKey, altKey, ctrlKey, metaKey, target } = event;
		if (ctrlKey || metaKey || altKey || target.closest?.('input, textarea, select'))
			return;
		const onCanvas = target.id === 'cube', general = target === document.body || onCanvas;
		if ((!this.#single && !onCanvas && key !== 'Escape') || (['Enter', ' '].includes(key) && !onCanvas) || (key.startsWith('Arrow') && !general))
			return;
		const digit = event.code.match(/^Digit(\d)$/);
		const act = digit ? () => this.#owner((Number(digit[1]) + 9) % 10, shiftKey) : this.actions.get(shiftKey && key.startsWith('Arrow') ? `S-${key}` : key);
		if (!act)
			return;
		event.preventDefault();
		act();
	}

	#owner(i, only) {
		const { state } = this.parts;
		if (i < state.memory.groups.length)
			state[only ? 'showOnly' : 'toggle'](i);
	}
}
