// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Raw sockets, the memory stream and the control channel, as a client that is not a browser.
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { within } from './tap.mjs';

// Send bytes, return all that comes until the server closes.
export function raw(port, text, { end = false, ms = 5000 } = {}) {
	const socket = connect(port, '127.0.0.1');
	const answer = new Promise((resolve, reject) => {
		const parts = [];

		socket.on('data', (data) => parts.push(data));
		socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
		socket.on('error', (error) => (parts.length || error.code === 'ECONNRESET' || error.code === 'EPIPE'
			? resolve(Buffer.concat(parts).toString('latin1')) : reject(error)));
	});

	socket.write(text, 'latin1');
	if (end)
		socket.end();
	return within(ms, answer, 'an answer').finally(() => socket.destroy());
}

export function get(run, path, headers = {}, method = 'GET') {
	return within(10000, new Promise((resolve, reject) => {
		const ask = request({ host: '127.0.0.1', port: run.port, path: run.prefix + path, method, headers, agent: false }, (answer) => {
			const parts = [];

			answer.on('data', (data) => parts.push(data));
			answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
			answer.on('error', reject);
		});

		ask.on('error', reject);
		ask.end();
	}), `GET ${path}`);
}

export async function json(run, path) {
	const { status, body } = await get(run, path);

	return { status, ...JSON.parse(body) };
}

// The stream, parsed. `picture` maps frame index to its bytes; frames not in it are zeros.
export class Stream {
	constructor(run) {
		this.picture = new Map();
		this.records = { owners: 0, frames: 0, zero: 0, tick: 0, end: 0 };
		this.bytes = 0;
		this.complete = false;
		this.waiting = [];
		this.rest = [];
		this.restBytes = 0;
		this.request = request({ host: '127.0.0.1', port: run.port, path: run.prefix + 'stream', agent: false });
		this.opened = new Promise((resolve, reject) => {
			this.request.on('response', (answer) => {
				this.answer = answer;
				answer.on('data', (data) => this.take(data));
				answer.on('close', () => ((this.closed = true), this.look()));
				resolve(answer.statusCode);
			});
			this.request.on('error', (error) => ((this.closed = true), reject(error), this.look()));
		});
		this.opened.catch(() => {});
		this.request.end();
	}

	take(data) {
		this.rest.push(data);
		this.restBytes += data.length;
		this.bytes += data.length;
		if (this.need && this.restBytes < this.need)
			return;
		let all = Buffer.concat(this.rest);

		for (;;) {
			const length = all.length >= 24 ? 24 + Number(all.readBigUInt64LE(16)) : 24;

			this.need = length;
			if (all.length < length)
				break;
			this.record(all.readUInt32LE(0), all.readUInt32LE(4), all.subarray(24, length));
			all = all.subarray(length);
		}
		this.rest = [all];
		this.restBytes = all.length;
		this.look();
	}

	record(kind, count, payload) {
		this.first ??= kind;
		if (payload.length % 4)
			throw new Error('a payload is no multiple of 4');
		if (kind === 1) {
			this.records.owners++;
			this.classes = Uint8Array.from(payload.subarray(0, count));
		} else if (kind === 2) {
			this.records.frames += count;
			for (let i = 0; i < count; i++)
				this.picture.set(payload.readUInt32LE(4 * i), Buffer.from(payload.subarray(4 * count + 4096 * i, 4 * count + 4096 * (i + 1))));
		} else if (kind === 3) {
			this.records.zero += count;
			for (let i = 0; i < count; i++)
				this.picture.delete(payload.readUInt32LE(4 * i));
		} else if (kind === 4) {
			this.records.tick++;
			this.complete ||= (payload.readUInt32LE(12) & 2) !== 0;
			this.torn = (this.torn ?? 0) + payload.readUInt32LE(8);
		} else if (kind === 5) {
			this.records.end++;
			this.reason = payload.toString('utf8', 0, count);
		} else {
			throw new Error(`record kind ${kind}`);
		}
	}

	look() {
		this.waiting = this.waiting.filter(({ is, resolve }) => !is(this) || resolve());
	}

	until(is, what, ms = 15000) {
		return within(ms, new Promise((resolve) => {
			this.waiting.push({ is, resolve });
			this.look();
		}), what);
	}

	close() {
		this.request.destroy();
	}
}

// A WebSocket client for tests: text messages, and frames of one's own making.
export class Socket {
	constructor(run, headers = {}) {
		const key = randomBytes(16).toString('base64');

		this.messages = [];
		this.waiting = [];
		this.request = request({ host: '127.0.0.1', port: run.port, path: run.prefix + 'ws', agent: false, headers: {
			Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key,
			Origin: `http://127.0.0.1:${run.port}`, ...headers } });
		this.opened = new Promise((resolve, reject) => {
			this.request.on('upgrade', (answer, socket, head) => {
				const accept = createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');

				if (answer.headers['sec-websocket-accept'] !== accept)
					return reject(new Error('the handshake is wrong'));
				this.socket = socket;
				this.rest = head;
				socket.on('data', (data) => this.take(data));
				socket.on('error', () => {});
				socket.on('close', () => ((this.closed = true), this.look()));
				this.take(Buffer.alloc(0));
				resolve(101);
			});
			this.request.on('response', (answer) => (answer.resume(), resolve(answer.statusCode)));
			this.request.on('error', reject);
		});
		this.opened.catch(() => {});
		this.request.end();
	}

	take(data) {
		this.rest = Buffer.concat([this.rest, data]);
		while (this.rest.length >= 2) {
			let head = 2, length = this.rest[1] & 127;

			if (length === 126)
				head = 4, length = this.rest.length >= 4 ? this.rest.readUInt16BE(2) : Infinity;
			else if (length === 127)
				head = 10, length = this.rest.length >= 10 ? Number(this.rest.readBigUInt64BE(2)) : Infinity;
			if (this.rest.length < head + length)
				break;
			this.frame(this.rest[0] & 15, this.rest.subarray(head, head + length));
			this.rest = this.rest.subarray(head + length);
		}
		this.look();
	}

	frame(opcode, payload) {
		if (opcode === 1)
			this.messages.push(JSON.parse(payload.toString()));
		else if (opcode === 8)
			this.socket.end();
		else
			this.messages.push({ opcode, payload: Buffer.from(payload) });
	}

	look() {
		this.waiting = this.waiting.filter(({ is, resolve }) => !is(this) || resolve());
	}

	until(is, what, ms = 5000) {
		return within(ms, new Promise((resolve) => {
			this.waiting.push({ is, resolve });
			this.look();
		}), what);
	}

	// The next message of a type, from now on.
	async next(type, ms = 5000) {
		const from = this.messages.length;

		await this.until(() => this.messages.slice(from).some((m) => m.type === type), `message ${type}`, ms);
		return this.messages.slice(from).find((m) => m.type === type);
	}

	sendFrame(first, payload) {
		const mask = randomBytes(4), length = payload.length;
		const head = length < 126 ? Buffer.from([first, 128 | length]) : Buffer.from([first, 128 | 126, length >> 8, length & 255]);

		this.socket.write(Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i & 3])]));
	}

	send(message) {
		this.sendFrame(0x81, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)));
	}

	close() {
		this.socket?.destroy();
		this.request.destroy();
	}
}
