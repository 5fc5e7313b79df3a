// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page's server over real sockets: who is let in, what it answers, what it survives.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PAGE, RamFile, Run, scratch, view } from './glassbox.mjs';
import { main, test, within } from './tap.mjs';
import { Socket, Stream, get, json, raw } from './wire.mjs';

const BARE = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
const dir = scratch();
const ram = new RamFile(join(dir, 'ram.img'), 1024);

for (let frame = 16; frame < 1024; frame += 3)
	ram.fill(frame, frame % 251 + 1);

const run = await view(ram.path);
const host = `127.0.0.1:${run.port}`;
const ask = (line, headers) => raw(run.port, `${line} HTTP/1.1\r\n${headers.map((h) => h + '\r\n').join('')}\r\n`);
const page = `GET ${run.prefix}`;
const refused = async (line, headers) => assert.equal(await ask(line, headers), BARE);
const sameAsFile = (s) => {
	for (let i = 0; i < ram.frames; i++)
		if (!ram.read(i).equals(s.picture.get(i) ?? Buffer.alloc(PAGE)))
			return false;
	return true;
};

test('without the token: a bare 403', async () => {
	await refused('GET /', [`Host: ${host}`]);
	await refused('GET /index.html', [`Host: ${host}`]);
	await refused('GET /api/hello', [`Host: ${host}`]);
	await refused('GET ' + run.prefix.slice(0, -1), [`Host: ${host}`]);
});

test('with a wrong token: a bare 403', async () => {
	const swapped = run.prefix[1] === 'A' ? 'B' : 'A';

	await refused(`GET /${swapped}${run.prefix.slice(2)}`, [`Host: ${host}`]);
	await refused(`GET ${run.prefix.slice(0, -2)}/`, [`Host: ${host}`]);
	await refused(`GET ${run.prefix.toLowerCase()}`, [`Host: ${host}`]);
	await refused(`GET /${encodeURIComponent(run.prefix)}/`, [`Host: ${host}`]);
});

test('with a foreign, missing or doubled Host: a bare 403', async () => {
	await refused(page, ['Host: evil.example']);
	await refused(page, [`Host: evil.example:${run.port}`]);
	await refused(page, ['Host: 127.0.0.1']);
	await refused(page, []);
	await refused(page, [`Host: ${host}`, 'Host: evil.example']);
	await refused(page, ['Host: evil.example', `Host: ${host}`]);
});

test('from a foreign origin or site: a bare 403', async () => {
	for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1', `https://${host}`, `http://${host}.evil.example`])
		await refused(page, [`Host: ${host}`, `Origin: ${origin}`]);
	for (const site of ['cross-site', 'same-site'])
		await refused(page, [`Host: ${host}`, `Sec-Fetch-Site: ${site}`]);
});

test('a socket needs the page\'s own origin', async () => {
	const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];

	await refused(`${page}ws`, [`Host: ${host}`, ...upgrade]);
	await refused(`${page}ws`, [`Host: ${host}`, 'Origin: http://evil.example', ...upgrade]);
	await refused('GET /ws', [`Host: ${host}`, `Origin: http://${host}`, ...upgrade]);
	const own = new Socket(run);

	assert.equal(await own.opened, 101);
	own.close();
});

