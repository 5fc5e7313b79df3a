// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What the page knows of the guest's memory: bytes, classes, owners, when each frame was written.
// Frames are numbered in packed order (the PCI hole left out), as in docs/protocol.md.

export const PAGE = 4096;
// How a group is hatched, as in shaders/scene.wgsl: unknown frames always, others if the user wants patterns.
export const UNKNOWN_HATCH = 1;
const PATTERNS = 6;

export class Memory extends EventTarget {
	constructor(hello) {
		super();
		this.frames = hello.frames;
		this.layout = hello.layout.map(({ gpa, size }) => ({ gpa: Number(gpa), size: Number(size) }));
		this.bytes = new Uint8Array(hello.frames * PAGE);
		this.classes = new Uint8Array(hello.frames);
		this.pids = new Uint32Array(hello.frames);
		this.full = new Uint8Array(hello.frames);        // 1: not all its bytes are zero
		this.written = new Float64Array(hello.frames);   // last write seen, ms as of performance.now()
		this.complete = false;                           // the first picture has come whole
		this.seen = null;                                // when the server told last, likewise
		this.name(hello);
	}

	// Names may come later: a kernel can be understood after the first hello.
	name({ classes, groups }) {
		this.groups = groups.map((g, index) => ({ ...g, index, colour: Number.parseInt(g.rgb.slice(1), 16),
			hatch: g.key === 'unknown' ? UNKNOWN_HATCH : 1 + UNKNOWN_HATCH + index % PATTERNS }));
		this.classNames = classes.map((c) => c.name);
		this.groupOfClass = Uint8Array.from(classes, (c) => groups.findIndex((g) => g.key === c.group));
		this.free = groups.findIndex((g) => g.key === 'free');
		this.unknown = groups.findIndex((g) => g.key === 'unknown');
	}

	// How old the picture is, ms; null before there is one.
	get age() {
		return this.seen === null ? null : performance.now() - this.seen;
	}

	groupOf(frame) {
		return this.groupOfClass[this.classes[frame]] ?? this.unknown;
	}

	bytesOf(frame) {
		return this.bytes.subarray(frame * PAGE, (frame + 1) * PAGE);
	}

	// Guest-physical address of a frame; frame that holds an address, or -1.
	addressOf(frame) {
		let rest = frame * PAGE;
		for (const { gpa, size } of this.layout) {
			if (rest < size)
				return gpa + rest;
			rest -= size;
		}
		return -1;
	}

	frameAt(address) {
		let before = 0;
		for (const { gpa, size } of this.layout) {
			if (address >= gpa && address < gpa + size)
				return Math.floor((before + address - gpa) / PAGE);
			before += size;
		}
		return -1;
	}

	counts() {
		const counts = new Uint32Array(this.groups.length);
		for (let frame = 0; frame < this.frames; frame++)
			counts[this.groupOf(frame)]++;
		return counts;
	}

	// Runs of frames of one group and one pid, in order: [first, count].
	runs() {
		const runs = [];
		for (let frame = 0; frame < this.frames; frame++) {
			const last = runs.at(-1);
			if (last && this.sameOwner(last[0], frame))
				last[1]++;
			else
				runs.push([frame, 1]);
		}
		return runs;
	}

	sameOwner(a, b) {
		return this.pids[a] === this.pids[b] && this.groupOf(a) === this.groupOf(b);
	}

	// The sink of one stream's records. A stream starts from a picture of zeros: what it has not
	// sent when its picture is complete is zero by now.
	sink() {
		const say = (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail }));
		let sent = new Uint8Array(this.frames);
		return {
			owners: (classes, pids) => {
				this.classes.set(classes);
				this.pids.set(pids);
				say('owners');
			},
			frame: (index) => this.bytesOf(index),
			written: (list) => {
				for (const frame of sent ? list : [])
					sent[frame] = 1;
				this.#note(list, (frame) => this.bytesOf(frame).some((b) => b !== 0), !sent, say);
			},
			zero: (list) => this.#clear(list, !sent, say),
			tick: (tick) => {
				if (tick.flags & 2 && sent) {
					this.#clear(this.#fullBut(sent), false, say);
					sent = null;
				}
				if (tick.flags & 2 && !this.complete) {
					this.complete = true;
					say('complete');
				}
				this.seen = performance.now();
				say('tick', tick);
			},
			end: (text) => say('end', text),
		};
	}

	#fullBut(sent) {
		const list = [];
		for (let frame = 0; frame < this.frames; frame++)
			if (this.full[frame] && !sent[frame])
				list.push(frame);
		return list;
	}

	#clear(list, live, say) {
		for (const frame of list)
			this.bytesOf(frame).fill(0);
		this.#note(list, () => false, live, say);
	}

	// live: the guest wrote these just now; else they belong to a stream's first picture.
	#note(list, isFull, live, say) {
		const now = performance.now();
		let changed = false;
		for (const frame of list) {
			const full = isFull(frame) ? 1 : 0;
			changed ||= full !== this.full[frame];
			this.full[frame] = full;
			if (live)
				this.written[frame] = now;
		}
		say('frames', { list, changed, live });
	}
}
