// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page in a real browser, on a real guest that runs meanwhile.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { artefacts, executable, launch, open, shot } from './browser.mjs';
import { PAGE, RamFile, Run, scratch, view } from './glassbox.mjs';
import { main, skip, test, within } from './tap.mjs';
import { Socket, Stream, get, json } from './wire.mjs';

const NAME = 'page-test';
const dir = scratch();

mkdirSync(join(dir, 'run'), { mode: 0o700 });
process.env.XDG_RUNTIME_DIR = join(dir, 'run');

const HOSTILE = ['<img src=x>', '\x1b[2J\x1b[31m\x07x', 'a\u202ecod.exe', '</td><script>'];
const guest = { run: null, ram: null };
let server, browser, tab;

async function glassbox(...args) {
	const run = new Run(args), { code } = await within(60000, run.ended, args.join(' '));

	assert.equal(code, 0, `glassbox ${args.join(' ')}: ${run.stderr}`);
	return run.stdout;
}

const inGuest = (script) => glassbox('ssh', NAME, '--', script);
const page = (...args) => tab.evaluate(...args);
const waitFor = (what, arg, ms = 30000) => tab.waitForFunction(what, arg, { timeout: ms, polling: 100 });
// Every sample is drawn and nothing waits: what is on the screen is the picture.
const still = () => waitFor(() => window.glassbox.scene?.picture?.still, null, 90000);

// The colours of canvas pixels as they are on the screen.
async function pixels(points) {
	const png = await tab.screenshot();

	return page(async ([data, list]) => {
		const image = new Image();

		image.src = `data:image/png;base64,${data}`;
		await image.decode();
		const canvas = document.createElement('canvas'), { left, top } = document.getElementById('cube').getBoundingClientRect();

		canvas.width = image.width;
		canvas.height = image.height;
		const context = canvas.getContext('2d', { willReadFrequently: true });

		context.drawImage(image, 0, 0);
		return list.map(([x, y]) => [...context.getImageData(Math.floor(left + x), Math.floor(top + y), 1, 1).data.slice(0, 3)]);
	}, [png.toString('base64'), points]);
}

// What the CPU says is under each point: the frame, and whether its neighbours show the same one.
const picks = (points) => page((list) => list.map(([x, y]) => {
	const { scene } = window.glassbox, at = (dx, dy) => scene.pick(x + dx, y + dy)?.frame ?? -1;
	const frame = at(0, 0);

	return { frame, inside: [[-3, 0], [3, 0], [0, -3], [0, 3]].every(([dx, dy]) => at(dx, dy) === frame) };
}), points);

async function grid(step) {
	const [width, height] = await page(() => [document.getElementById('cube').clientWidth, document.getElementById('cube').clientHeight]);
	const points = [];

	for (let y = step; y < height - 40; y += step)
		for (let x = step; x < width; x += step)
			points.push([x, y]);
	return points;
}

const linear = (rgb) => rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
const length = (v) => Math.hypot(...v);
const sameHue = (a, b) => a.reduce((sum, c, i) => sum + c * b[i], 0) / (length(a) * length(b) || 1);

// John Skilling, "Programming the Hilbert curve" (2004), as printed: index to voxel, 3 axes.
function hilbert(bits, index) {
	const x = [0, 0, 0];

	for (let bit = 3 * bits - 1; bit >= 0; bit--) {
		const axis = (3 * bits - 1 - bit) % 3;

		x[axis] = x[axis] << 1 | Math.floor(index / 2 ** bit) % 2;
	}
	const gray = x[2] >> 1;

	x[2] ^= x[1];
	x[1] ^= x[0];
	x[0] ^= gray;
	for (let q = 2; q !== 2 << (bits - 1); q <<= 1) {
		for (let i = 2; i >= 0; i--) {
			const swap = (x[0] ^ x[i]) & (q - 1);

			if (x[i] & q) {
				x[0] ^= q - 1;
			} else {
				x[0] ^= swap;
				x[i] ^= swap;
			}
		}
	}
	return x;
}