test('what passes gets strict headers', async () => {
	const { status, headers } = await get(run, 'api/hello');

	assert.equal(status, 200);
	assert.equal(headers['content-security-policy'], "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
		"img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
	assert.equal(headers['cache-control'], 'no-store');
	assert.equal(headers['x-content-type-options'], 'nosniff');
	assert.equal(headers['referrer-policy'], 'no-referrer');
	assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
	assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
	assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
	assert.equal(headers['access-control-allow-origin'], undefined);
	assert.equal(headers['set-cookie'], undefined);
});

test('no path of a request reaches the file system', async () => {
	const paths = ['../../../../etc/passwd', '..%2f..%2f..%2fetc%2fpasswd', '%2e%2e/%2e%2e/etc/passwd', '/etc/passwd', '//etc/passwd',
		'./index.html', '../web/index.html', 'web/index.html', 'index.html/', 'index.html%00', 'index.html%00.js', '..\\..\\etc\\passwd',
		'src/serve/serve.c', '.htaccess', '.htpasswd', 'ws/', 'ws', 'stream/', 'API/HELLO', 'api/../index.html'];

	for (const path of paths) {
		const answer = await ask(`${page}${path}`, [`Host: ${host}`]);

		assert.match(answer, /^HTTP\/1\.1 404 /, path);
		assert.doesNotMatch(answer, /root:|<html|<!doctype/i, path);
	}
	assert.equal(await ask('GET http://evil.example/', [`Host: ${host}`]), '');
	assert.equal(await ask('GET ../../etc/passwd', [`Host: ${host}`]), BARE);
});

test('only GET is known', async () => {
	for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'PROPFIND', 'MKCOL']) {
		const answer = await ask(`${method} ${run.prefix}`, [`Host: ${host}`, 'Access-Control-Request-Method: GET']);

		assert.match(answer, /^HTTP\/1\.1 405 [^]*Content-Length: 0\r\n/, method);
		await refused(`${method} /`, [`Host: ${host}`]);
	}
});

