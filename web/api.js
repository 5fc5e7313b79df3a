// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The server: plain requests, the memory stream, the control socket; both are reconnected.
import { RecordReader } from './wire.js';

const RATE_HZ = 20; // of looks at memory: a picture that is 100 ms old counts as late
const CHUNK = 1 << 20, PAUSE_MIN = 500, PAUSE_MAX = 8000;
const QUIET_MS = 1000, QUIET_MOST = 5; // the server ticks at least twice a second

export class Api extends EventTarget {
	#ended = false;
	#socket = null;
	#wake = null;

	async json(path) {
		const answer = await fetch(`api/${path}`, { cache: 'no-store' });
		if (!answer.ok)
			throw await this.#refusal(answer);
		return answer.json();
	}

	// An error with the server's own words, or with status 403: it says nothing to strangers.
	async #refusal(answer) {
		const words = await answer.json().then((e) => e.error?.message, () => null);
		return Object.assign(new Error(words ?? `the server answers ${answer.status}`), { status: answer.status, said: words !== null });
	}

	// Keeps a stream running until the server says that there is no more to come.
	async follow(memory) {
		let pause = PAUSE_MIN;
		for (this.#ended = false; !this.#ended;) {
			try {
				await this.#stream(memory, () => {
					pause = PAUSE_MIN;
					this.#say('connected');
				});
			} catch (error) {
				this.#say('lost', { error, pause });
				await this.#sleep(pause);
				pause = Math.min(2 * pause, PAUSE_MAX);
			}
		}
	}

	retryNow() {
		this.#wake?.();
	}

	#sleep(ms) {
		return new Promise((done) => {
			const timer = setTimeout(done, ms);
			this.#wake = () => {
				clearTimeout(timer);
				done();
			};
		});
	}

	#say(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}

	async #stream(memory, connected) {
		const abort = new AbortController(), answer = await fetch('stream', { signal: abort.signal, cache: 'no-store' });
		if (!answer.ok)
			throw await this.#refusal(answer);
		const sink = memory.sink(), records = new RecordReader(memory.frames, {
			...sink,
			end: (text) => {
				this.#ended = true;
				sink.end(text);
			},
		});
		connected();
		// Turns of a timer are counted, not time: a page that is busy drawing for long is not a silent server.
		let quiet = 0;
		const watchdog = setInterval(() => ++quiet > QUIET_MOST && abort.abort(new Error('silent')), QUIET_MS);
		try {
			await this.#read(answer.body, (bytes) => {
				quiet = 0;
				records.push(bytes);
			});
		} finally {
			clearInterval(watchdog);
			abort.abort();
		}
		if (!this.#ended)
			throw new Error('closed');
	}

	// With a reader that fills our buffer where the browser has one.
	async #read(body, take) {
		let reader, buffer = new ArrayBuffer(CHUNK);
		try {
			reader = body.getReader({ mode: 'byob' });
		} catch {
			reader = body.getReader();
			buffer = null;
		}
		for (;;) {
			const { done, value } = await (buffer ? reader.read(new Uint8Array(buffer)) : reader.read());
			if (done)
				return;
			take(value);
			if (buffer)
				buffer = value.buffer;
		}
	}

	// The control socket; it comes back by itself.
	control(pause = PAUSE_MIN) {
		const url = new URL('ws', location.href);
		url.protocol = url.protocol.replace('http', 'ws');
		url.search = url.hash = '';
		this.#socket = new WebSocket(url);
		this.#socket.onopen = () => this.send({ type: 'watch', rate_hz: RATE_HZ });
		this.#socket.onmessage = ({ data }) => {
			pause = PAUSE_MIN;
			const message = JSON.parse(data);
			this.#say(message.type, message);
		};
		this.#socket.onclose = () => this.#ended || setTimeout(() => this.control(Math.min(2 * pause, PAUSE_MAX)), pause);
	}

	send(message) {
		if (this.#socket?.readyState === WebSocket.OPEN)
			this.#socket.send(JSON.stringify(message));
	}
}
