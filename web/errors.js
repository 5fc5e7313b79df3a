// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Notes over the picture: what happened, what still works, one action. The picture stays.
import { ago, byId, make, sentence } from './text.js';

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

export function failed(reason) {
	note('failed', 'That did not work', [sentence(reason)], [['Close', () => unnote('failed')]]);
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

export function tooLarge(ram) {
	byId('notes').classList.add('centred');
	note('memory', 'This memory is too large for the page', [`It has ${ram}, and this browser gives a page less than that.`,
		'The commands work on it: glassbox ps, frames, maps, read.']);
}

export function deviceLost(restore) {
	note('device', 'The GPU was reset', ["The driver dropped this page's device. Nothing in the guest was touched."], restore ? [['Restore now', restore]] : []);
}

// What ended QEMU, as far as it is known.
export function endWords(exited, reason) {
	const cause = reason.replace(/^the guest has stopped(: )?/, ''); // the title says that
	if (!exited)
		return sentence(cause);
	if (exited.why)
		return sentence(exited.why);
	const when = ago(Date.now() - exited.at_ns / 1e6);
	if (exited.signal)
		return `QEMU was ended by ${exited.signal} ${when}.`;
	return exited.status === null ? `QEMU ended ${when}.` : `QEMU exited ${when} with status ${exited.status}.`;
}

// exited: a function, which may know more later.
export function guestGone(exited, reason, at, again) {
	const words = make('span', {}), tell = () => (words.textContent = `${endWords(exited(), reason)} You see memory as it was at ${at}.`.trim());
	const card = note('guest', 'The guest has stopped', [words], [['Attach again', again]]);
	tell();
	const timer = setInterval(() => (card.isConnected ? tell() : clearInterval(timer)), 1000);
}

export function fileGone(reason, at, again) {
	note('guest', 'The file cannot be read any more', [`${endWords(null, reason)} You see memory as it was at ${at}.`], [['Open it again', again]]);
}

export function nobodyThere(at) {
	note('guest', 'The guest has stopped', [`Glass Box has ended with it. You see memory as it was at ${at}.`,
		'Start the guest again and open the address that is printed then.'], [['Close', () => unnote('guest')]]);
}

export function connectionLost(at, retry) {
	note('connection', 'The connection to Glass Box is lost', [`You see memory as it was at ${at}. It is tried again by itself.`], [['Try now', retry]]);
}

export function noMemoryNow(reason, retry) {
	note('connection', 'Glass Box sends no memory now', [`${sentence(reason)} It is tried again by itself.`], [['Try now', retry]]);
}

export function refused() {
	note('connection', 'Glass Box does not accept this link', ['Its token is of another run. Open the address that glassbox printed.']);
}

export function notUnderstood(reason, share) {
	note('kernel', 'Kernel not understood', [sentence(reason) || 'No Linux kernel was found in this memory.', `${share} % of frames are unknown.`],
		[['Continue as is', () => unnote('kernel')]]);
}
