// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// For working on the page only: speaks docs/protocol.md from a raw RAM image and, if given, the
// `pfn,class,owner` table of `glassbox frames --csv`. Nothing here knows a guest: without a table
// every frame with data is of class unknown. Never installed.
//
//	node tests/web/dev-server.mjs RAM.img [--frames F.csv] [--processes P.json] [--port N] [--fault end|drop]
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { readFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: option, positionals: [image] } = parseArgs({
	allowPositionals: true,
	options: { frames: { type: 'string' }, processes: { type: 'string' }, port: { type: 'string', default: '0' },
		limit: { type: 'string' }, write: { type: 'boolean' } },
});
const root = fileURLToPath(new URL('../../', import.meta.url));

// The tables of src/kernel/frame_class.h, from its text.
const header = readFileSync(root + 'src/kernel/frame_class.h', 'utf8');
const rows = (macro) => header.split(`#define ${macro}(X)`)[1].split('\n\n')[0].matchAll(/X\((\w+), (.*)\)/g);
const groups = [...rows('GB_FRAME_GROUPS')].map(([, id, rest]) => {
	const [, key, words, rgb, family] = rest.match(/"(.*?)", "(.*?)", 0x(\w+), "(.*?)"/);
	return { id, key, words, family, rgb: '#' + rgb };
});
const classes = [...rows('GB_FRAME_CLASSES')].map(([, , rest]) => {
	const [, name, group] = rest.match(/"(.*?)", (\w+)/);
	return { name, group: groups.find((g) => g.id === group).key };
});

let ram = readFileSync(image);
if (option.limit)
	ram = ram.subarray(0, Number(option.limit) * 2 ** 20);
const frames = ram.length / 4096;
const cls = new Uint8Array(frames), owner = new Uint32Array(frames);
const zero = Buffer.alloc(4096);
const frame = (i) => ram.subarray(i * 4096, i * 4096 + 4096);
const number = (name) => classes.findIndex((c) => c.name === name);
if (option.frames) {
	for (const line of readFileSync(option.frames, 'utf8').split('\n')) {
		const [pfn, name, pid] = line.split(',');
		if (number(name) >= 0 && Number(pfn) < frames) {
			cls[Number(pfn)] = number(name);
			owner[Number(pfn)] = Number.parseInt(pid, 10) || 0;
		}
	}
} else {
	for (let i = 0; i < frames; i++)
		cls[i] = frame(i).equals(zero) ? number('free') : number('unknown');
}
const processes = option.processes ? JSON.parse(readFileSync(option.processes, 'utf8')).processes : [];
for (const p of processes) {
	p.frames = { code: 0, heap: 0, stack: 0, mapped: 0 };
	for (let i = 0; i < frames; i++)
		if (owner[i] === p.pid && classes[cls[i]].name in p.frames)
			p.frames[classes[cls[i]].name]++;
}

const hello = () => ({
	protocol: 1, vm: 'dev', guest: 'image', release: '6.12.117', banner: 'Linux version 6.12.117',
	understood: !!option.frames, reason: option.frames ? null : 'no table of frames was given',
	paging_levels: 4, symbols: 36370, btf_types: 48888, attach_ms: 56, frames, frame_size: 4096, order: 9,
	layout: [{ gpa: '0x0', size: '0x' + ram.length.toString(16) }], classes, groups: groups.map(({ id, ...g }) => g),
	live: true, started_ns: Date.now() * 1e6, version: 'dev',
});

function owners() {
	const count = {}, group = {};
	for (const c of cls) {
		count[classes[c].name] = (count[classes[c].name] ?? 0) + 1;
		group[classes[c].group] = (group[classes[c].group] ?? 0) + 1;
	}
	return { classes: count, groups: group };
}

function record(kind, count, payload) {
	const head = Buffer.alloc(24);
	head.writeUInt32LE(kind, 0);
	head.writeUInt32LE(count, 4);
	head.writeBigUInt64LE(BigInt(Date.now()) * 1000000n, 8);
	head.writeBigUInt64LE(BigInt(payload.length), 16);
	return Buffer.concat([head, payload]);
}

function framesRecord(list) {
	const index = Buffer.from(Uint32Array.from(list).buffer);
	return record(2, list.length, Buffer.concat([index, ...list.map(frame)]));
}

