// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The facts of one process, for the inspector.
import { clean, count, make, plural, size, swatch } from './text.js';

const STATES = { R: 'running', S: 'sleeping', D: 'waiting, not to be woken', T: 'stopped', t: 'traced', Z: 'ended, not yet reaped', X: 'dead', I: 'idle' };
const PARTS = ['code', 'heap', 'stack', 'mapped'];

function parts(p, memory) {
	return PARTS.filter((part) => p.frames?.[part] > 0).map((part) => {
		const group = memory.groups.find((g) => g.key === part);
		return make('div', { class: 'named' }, swatch(group), `${group.words} ${size(p.frames[part])}`);
	});
}

// Of a process that is torn.
export const tornWords = (p) => (p.cut ? 'not all of it was read: there is more than is read of any' : 'changed while it was read');

// p: as in api/processes, undefined when it has ended; isolated: { pid, frames, runs } of it.
export function processFacts(p, isolated, memory) {
	const list = make('dl'), add = (name, ...value) => list.append(make('dt', {}, name), make('dd', {}, ...value));
	const title = make('h2', {}, 'Process ', make('span', {}, String(isolated.pid)));
	add('Maps', `${plural(isolated.frames, 'frame')} in ${plural(isolated.runs.length, 'place')}, ${size(isolated.frames)}`);
	if (!p)
		return [title, make('p', { class: 'empty' }, 'It has ended.'), list];
	add('Its own', ...PARTS.some((part) => p.frames?.[part] > 0) ? parts(p, memory) : ['nothing that it shares with no other']);
	if (p.args)
		add('Command', make('code', {}, clean(p.args, 200)));
	add('State', STATES[p.state] ?? `unknown (${clean(p.state, 4)})`);
	add('Parent', String(p.ppid));
	add('User', String(p.uid));
	add('Threads', count(p.threads));
	add('Mappings', count(p.vmas));
	if (p.torn)
		add('Read', make('span', { class: 'caution-text' }, tornWords(p)));
	return [title, make('p', { class: 'name' }, clean(p.comm, 24)), list];
}
