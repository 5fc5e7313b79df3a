// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Records of the memory stream (docs/protocol.md): a reader that takes bytes as they come, in
// pieces of any size, and writes the frames of large records straight to where they belong.

export const OWNERS = 1, FRAMES = 2, ZERO = 3, TICK = 4, END = 5;
const HEADER = 24, PAGE = 4096;
const LIMIT = 2 ** 32; // no record is larger; a larger one means that we lost our place

// sink: owners(classes, pids), frame(index) -> Uint8Array to fill, written(indices), zero(indices),
// tick({scanned, dirty, torn, flags, time}), end(text).
export class RecordReader {
	#sink;
	#frames;
	#part = new Uint8Array(HEADER);
	#have = 0;
	#need = HEADER;
	#head = null;
	#list = null; // indices of a FRAMES record whose bytes are coming
	#at = 0;      // which of them

	constructor(frames, sink) {
		this.#frames = frames;
		this.#sink = sink;
	}

	push(bytes) {
		while (bytes.length > 0) {
			const n = Math.min(bytes.length, this.#need - this.#have);
			this.#part.set(bytes.subarray(0, n), this.#have);
			this.#have += n;
			bytes = bytes.subarray(n);
			while (this.#have === this.#need)
				this.#full();
		}
	}

	#expect(need, into = new Uint8Array(need)) {
		this.#part = into;
		this.#need = need;
		this.#have = 0;
	}

	#full() {
		if (!this.#head)
			this.#header();
		else if (this.#list)
			this.#nextFrame();
		else
			this.#payload();
	}

	#header() {
		const view = new DataView(this.#part.buffer);
		const head = { kind: view.getUint32(0, true), count: view.getUint32(4, true),
			time: view.getBigUint64(8, true), bytes: Number(view.getBigUint64(16, true)) };
		if (head.bytes >= LIMIT || head.bytes % 4 || head.bytes !== (this.#size(head) ?? head.bytes))
			throw new Error(`the stream holds a record of kind ${head.kind} with ${head.bytes} bytes`);
		this.#head = head;
		// The list of frames first; their bytes go straight to their places.
		this.#expect(head.kind === FRAMES ? head.count * 4 : head.bytes);
	}

	#size({ kind, count }) {
		switch (kind) {
		case OWNERS:
			return Math.ceil(this.#frames / 4) * 4 + this.#frames * 4;
		case FRAMES:
			return count * (4 + PAGE);
		case ZERO:
			return count * 4;
		}
	}

	#indices() {
		const list = new Uint32Array(this.#part.buffer, 0, this.#head.count);
		if (list.some((i) => i >= this.#frames))
			throw new Error('the stream names a frame that does not exist');
		return list;
	}

	#nextFrame() {
		if (++this.#at < this.#list.length)
			return this.#expect(PAGE, this.#sink.frame(this.#list[this.#at]));
		this.#sink.written(this.#list);
		this.#list = null;
		this.#done();
	}

	#payload() {
		const { kind, time } = this.#head, n = this.#frames, buffer = this.#part.buffer;
		if (kind === OWNERS) {
			this.#sink.owners(new Uint8Array(buffer, 0, n), new Uint32Array(buffer, Math.ceil(n / 4) * 4, n));
		} else if (kind === FRAMES && this.#head.count > 0) {
			this.#list = this.#indices();
			this.#at = -1;
			return this.#nextFrame();
		} else if (kind === ZERO) {
			this.#sink.zero(this.#indices());
		} else if (kind === TICK && this.#part.length >= 16) {
			const [scanned, dirty, torn, flags] = new Uint32Array(buffer, 0, 4);
			this.#sink.tick({ scanned, dirty, torn, flags, time });
		} else if (kind === END) {
			this.#sink.end(new TextDecoder().decode(this.#part.subarray(0, this.#head.count)));
		}
		this.#done();
	}

	#done() {
		this.#head = null;
		this.#expect(HEADER);
	}
}