test('malformed and oversized requests get the bare 403', async () => {
	assert.equal(await raw(run.port, `GET ${run.prefix} HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(65536)}\r\n\r\n`), BARE);
	assert.equal(await raw(run.port, `GET /${'x'.repeat(65536)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`), BARE);
	assert.equal(await raw(run.port, `GET / HTTP/1.1\r\n${Array.from({ length: 200 }, (_, i) => `A${i}: 1\r\n`).join('')}\r\n`), BARE);
	assert.equal(await raw(run.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), BARE);
	assert.equal(await raw(run.port, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'), BARE);
	assert.equal(await raw(run.port, 'GET\r\n\r\n'), BARE);
	assert.equal(await raw(run.port, '\r\n\r\n\r\n\r\n', { end: true }), BARE);
	assert.equal((await json(run, 'api/hello')).protocol, 1);
});

test('a body that is promised and never sent holds up nobody', async () => {
	const answer = await raw(run.port, `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000000000\r\n\r\n`);

	assert.equal(answer, BARE);
});

test('a client that closed its half still gets its answer', async () => {
	const answer = await raw(run.port, `GET ${run.prefix}api/hello HTTP/1.1\r\nHost: ${host}\r\n\r\n`, { end: true });

	assert.match(answer, /^HTTP\/1\.1 200 [^]*"protocol":1/);
});

test('hello says what is looked at', async () => {
	const hello = await json(run, 'api/hello');

	assert.equal(hello.frames, 1024);
	assert.equal(hello.frame_size, PAGE);
	assert.equal(hello.order, 8);
	assert.deepEqual(hello.layout, [{ gpa: '0x0', size: '0x400000', offset: '0x0' }]);
	assert.equal(hello.understood, false);
	assert.ok(hello.reason.length > 10);
	assert.equal(hello.live, false);
	assert.equal(hello.vm, 'ram.img');
	assert.match(hello.groups[0].rgb, /^#[0-9a-f]{6}$/);
	for (const { group } of hello.classes)
		assert.ok(hello.groups.some((g) => g.key === group));
	const { classes, groups } = await json(run, 'api/owners');

	assert.equal(classes.unknown, 1024);
	assert.equal(groups.unknown, 1024);
});

test('bytes and frames are what the file holds', async () => {
	const { headers, body } = await get(run, 'api/bytes/0x10ff0/64');

	assert.equal(headers['content-type'], 'application/octet-stream');
	assert.deepEqual(body, Buffer.concat([ram.read(16).subarray(0xff0), ram.read(17).subarray(0, 48)]));
	assert.equal((await get(run, 'api/bytes/4128768/65536')).body.length, 65536);
	assert.equal((await json(run, 'api/frame/16')).data, true);
	assert.equal((await json(run, 'api/frame/17')).data, false);
	assert.equal((await json(run, 'api/frame/16')).gpa, '0x10000');
});

test('requests that make no sense are told so', async () => {
	for (const [path, status] of [['api/bytes/0x3fffff/2', 404], ['api/bytes/0xfffffffffffff000/65536', 404], ['api/bytes/0/65537', 400],
		['api/bytes/0/0', 400], ['api/bytes/0/', 400], ['api/bytes/-1/16', 400], ['api/bytes/0x/16', 400], ['api/bytes/1e3/16', 400],
		['api/bytes/99999999999999999999/1', 400], ['api/bytes/0/16/x', 400], ['api/frame/1024', 404], ['api/frame/x', 400],
		['api/frame/', 400], ['api/frame/16/', 400], ['api/process/1/frames', 404], ['api/process/99999999999/frames', 400],
		['api/process/1', 400], ['api/nothing', 404], ['api/', 404], ['api/hello/', 404]]) {
		const answer = await json(run, path);

		assert.equal(answer.status, status, path);
		assert.ok(answer.error.message.length > 5, path);
	}
});

test('the stream brings the whole picture, then what changes', async () => {
	const s = new Stream(run);

	await s.until(() => s.complete, 'the complete picture');
	assert.equal(s.first, 1);
	assert.ok(sameAsFile(s));
	assert.equal(s.records.frames, 336);
	ram.write(500, Buffer.from([0xab]), 77);
	await s.until(() => s.picture.get(500)?.[77] === 0xab, 'a changed byte');
	ram.fill(16, 0);
	await s.until(() => !s.picture.has(16), 'a frame that became zero');
	assert.ok(sameAsFile(s));
	assert.ok(s.records.tick >= 2);
	s.close();
});

test('a viewer who does not read holds up nobody, and gets the newest state once', async () => {
	const big = new RamFile(join(dir, 'big.img'), 16384);

	for (let frame = 0; frame < big.frames; frame++)
		big.fill(frame, frame % 255 + 1);
	const other = await view(big.path), slow = new Stream(other);

	assert.equal(await slow.opened, 200);
	slow.answer.pause();
	const quick = new Stream(other);

	await quick.until(() => quick.complete, 'the complete picture beside a sleeping viewer');
	for (let round = 0; round < 20; round++) {
		big.fill(16383, round + 1);
		await quick.until(() => quick.picture.get(16383)[0] === round + 1, `change ${round}`);
	}
	assert.equal((await json(other, 'api/hello')).protocol, 1);
	const before = slow.records.frames;

	slow.answer.resume();
	await slow.until(() => slow.complete && slow.picture.get(16383)[0] === 20, 'the newest state');
	assert.ok(before < 16384, 'the viewer did sleep');
	assert.ok(slow.records.frames <= 16384 + 2, `${slow.records.frames} frames were sent`);
	slow.close();
	quick.close();
	await other.stop();
	big.close();
});

test('too many viewers are told so, and one that leaves makes room', async () => {
	const streams = Array.from({ length: 8 }, () => new Stream(run));

	for (const s of streams)
		assert.equal(await s.opened, 200);
	assert.equal((await json(run, 'stream')).status, 503);
	streams.shift().close();
	const start = Date.now();

	for (let status = 503; status === 503;) {
		const s = new Stream(run);

		status = await s.opened;
		streams.push(s);
		assert.ok(Date.now() - start < 5000, 'no room was made');
	}
	streams.forEach((s) => s.close());
});

test('200 idle connections: others are answered in time', async () => {
	const idle = Array.from({ length: 200 }, () => connect(run.port, '127.0.0.1'));

	for (const socket of idle)
		socket.on('error', () => {});
	await within(5000, Promise.all(idle.map((socket) => once(socket, 'connect'))), '200 connections');
	idle[0].write('GET / HT');
	const start = Date.now();

	assert.equal((await json(run, 'api/hello')).protocol, 1);
	console.log(`# answered after ${Date.now() - start} ms`);
	idle.forEach((socket) => socket.destroy());
});

test('the control channel tells the status and answers nonsense with an error', async () => {
	const s = new Socket(run);

	assert.equal(await s.opened, 101);
	const status = await s.next('status');

	assert.equal(status.running, false);
	assert.equal(status.paused, false);
	assert.equal(status.exited, null);
	assert.equal(status.ended, null);
	assert.equal(typeof status.dirty_mib_s, 'number');
	s.send({ type: 'watch', rate_hz: 30 });
	for (const bad of ['{', '[]', '7', '{"type":3}', '{"type":"no"}', '{"type":"watch"}', '{"type":"watch","rate_hz":-1}', '{"type":"watch","rate_hz":1e9}',
		'{"type":"watch","rate_hz":"30"}', '['.repeat(4000), '\xff\xfe', '{"type":"watch","type":"pause"}']) {
		const wait = s.next('error');

		s.send(bad);
		assert.ok((await wait).message.length > 5, bad);
	}
	const wait = s.next('error');

	s.send({ type: 'pause' });
	assert.match((await wait).message, /cannot be paused/);
	s.close();
});

test('frames that the control channel does not have end it', async () => {
	for (const [first, payload] of [[0x82, Buffer.alloc(4)], [0x01, Buffer.from('{}')], [0x81, Buffer.alloc(5000, 32)], [0x88, Buffer.from([3, 232])]]) {
		const s = new Socket(run);

		assert.equal(await s.opened, 101);
		await s.next('status');
		s.sendFrame(first, payload);
		await s.until(() => s.closed, `the end after ${first.toString(16)}`);
	}
	const s = new Socket(run);

	await s.opened;
	s.sendFrame(0x89, Buffer.from('hi'));
	await s.until(() => s.messages.some((m) => m.opcode === 10 && m.payload.toString() === 'hi'), 'a pong');
	s.close();
});

test('a RAM file that shrinks ends the stream with a reason; the page is still served', async () => {
	const small = new RamFile(join(dir, 'small.img'), 64);

	small.fill(3, 3);
	const other = await view(small.path), s = new Stream(other), control = new Socket(other);

	await s.until(() => s.complete, 'the complete picture');
	small.truncate(1);
	await s.until(() => s.closed, 'the end');
	assert.equal(s.records.end, 1);
	assert.match(s.reason, /short|shr[aiu]nk|smaller/);
	assert.ok(s.picture.has(3));
	await control.until(() => control.messages.some((m) => m.ended), 'the end in the status');
	assert.equal((await json(other, 'api/bytes/0x3000/16')).status, 410);
	assert.equal((await get(other, '')).status, 200);
	control.close();
	assert.deepEqual(await other.stop(), { code: 130, signal: null });
	small.close();
});

test('Ctrl-C ends it at once, with viewers connected', async () => {
	for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
		const other = await view(ram.path), s = new Stream(other), control = new Socket(other), idle = connect(other.port, '127.0.0.1');

		idle.on('error', () => {});
		await s.until(() => s.complete, 'the complete picture');
		await control.next('status');
		const start = Date.now();

		assert.deepEqual(await other.stop(signal), { code, signal: null });
		assert.ok(Date.now() - start < 2500, `${signal}: ended after ${Date.now() - start} ms`);
		s.close();
		control.close();
	}
});

test('a port in use is named, and what to do', async () => {
	const other = new Run(['view', ram.path, '--port', String(run.port)]);

	assert.equal((await within(5000, other.ended, 'the end')).code, 1);
	assert.match(other.stderr, new RegExp(`port ${run.port} is in use`));
	assert.match(other.stderr, /--port/);
	assert.equal(other.stdout, '');
});

test('targets that are none: exit codes and messages', async () => {
	const odd = new RamFile(join(dir, 'odd.img'), 4);

	odd.write(4, Buffer.from('x'));
	for (const [args, code, words] of [[['view', 'no-such-guest'], 3, /no guest named/], [['view', join(dir, 'nothing.img')], 3, /no such file/],
		[['view', odd.path], 1, /whole number of|4 KiB/], [['view', dir], 1, /./], [['view'], 2, /too few/], [['view', ram.path, '--port', '70000'], 2, /65535/]]) {
		const other = new Run(args);

		assert.equal((await within(5000, other.ended, 'the end')).code, code, other.stderr);
		assert.match(other.stderr, words);
	}
	odd.close();
});

test('the page\'s files are looked for where they are said to be', async () => {
	const other = new Run(['view', ram.path], { GLASSBOX_DATA: dir });

	assert.equal((await within(5000, other.ended, 'the end')).code, 3);
	assert.match(other.stderr, /no page in .*GLASSBOX_DATA/);
});

await main(async () => {
	await run.stop();
	ram.close();
});