async function findInRam(text) {
	const ram = readFileSync(guest.ram), at = ram.indexOf(text);

	assert.ok(at >= 0 && ram.indexOf(text, at + 1) < 0, `${text} is in RAM once`);
	return at;
}

test('a guest runs, and its page is served', async () => {
	if (!executable)
		skip('no chromium here');
	// A desktop whose browser only says what it was given.
	const opener = join(dir, 'xdg-open');

	writeFileSync(opener, `#!/bin/sh\nprintf '%s\\n' "$@" >${dir}/opening; mv ${dir}/opening ${dir}/opened\n`);
	chmodSync(opener, 0o755);
	guest.run = new Run(['run', 'tiny', '--accel', 'tcg', '-n', NAME], { PATH: `${dir}:${process.env.PATH}`, DISPLAY: ':9' });
	[guest.url] = await guest.run.until(/http:\/\/127\.0\.0\.1:\d+\/[\w-]+\//, 240000);
	await guest.run.until(/ends it/, 10000);
	guest.ram = join(process.env.XDG_RUNTIME_DIR, 'glassbox', NAME, 'ram');
	const scripts = HOSTILE.map((name) => `printf '${Buffer.from(name).toString('hex').replace(/../g, '\\x$&')}' >/proc/self/comm; read x <>/tmp/never`);

	await inGuest('mkfifo /tmp/never; ' + scripts.map((s) => `sh -c "${s.replaceAll('\\', '\\\\').replace('/proc/self', '/proc/\\$\\$')}" </dev/null >/dev/null 2>&1 &`).join(' '));
	server = await view(NAME);
	browser = await launch();
}, { timeout: 300000 });

test('what a desktop is told to open holds no token in its name, and leads to the page', async () => {
	let opened = '';

	for (const start = Date.now(); !opened && Date.now() - start < 10000;)
		opened = await new Promise((next) => setImmediate(next)).then(() => readFileSync(join(dir, 'opened'), 'utf8')).catch(() => '');
	assert.equal(opened, join(process.env.XDG_RUNTIME_DIR, 'glassbox', NAME, 'page.html') + '\n');
	const first = await open(browser, `file://${opened.trim()}`);

	await first.waitForURL(`${guest.url}**`, { timeout: 15000 });
	await first.waitForFunction(() => window.glassbox?.memory, null, { timeout: 15000 });
	assert.match(await first.title(), /page-test/);
	await first.context().close();
});

test('the page comes up with the guest\'s name, kernel, owners and processes', async () => {
	const url = new URL(server.url);

	url.search = 'still&theme=dark&samples=1&shadow=0';
	tab = await open(browser, url, { width: 1290, height: 660 });
	await page(() => window.glassbox.ready);
	await waitFor(() => window.glassbox.memory.complete);
	assert.match(await tab.textContent('#guest-name'), /page-test.*64 MiB.*Linux 6\./);
	await waitFor(() => document.querySelectorAll('#processes tbody tr').length > 4);
	const names = await tab.textContent('#processes tbody');

	for (const name of ['init', 'syslogd', 'crond', 'httpd'])
		assert.ok(names.includes(name), `${name} in ${names}`);
	const { classes } = await json(server, 'api/owners');
	const sum = Object.values(classes).reduce((a, b) => a + b, 0);

	assert.equal(sum, 16384);
	assert.ok(classes['kernel-text'] > 500 && classes.code > 50 && classes.free > 1000, JSON.stringify(classes));
	assert.ok(classes.unknown < 16384 / 20, `${classes.unknown} unknown`);
});

// The guest stays paused for the next two tests, so that what is drawn is what they ask for.
test('the picture that arrives is the guest\'s memory', async () => {
	const paused = tab.waitForFunction(() => document.getElementById('pause').textContent === 'Resume', null, { timeout: 20000 });

	await tab.click('#pause');
	await paused;
	await glassbox('ls');
	const ram = readFileSync(guest.ram), zero = Buffer.alloc(PAGE);
	let differing = [];

	// A scan after the pause brings the last changes.
	for (const start = Date.now(); Date.now() - start < 10000;) {
		const hashes = await page(async () => {
			const { memory } = window.glassbox, list = [];

			for (let i = 0; i < memory.frames; i++) {
				let h = 0;

				for (const word of new Uint32Array(memory.bytesOf(i).slice().buffer))
					h = (Math.imul(h, 31) + word) >>> 0;
				list.push(h);
			}
			return list;
		});

		differing = hashes.flatMap((h, i) => {
			const frame = ram.length >= (i + 1) * PAGE ? ram.subarray(i * PAGE, (i + 1) * PAGE) : zero;
			let want = 0;

			for (let at = 0; at < PAGE; at += 4)
				want = (Math.imul(want, 31) + frame.readUInt32LE(at)) >>> 0;
			return want === h ? [] : [i];
		});
		if (!differing.length)
			break;
	}
	assert.deepEqual(differing, []);
});

test('the canvas shows the owners\' colours where they should be', async () => {
	await still();
	const points = await grid(7), [hits, colours] = [await picks(points), await pixels(points)];
	const info = await page((frames) => {
		const { memory } = window.glassbox;

		return frames.map((f) => (f < 0 ? null : { key: memory.groups[memory.groupOf(f)].key, rgb: memory.groups[memory.groupOf(f)].rgb }));
	}, hits.map((h) => h.frame));
	const seen = new Map();
	let good = 0, bad = 0;

	for (const [i, { frame, inside }] of hits.entries()) {
		if (frame < 0 || !inside || info[i].key === 'unknown')
			continue;
		const want = linear([1, 3, 5].map((at) => Number.parseInt(info[i].rgb.slice(at, at + 2), 16))), have = linear(colours[i]);
		const right = sameHue(want, have) > 0.99 && length(have) > 0.35 * length(want) && length(have) < 1.1 * length(want);

		good += right;
		bad += !right;
		if (right)
			seen.set(info[i].key, (seen.get(info[i].key) ?? 0) + 1);
	}
	console.log(`# ${good} of ${good + bad} points right: ${[...seen].map(([k, n]) => `${k} ${n}`).join(', ')}`);
	assert.ok(good > 150, `${good} points of owners`);
	assert.ok(bad <= good / 20, `${bad} points have another colour`);
	assert.ok(seen.size >= 5, `${seen.size} owners`);
	await shot(tab, 'page-dark');
}, { timeout: 120000 });

test('a click names the right frame', async () => {
	const points = await grid(20), hits = await picks(points);
	const chosen = points.map((p, i) => ({ p, ...hits[i] })).filter(({ frame, inside }) => frame >= 0 && inside);
	const groups = new Set();
	const { left, top } = await page(() => document.getElementById('cube').getBoundingClientRect().toJSON());

	assert.ok(chosen.length > 20);
	for (const { p: [x, y], frame } of chosen) {
		const facts = await json(server, `api/frame/${frame}`);

		if (groups.has(facts.group) || groups.size >= 5)
			continue;
		groups.add(facts.group);
		await tab.mouse.click(left + x, top + y);
		await waitFor(([f]) => window.glassbox.state.selected === f, [frame], 10000).catch(async (error) => {
			throw new Error(`a click at ${x},${y} selected ${await page(() => window.glassbox.state.selected)}, not ${frame}: ${error.message}`);
		});
		await tab.waitForFunction((text) => document.getElementById('right').textContent.includes(text), `Frame 0x${facts.pfn.toString(16)}`, { timeout: 10000 });
		const words = await page((key) => window.glassbox.memory.groups.find((g) => g.key === key).words, facts.group);

		await waitFor((text) => document.getElementById('right').textContent.toLowerCase().includes(text), words.toLowerCase(), 8000).catch(async () => {
			throw new Error(`${words} is not in: ${await tab.textContent('#right')} ${JSON.stringify(facts)}`);
		});
		await tab.keyboard.press('Escape');
	}
	assert.ok(groups.size >= 3, [...groups].join());
	await tab.click('#pause');
	await waitFor(() => document.getElementById('pause').textContent === 'Pause');
});

test('a byte written in the guest changes the right voxel', async () => {
	const mark = `glassbox ${process.pid} marks this frame.`;

	await inGuest(`umask 0; printf '${mark.slice(0, 9)}%s' '${mark.slice(9)}' >/tmp/marked; sync`);
	// The file's page: its text lies at the start of a frame of the page cache.
	let frame = -1;

	for (const start = Date.now(); frame < 0 && Date.now() - start < 20000;)
		frame = await page((text) => {
			const { memory } = window.glassbox, want = new TextEncoder().encode(text);

			for (let i = 0; i < memory.frames; i++) {
				const bytes = memory.bytesOf(i);

				if (want.every((b, at) => bytes[at] === b) && bytes[want.length] === 0)
					return i;
			}
			return -1;
		}, mark);
	assert.ok(frame >= 0, 'the marked page arrived');
	assert.equal(frame, await findInRam(mark) / PAGE);
	const before = await page((i) => Array.from(window.glassbox.memory.bytesOf(i)), frame);

	await inGuest(`printf '\\377' | dd of=/tmp/marked bs=1 seek=2989 conv=notrunc 2>/dev/null`);
	await waitFor((i) => window.glassbox.memory.bytesOf(i)[2989] === 255, frame);
	const after = await page((i) => Array.from(window.glassbox.memory.bytesOf(i)), frame);

	assert.deepEqual(after.flatMap((b, i) => (b === before[i] ? [] : [i])), [2989]);
	const { body } = await get(server, `api/bytes/0x${(frame * PAGE).toString(16)}/${PAGE}`);

	assert.deepEqual([...body], after);
	const voxel = await page((i) => {
		const { scene, state: { look: { fold } }, offsets } = window.glassbox, [x, y, z] = scene.cellOf(i);
		const turn = fold.cells[x + fold.extent[0] * (y + fold.extent[1] * z)] >>> 27;
		const local = offsets.subarray(turn * 4096, turn * 4096 + 4096).indexOf(2989);

		return [x * 16 + (local & 15), y * 16 + (local >> 4 & 15), z * 16 + (local >> 8)];
	}, frame);

	assert.deepEqual(voxel, hilbert(9, frame * PAGE + 2989));
	await page((i) => window.glassbox.state.select(i), frame);
	assert.match(await tab.textContent('#right'), new RegExp(`0x${frame.toString(16)}`));
});

test('hostile names show as text', async () => {
	const { processes } = await json(server, 'api/processes');
	const found = processes.filter((p) => HOSTILE.some((h) => p.comm === h.slice(0, 15)));

	assert.equal(found.length, HOSTILE.length, JSON.stringify(processes.map((p) => p.comm)));
	await waitFor((n) => [...document.querySelectorAll('#processes tbody tr')].filter((row) => /img src|cod\.exe|script|\[2J/.test(row.textContent)).length >= n, HOSTILE.length);
	const texts = await page(() => [...document.querySelectorAll('#processes tbody tr')].map((row) => row.textContent));

	assert.ok(texts.some((t) => t.includes('<img src=x>')));
	assert.ok(texts.some((t) => t.includes('</td><script>')));
	for (const text of texts)
		assert.doesNotMatch(text, /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
	assert.equal(await page(() => document.querySelectorAll('img:not(.mark), #processes script').length), 0);
	await shot(tab, 'page-hostile-names');
});

test('a click on a process shows its memory and its facts, again: all memory', async () => {
	const [pid, name] = await page(() => {
		const row = document.querySelector('#processes tbody tr');

		row.click();
		return [row.dataset.pid, row.children[1].firstChild.textContent];
	});

	await waitFor((p) => window.glassbox.state.pid === p, Number(pid));
	const { runs } = await json(server, `api/process/${pid}/frames`), n = runs.reduce((sum, [, count]) => sum + count, 0);
	const text = await tab.textContent('#right');

	assert.ok(text.includes(`Process ${pid}`) && text.includes(name), text);
	assert.ok(Math.abs(Number(text.match(/([\d,]+) frames? in/)[1].replace(',', '')) - n) < 20, `${text}: ${n} frames`);
	assert.match(await tab.textContent('#crumb'), new RegExp(`page-test.*${pid}`));
	const [solid, isolated] = await page(() => {
		const { state: { look, isolated: { runs: list } }, memory } = window.glassbox, drawn = [];

		for (let frame = 0; frame < memory.frames; frame++)
			if (look.solidAt(look.fold.place[frame]))
				drawn.push(frame);
		return [drawn, list];
	});

	assert.deepEqual(solid, isolated.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)));
	await page(() => document.querySelector('#processes tbody tr[aria-selected=true]').click());
	await waitFor(() => window.glassbox.state.pid === null);
	assert.match(await tab.textContent('#right'), /Point at memory/);
});

test('page tables without end are said', async () => {
	// Whatever the next status says comes after this one.
	const text = await page(() => new Promise((resolve) => {
		const { api, status } = window.glassbox;

		api.dispatchEvent(new CustomEvent('status', { detail: { running: true, paused: false, exited: null, ended: null, cut: true, torn: 0 } }));
		status.draw();
		resolve(document.getElementById('status').textContent);
	}));

	assert.match(text, /page tables without end: some owners are missing/);
	const control = new Socket(server), status = await control.next('status');

	assert.equal(status.cut, false);
	control.close();
	await waitFor(() => !document.getElementById('status').textContent.includes('without end'));
});

test('an image that was cut short is said', async () => {
	const texts = await page(() => {
		const { hello, status } = window.glassbox, show = (more) => {
			status.hello = { ...hello, ...more };
			status.draw();
			return document.getElementById('status').textContent;
		};

		return [show({ missing: 56 << 20 }), show({})];
	});

	assert.match(texts[0], /incomplete: the image lacks 56(\.0)? MiB of the machine's RAM/);
	assert.doesNotMatch(texts[1], /incomplete/);
});

test('the light theme, and a phone', async () => {
	await tab.click('#theme');
	await still();
	await shot(tab, 'page-light');
	await tab.setViewportSize({ width: 390, height: 844 });
	await still();
	await shot(tab, 'page-phone');
	await tab.setViewportSize({ width: 1290, height: 660 });
}, { timeout: 120000 });

test('a connection that is lost is said, and comes back by itself', async () => {
	const textOf = () => page(() => {
		const { memory } = window.glassbox, key = memory.groups.findIndex((g) => g.key === 'kernel-text');

		return [...memory.written].filter((when, frame) => when && memory.groupOf(frame) === key).length;
	});
	const before = await textOf();

	server.child.kill('SIGSTOP');
	try {
		await tab.waitForSelector('[data-note=connection]', { timeout: 20000 });
		assert.match(await tab.textContent('[data-note=connection]'), /connection to Glass Box is lost/i);
	} finally {
		server.child.kill('SIGCONT');
	}
	await tab.waitForSelector('[data-note=connection]', { state: 'detached', timeout: 30000 });
	await inGuest(`echo back again ${process.pid} >/tmp/back`);
	await waitFor((text) => {
		const { memory } = window.glassbox, want = new TextEncoder().encode(text);

		for (let i = 0; i < memory.frames; i++)
			if (want.every((b, at) => memory.bytesOf(i)[at] === b))
				return true;
		return false;
	}, `back again ${process.pid}`);
	assert.ok(await textOf() <= before + 8, 'what a new stream brings at first was not written just now');
}, { timeout: 90000 });

test('a guest that is killed: it is said, the last picture stays', async () => {
	const pid = JSON.parse(await glassbox('ls', '--json')).vms.find((vm) => vm.name === NAME).qemu_pid;

	const own = new URL(guest.url), of = { port: Number(own.port), prefix: own.pathname }, stream = new Stream(of), control = new Socket(of);

	await stream.until(() => stream.complete, 'the complete picture');
	await control.next('status');
	process.kill(pid, 'SIGKILL');
	// The page of the guest's own supervisor knows how it ended; any other only that it did.
	await stream.until(() => stream.closed, 'the end of the stream');
	assert.equal(stream.reason, 'the guest has stopped: QEMU was killed by signal 9 (Killed)');
	await control.until(() => control.messages.some((m) => m.exited), 'the end in the status');
	const { exited } = control.messages.find((m) => m.exited);

	assert.deepEqual({ ...exited, at_ns: 0 }, { status: null, signal: 'SIGKILL', why: null, at_ns: 0 });
	assert.ok(Math.abs(Date.now() - exited.at_ns / 1e6) < 10000);
	await tab.waitForSelector('[data-note=guest]', { timeout: 15000 });
	await waitFor(() => /^The guest has stoppedQEMU ended .* You see memory as it was at \d\d:\d\d:\d\d\./.test(document.querySelector('[data-note=guest]').textContent));
	assert.deepEqual(await page(async (e) => {
		const { endWords } = await import('./errors.js'), at_ns = (Date.now() - 12e3) * 1e6;

		return [endWords({ ...e, at_ns }, ''), endWords({ status: 0, signal: null, at_ns }, ''), endWords({ ...e, why: 'QEMU was killed, as it hung' }, ''),
			endWords(null, 'the file is short'), endWords(null, 'the guest has stopped')];
	}, exited), ['QEMU was ended by SIGKILL 12 s ago.', 'QEMU exited 12 s ago with status 0.', 'QEMU was killed, as it hung.', 'The file is short.', '']);
	await shot(tab, 'page-guest-gone');
	assert.ok(await page(() => window.glassbox.memory.counts().length > 5));
	const { code } = await within(15000, guest.run.ended, 'the end of run');

	assert.notEqual(code, 0);
	guest.run = null;
});

test('the page complained about nothing', async () => {
	const complaints = tab.complaints.filter((c) => !/ERR_(INCOMPLETE|ABORTED|NETWORK|CONNECTION)|failed: .*(stream|ws)/.test(c));

	assert.deepEqual(complaints, []);
});

test('memory that is no Linux is shown without owners, and that is said', async () => {
	const ram = new RamFile(join(dir, 'noise.img'), 256);

	for (let i = 20; i < 90; i++)
		ram.fill(i, i);
	const other = await view(ram.path), url = new URL(other.url);

	url.search = 'still&theme=dark&samples=1&shadow=0';
	const second = await open(browser, url);

	await second.waitForSelector('[data-note=kernel]', { timeout: 30000 });
	assert.match(await second.textContent('[data-note=kernel]'), /Kernel not understood/);
	await second.waitForFunction(() => window.glassbox.memory?.complete, null, { timeout: 20000 });
	assert.equal(await second.evaluate(() => window.glassbox.memory.bytesOf(33)[4095]), 33);
	await shot(second, 'page-not-understood');
	await second.context().close();
	await other.stop();
	ram.close();
});

await main(async () => {
	await browser?.close();
	await server?.stop().catch(() => {});
	if (guest.run) {
		guest.run.child.kill('SIGINT');
		await within(20000, guest.run.ended, 'the end of the guest');
	}
	console.log(`# screenshots are in ${artefacts}`);
});
