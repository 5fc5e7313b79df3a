// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page: asks who the guest is, makes the parts and joins them.
//
// In the address: ?theme=dark|light, ?still (nothing moves by itself), ?camera=yaw,pitch,distance,x,y,z
// and, for tests, ?samples=N, ?shadow=0, ?near=0 (frames stay solid). After # the view that a link
// brings back: camera, selected frame, patterns.
import { Api } from './api.js';
import { poseFrom, poseText } from './camera.js';
import {
	connectionLost, deviceLost, failed, fileGone, guestGone, isNoted, nobodyThere, noMemoryNow,
	note, notUnderstood, noWebGpu, refused, tooLarge, unnote,
} from './errors.js';
import { NoWebGPU } from './gpu.js';
import { foldFrames, offsetTable } from './hilbert.js';
import { Inspector } from './inspector.js';
import { Keys } from './keys.js';
import { Look } from './look.js';
import { Memory } from './memory.js';
import { Owners } from './owners.js';
import { Processes } from './processes.js';
import { Scene } from './scene.js';
import { State } from './state.js';
import { Status } from './status.js';
import { FlatMap, Strip } from './strip.js';
import { byId, clean, clock, make, sentence, size } from './text.js';
import { Twin } from './twin.js';

const query = new URLSearchParams(location.search), hash = new URLSearchParams(location.hash.slice(1));
const RESTORE_MS = 30000; // a device lost again within this is not restored by itself

function setTheme(theme) {
	document.documentElement.dataset.theme = theme;
}

class Page {
	api = new Api();
	#lastLoss = -Infinity;
	#seen = clock();

	async start() {
		setTheme(query.get('theme') ?? (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'));
		try {
			this.hello = await this.api.json('hello');
		} catch (error) {
			note('connection', 'Glass Box does not answer', [sentence(clean(error.message, 200))], [['Try again', () => location.reload()]]);
			throw error;
		}
		this.memory = this.#makeMemory();
		this.#parts();
		this.#listen();
		this.#buttons();
		this.api.follow(this.memory);
		this.api.control();
		await this.#openCube();
	}

	// The page keeps a copy of all RAM; a browser gives one array only so much.
	#makeMemory() {
		try {
			return new Memory(this.hello);
		} catch (error) {
			tooLarge(size(this.hello.frames));
			throw error;
		}
	}

	#parts() {
		this.offsets = offsetTable();
		this.state = new State(this.memory, new Look(this.memory, foldFrames(this.memory.frames)), this.api);
		this.state.processOf = (pid) => this.processes.find(pid);
		this.state.commOf = (pid) => this.processes.find(pid)?.comm ?? '';
		this.state.fail = (error) => failed(clean(error.message, 200));
		this.processes = new Processes(this.state);
		this.owners = new Owners(this.state);
		this.inspector = new Inspector(this.state);
		this.strip = new Strip(this.state);
		this.twin = new Twin(this.state);
		this.scene = new Scene(byId('cube'), this.state, this.offsets, {
			still: query.has('still'), samples: Number(query.get('samples')) || undefined,
			shadow: query.get('shadow') !== '0', near: query.get('near') !== '0', pose: poseFrom(query.get('camera') ?? hash.get('camera')),
		});
		this.status = new Status(this.memory, () => this.scene.picture);
		this.keys = new Keys({ scene: this.scene, state: this.state, twin: this.twin, theme: () => this.#otherTheme(), patterns: (on) => this.#patterns(on), panel: (side) => this.panel(side) });
		this.#name(this.hello);
		this.#patterns(hash.has('patterns'));
	}

	#name(hello) {
		this.status.hello = hello;
		document.title = `${clean(hello.vm || hello.guest, 40)}, ${size(this.memory.frames)} - Glass Box`;
		byId('guest-name').replaceChildren(make('b', {}, clean(hello.vm || hello.guest, 40)), make('span', {}, size(this.memory.frames)),
			hello.release ? make('span', { class: 'release' }, `Linux ${clean(hello.release, 40)}`) : '');
		if (hello.understood)
			unnote('kernel');
		this.#crumb();
	}

	#crumb() {
		const { vm, guest } = this.hello;
		byId('crumb').replaceChildren(make('span', {}, clean(vm || guest, 24)), make('i', {}, '\u203a'), make('b', {}, this.scene.crumb()));
	}

