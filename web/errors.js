// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Notes over the picture: what happened, what still works, one action. The picture stays.
import { byId, make } from './text.js';

const cards = new Map();

// A card by its name; again with the same name: replaced. actions: [[words, function], ...]
export function note(name, title, lines, actions = []) {
	const card = make('section', { class: 'card', 'data-note': name }, make('h4', {}, title), ...lines.map((line) => make('p', {}, ...[line].flat())));
	if (actions.length)
		card.append(make('div', { class: 'actions' }, ...actions.map(([words, act]) => make('button', { onclick: act }, words))));
	if (cards.has(name))
		cards.get(name).replaceWith(card);
	else
		byId('notes').append(card);
	cards.set(name, card);
	return card;
}

export function unnote(name) {
	cards.get(name)?.remove();
	cards.delete(name);
	if (!cards.size)
		byId('notes').classList.remove('centred');
}

export const isNoted = (name) => cards.has(name);

export function noWebGpu(showFlat) {
	byId('notes').classList.add('centred');
	note('webgpu', 'This browser has no WebGPU', ['The cube needs it. Owners, processes, the address strip and the inspector work without it.',
		'Chrome 113, Edge 113, Safari 26 or Firefox 141 have it on most machines.'], [['Show the flat map', () => {
		unnote('webgpu');
		showFlat();
	}]]);
}

export function deviceLost(restore) {
	note('device', 'The GPU was reset', ["The driver dropped this page's device. Nothing in the guest was touched."], restore ? [['Restore now', restore]] : []);
}

export function guestGone(exited, reason, at, again) {
	const words = exited && exited.status !== null ? `QEMU exited with status ${exited.status}.` : reason;
	note('guest', 'The guest has stopped', [`${words} You see memory as it was at ${at}.`], [['Attach again', again]]);
}

export function connectionLost(at, retry) {
	note('connection', 'The connection to Glass Box is lost', [`You see memory as it was at ${at}. It is tried again by itself.`], [['Try now', retry]]);
}

export function refused() {
	note('connection', 'Glass Box does not accept this link', ['Its token is of another run. Open the address that glassbox printed.']);
}

export function notUnderstood(reason, share) {
	note('kernel', 'Kernel not understood', [reason || 'No Linux kernel was found in this memory.', `${share} % of frames are unknown.`],
		[['Continue as is', () => unnote('kernel')]]);
}