const tick = (dirty, flags) => record(4, 0, Buffer.from(Uint32Array.of(900, dirty, 0, flags).buffer));

async function stream(response) {
	response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' });
	const pad = Buffer.alloc((4 - frames % 4) % 4);
	response.write(record(1, frames, Buffer.concat([Buffer.from(cls), pad, Buffer.from(owner.buffer)])));
	const full = [...Array(frames).keys()].filter((i) => !frame(i).equals(zero));
	for (let i = 0; i < full.length; i += 256)
		if (!response.write(framesRecord(full.slice(i, i + 256))))
			await new Promise((next) => response.once('drain', next));
	let n = 0;
	const timer = setInterval(() => {
		if (option.write) {
			const dirty = [full[n++ % full.length], full[n * 7919 % full.length]];
			for (const i of dirty)
				ram[i * 4096 + n % 4096]++;
			response.write(framesRecord(dirty));
		}
		response.write(tick(option.write ? 2 : 0, 2));
	}, 100);
	response.on('close', () => clearInterval(timer));
	stops.push(() => {
		clearInterval(timer);
		response.end(record(5, 20, Buffer.from('QEMU is not running.')));
	});
}

const stops = [];
const types = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', wgsl: 'text/plain' };

function file(name, response) {
	name ||= 'index.html';
	const folder = name.endsWith('.wgsl') ? 'shaders/' : 'web/', type = types[name.split('.').at(-1)];
	if (!/^[\w-]+\.\w+$/.test(name) || !type || !existsSync(root + folder + name))
		return response.writeHead(404).end();
	response.writeHead(200, { 'Content-Type': type + '; charset=utf-8', 'Cache-Control': 'no-store',
		'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'" });
	response.end(readFileSync(root + folder + name));
}

function json(response, value) {
	response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function frameInfo(i) {
	const c = classes[cls[i]], p = processes.find((q) => q.pid === owner[i]);
	return { index: i, pfn: i, gpa: '0x' + (i * 4096).toString(16), class: c.name, group: c.group, pid: owner[i],
		comm: p?.comm ?? null, mappers: p ? [{ pid: p.pid, comm: p.comm, gva: '0x55ac45fd2000', vma: '[heap]' }] : [],
		symbol: null, gva: p ? '0x55ac45fd2000' : null, access: p ? 'rw-' : null, owner: c.name, data: !frame(i).equals(zero), torn: false };
}

const server = createServer((request, response) => {
	const path = request.url.split('?')[0].replace('/dev/', '');
	const [, index] = path.match(/^api\/frame\/(\d+)$/) ?? [], [, pid] = path.match(/^api\/process\/(\d+)\/frames$/) ?? [];
	if (path === 'api/hello')
		json(response, hello());
	else if (path === 'api/owners')
		json(response, owners());
	else if (path === 'api/processes')
		json(response, { processes, torn: false, time_ns: 0 });
	else if (index && Number(index) < frames)
		json(response, frameInfo(Number(index)));
	else if (pid)
		json(response, { pid: Number(pid), runs: [...owner.keys()].filter((i) => owner[i] === Number(pid)).map((i) => [i, 1]) });
	else if (path === 'stream')
		stream(response);
	else if (path === 'dev/end')
		response.end(String(stops.splice(0).map((stop) => stop()).length));
	else
		file(path, response);
});

// As much of RFC 6455 as a browser on this machine needs: text out, anything in is ignored.
server.on('upgrade', (request, socket) => {
	const key = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
	socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
	const say = (value) => {
		const text = Buffer.from(JSON.stringify(value)), long = Buffer.from([0x81, 126, 0, 0]);
		long.writeUInt16BE(text.length, 2);
		socket.write(Buffer.concat([text.length < 126 ? Buffer.from([0x81, text.length]) : long, text]));
	};
	say({ type: 'processes', processes, torn: false });
	say({ type: 'owners', ...owners() });
	const timer = setInterval(() => say({ type: 'status', running: true, paused: false, exited: null, dirty_mib_s: option.write ? 0.08 : 0,
		scan_ms: 0.9, torn: 0, consistent: true }), 250);
	socket.on('close', () => clearInterval(timer)).on('error', () => clearInterval(timer)).on('data', () => {});
});
server.listen(Number(option.port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/dev/`));
