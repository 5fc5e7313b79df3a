// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Words and numbers: guest text made harmless, sizes, addresses, times; and making elements.

// Control characters, zero-width and bidi marks of hostile names become a visible dot; src/base/utf8.c has the same table.
export function clean(text, most = 64) {
	const plain = String(text ?? '').replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu, '\u00b7');
	const letters = [...plain];
	return letters.length > most ? letters.slice(0, most - 1).join('') + '\u2026' : plain;
}

export const mib = (frames) => (frames / 256).toFixed(1);

export function size(frames) {
	if (frames < 256)
		return `${frames * 4} KiB`;
	return frames < 262144 ? `${+(frames / 256).toFixed(1)} MiB` : `${+(frames / 262144).toFixed(2)} GiB`;
}

export const count = (n) => n.toLocaleString('en');
export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;
export const hex = (n, digits = 0) => n.toString(16).padStart(digits, '0');

export function ago(ms) {
	if (ms < 1000)
		return 'just now';
	if (ms < 90e3)
		return `${Math.round(ms / 1000)} s ago`;
	return ms < 5400e3 ? `${Math.round(ms / 60e3)} min ago` : `${Math.round(ms / 3600e3)} h ago`;
}

export const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
// A message of the program, which begins small and ends open, as a sentence.
export const sentence = (text) => (text && !/[.!?\u2026]$/.test(text) ? `${capital(text)}.` : capital(text));

export const clock = (date = new Date()) => date.toTimeString().slice(0, 8);

// An element with attributes and children; strings become text, never markup.
export function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name === 'colour')
			element.style.setProperty('--colour', value);
		else if (name.startsWith('on'))
			element.addEventListener(name.slice(2), value);
		else if (value !== undefined && value !== false)
			element.setAttribute(name, value === true ? '' : value);
	}
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

export const byId = (id) => document.getElementById(id);

export const swatch = (group) => make('span', { class: `swatch ${group.key}`, colour: group.rgb, 'data-hatch': String(group.hatch), 'aria-hidden': 'true' });