	#listen() {
		const { api, memory, state } = this;
		api.addEventListener('processes', ({ detail }) => this.processes.update(detail.processes));
		api.addEventListener('status', ({ detail }) => this.#onStatus(detail));
		api.addEventListener('error', ({ detail }) => state.fail(new Error(detail.message)));
		api.addEventListener('hello', ({ detail }) => this.#onHello(detail));
		api.addEventListener('connected', () => unnote('connection'));
		api.addEventListener('lost', ({ detail }) => this.#onLost(detail));
		memory.addEventListener('tick', () => (this.#seen = clock()));
		memory.addEventListener('complete', () => this.#onComplete());
		memory.addEventListener('end', ({ detail }) => this.#onEnd(detail));
		for (const type of ['filter', 'isolate'])
			state.addEventListener(type, () => this.#crumb());
		for (const type of ['select', 'view', 'filter'])
			state.addEventListener(type, () => this.#remember());
		state.addEventListener('select', () => this.#onSelect());
		state.addEventListener('isolate', ({ detail }) => this.#onIsolate(detail));
		state.addEventListener('fly', () => this.scene.flyToRuns(this.isolated ?? []));
		memory.addEventListener('owners', () => this.#summary());
	}

	#onStatus(status) {
		this.status.status = status;
		const dot = byId('guest-dot');
		dot.className = `dot ${this.ended ? 'bad' : status.paused ? 'hollow' : status.running || !this.hello.live ? '' : 'bad'}`;
		byId('pause').hidden = this.ended || !(this.hello.live && (status.running || status.paused));
		byId('pause').textContent = status.paused ? 'Resume' : 'Pause';
		this.exited = status.exited;
	}

	#onHello(hello) {
		if (hello.frames < this.memory.frames || hello.started_ns !== this.hello.started_ns)
			return location.reload();
		this.hello = hello;
		this.memory.name(hello);
		this.#name(hello);
	}

	#onLost({ error }) {
		byId('guest-dot').className = 'dot bad';
		if (error.status === 403)
			refused();
		else if (error.said)
			noMemoryNow(clean(error.message, 200), () => this.api.retryNow());
		else if (!isNoted('connection'))
			connectionLost(this.#seen, () => this.api.retryNow());
	}

	#onComplete() {
		const frame = Number.parseInt(hash.get('frame'), 16), at = this.memory.frameAt(frame * 4096);
		if (at >= 0)
			this.state.select(at);
		if (!this.hello.understood) {
			const unknown = this.memory.counts()[this.memory.unknown] ?? 0;
			notUnderstood(clean(this.hello.reason, 300), Math.round(100 * unknown / this.memory.frames));
		}
		this.#summary();
	}

	#onEnd(text) {
		this.ended = true;
		byId('guest-dot').className = 'dot bad';
		byId('pause').hidden = true;
		if (this.hello.live)
			guestGone(() => this.exited, clean(text, 200), this.#seen, () => this.#again());
		else
			fileGone(clean(text, 200), this.#seen, () => this.#again());
	}

	// The picture that is here is worth more than a browser's error page.
	async #again() {
		await this.api.json('hello').then(() => location.reload(), () => nobodyThere(this.#seen));
	}

	#onSelect() {
		if (this.state.selected >= 0) {
			this.panel('right', true);
			this.#tab('inspect');
		} else if (this.state.pid === null) {
			this.panel('right', false);
		}
		this.#say(this.inspector.sentence());
	}

	#onIsolate({ pid, frames, runs }) {
		this.isolated = runs;
		if (pid !== null)
			this.#say(`${clean(this.state.commOf(pid), 24)} ${pid}, ${frames} frames in ${runs.length} runs.`);
	}

	// Politely, at most once in two seconds, the newest.
	#say(text) {
		this.words = text;
		this.saying ??= setTimeout(() => {
			this.saying = undefined;
			byId('announce').textContent = this.words;
		}, 2000);
	}

	#summary() {
		byId('cube').setAttribute('aria-label', this.twin.summary());
	}

	#remember() {
		this.remembering ??= setTimeout(() => {
			this.remembering = undefined;
			const parts = new URLSearchParams({ camera: poseText(this.scene.pose) });
			if (this.state.selected >= 0)
				parts.set('frame', (this.memory.addressOf(this.state.selected) / 4096).toString(16));
			if (byId('patterns').checked)
				parts.set('patterns', '');
			history.replaceState(null, '', `#${parts}`);
		}, 500);
	}

	#otherTheme() {
		setTheme(document.documentElement.dataset.theme === 'light' ? 'dark' : 'light');
		this.scene.restyle();
	}

	// Each owner has a pattern, too, for who cannot tell colours apart.
	#patterns(on = !('patterns' in document.documentElement.dataset)) {
		document.documentElement.toggleAttribute('data-patterns', on);
		byId('patterns').checked = on;
		this.scene.restyle();
		this.#remember();
	}

	panel(side, open) {
		const now = document.body.dataset[side] === 'open';
		document.body.dataset[side] = open ?? !now ? 'open' : '';
	}

	#tab(name) {
		document.body.dataset.sheetTab = name;
		for (const tab of ['processes', 'inspect'])
			byId(`tab-${tab}`).setAttribute('aria-selected', String(tab === name));
	}

	#buttons() {
		byId('theme').addEventListener('click', () => this.#otherTheme());
		byId('table').addEventListener('click', () => this.twin.toggle());
		for (const side of ['left', 'right'])
			byId(`panels-${side}`).addEventListener('click', () => this.panel(side));
		byId('pause').addEventListener('click', () => this.api.send({ type: byId('pause').textContent === 'Resume' ? 'resume' : 'pause' }));
		for (const tab of ['processes', 'inspect'])
			byId(`tab-${tab}`).addEventListener('click', () => this.#tab(tab));
		this.#dragSheet(document.querySelector('.tabs'));
		this.#tab('processes');
	}

	// The sheet of a narrow screen: drag its tabs up or down.
	#dragSheet(tabs) {
		let from = null;
		tabs.addEventListener('pointerdown', (event) => (from = event.clientY));
		addEventListener('pointerup', (event) => {
			if (from !== null && Math.abs(event.clientY - from) > 24)
				document.body.dataset.sheet = event.clientY < from ? 'tall' : '';
			from = null;
		});
	}

	async #openCube() {
		let device;
		try {
			device = await this.scene.open();
		} catch (error) {
			if (!(error instanceof NoWebGPU))
				throw error;
			byId('cube').hidden = true;
			noWebGpu(() => new FlatMap(this.state));
			return;
		}
		unnote('device');
		device.lost.then(() => this.#onDeviceLost());
	}

	// Once by itself; again at once only when asked.
	async #onDeviceLost() {
		const now = performance.now(), again = now - this.#lastLoss < RESTORE_MS;
		this.#lastLoss = now;
		this.scene.picture = null;
		deviceLost(again ? () => this.#openCube() : null);
		if (!again)
			await this.#openCube().catch(() => deviceLost(() => this.#openCube()));
	}
}

const page = new Page();
// For tests and the curious: everything, and a promise of the first picture.
window.glassbox = page;
page.ready = page.start();
