// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The GPU side of the cube: device, buffers, the two passes. It draws one sample of a picture when
// it is told to; when to draw is decided in picture.js.
import { cornersOf, project } from './camera.js';
import { PAGE } from './memory.js';
import { GLASS_PX, HALF_GLASS_PX, timeOf } from './pick.js';

const SCENE = ['scene', 'march', 'light', 'bytes', 'draw'];
const FLAG_SHADOW = 1;
const ADAPTER_MS = 3000;
const VIEW_BYTES = 176 + 16 * 16, SCREEN_BYTES = 80, SEGMENTS = 64;

export class NoWebGPU extends Error {}

const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
export const linearColour = (rgb) => [16, 8, 0].map((shift) => linear((rgb >> shift & 255) / 255));

async function shaderText(names) {
	const parts = names.map(async (name) => {
		const answer = await fetch(`${name}.wgsl`);
		if (!answer.ok)
			throw new Error(`${name}.wgsl: ${answer.status}`);
		return answer.text();
	});
	return (await Promise.all(parts)).join('\n');
}

// A browser whose GPU process is still starting may have no adapter yet.
async function findAdapter() {
	for (const end = performance.now() + ADAPTER_MS; ;) {
		const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
		if (adapter || !navigator.gpu || performance.now() > end)
			return adapter;
		await new Promise((next) => setTimeout(next, 200));
	}
}

async function openDevice() {
	const adapter = await findAdapter();
	if (!adapter)
		throw new NoWebGPU('no adapter');
	const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
	return adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } })
		.catch((error) => { throw new NoWebGPU(error.message); });
}

export class Gpu {
	#buffers = {};
	#groups = null;
	#view = new ArrayBuffer(VIEW_BYTES);

	static async open(canvas, fold, offsets) {
		const gpu = new Gpu();
		const [device, scene, present] = await Promise.all([openDevice(), shaderText(SCENE), shaderText(['present'])]);
		gpu.device = device;
		gpu.canvas = canvas;
		gpu.fold = fold;
		gpu.context = canvas.getContext('webgpu');
		if (!gpu.context)
			throw new NoWebGPU('no canvas context');
		gpu.format = navigator.gpu.getPreferredCanvasFormat();
		gpu.context.configure({ device, format: gpu.format, alphaMode: 'opaque' });
		await gpu.#pipelines(scene, present);
		gpu.#fixedBuffers(offsets);
		return gpu;
	}

	async #pipelines(scene, present) {
		const { device } = this, module = (code) => device.createShaderModule({ code });
		const screen = module(present);
		[this.draw, this.present] = await Promise.all([
			device.createComputePipelineAsync({ layout: 'auto', compute: { module: module(scene), entryPoint: 'draw' } }),
			device.createRenderPipelineAsync({ layout: 'auto', vertex: { module: screen, entryPoint: 'corner' },
				fragment: { module: screen, entryPoint: 'show', targets: [{ format: this.format }] } }),
		]);
	}

	#make(name, size, usage = GPUBufferUsage.STORAGE) {
		this.#buffers[name]?.destroy();
		this.#buffers[name] = this.device.createBuffer({ label: name, size: Math.max(16, Math.ceil(size / 4) * 4),
			usage: usage | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
		this.#groups = null;
	}

	#write(name, data, at = 0) {
		this.device.queue.writeBuffer(this.#buffers[name], at, data);
	}

	#fixedBuffers(offsets) {
		const cells = this.fold.cells, blocks = this.fold.extent.reduce((n, e) => n * Math.ceil(e / 4), 1);
		this.#make('view', VIEW_BYTES, GPUBufferUsage.UNIFORM);
		this.#make('screen', SCREEN_BYTES, GPUBufferUsage.UNIFORM);
		this.#make('look', cells.byteLength);
		this.#make('blocks', blocks * 4);
		this.#make('fill', cells.length);
		this.#make('cells', cells.byteLength);
		this.#make('offsets', offsets.byteLength);
		this.#make('bytes', 0);
		this.#make('segments', SEGMENTS * 32);
		this.#write('cells', cells);
		this.#write('offsets', offsets);
	}

	setLook(look) {
		this.#write('look', look.words);
		this.#write('blocks', look.blocks);
		this.#write('fill', look.fill);
	}

	// Bytes are held only once they can be seen, and only as many as the GPU binds.
	get hasBytes() {
		return this.byteFrames !== undefined;
	}

	holdBytes(memory) {
		const most = Math.floor(this.device.limits.maxStorageBufferBindingSize / PAGE);
		this.byteFrames = Math.min(memory.frames, most);
		this.#make('bytes', this.byteFrames * PAGE);
		for (let first = 0; first < this.byteFrames; first++) {
			let end = first;
			while (end < this.byteFrames && memory.full[end] && end - first < 1024)
				end++;
			if (end > first)
				this.setBytes(memory, first, end - first);
			first = Math.max(first, end - 1);
		}
	}

	setBytes(memory, first, count) {
		const n = Math.min(count, this.byteFrames - first);
		if (n > 0)
			this.#write('bytes', memory.bytes.subarray(first * PAGE, (first + n) * PAGE), first * PAGE);
	}

	// The frames of a list, neighbours together.
	updateBytes(memory, list) {
		for (let i = 0; i < list.length;) {
			let n = 1;
			while (i + n < list.length && list[i + n] === list[i] + n)
				n++;
			this.setBytes(memory, list[i], n);
			i += n;
		}
	}

	// Size of the picture that is drawn; the canvas may be larger.
	resize(width, height) {
		if (this.width === width && this.height === height)
			return;
		this.width = width;
		this.height = height;
		this.#make('sums', width * height * 16);
		this.#make('ids', width * height * 8);
	}

	#bind() {
		const entry = (names) => names.map((name, binding) => ({ binding, resource: { buffer: this.#buffers[name] } }));
		const group = (pipeline, names) => this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: entry(names) });
		this.#groups ??= {
			draw: group(this.draw, ['view', 'look', 'blocks', 'fill', 'cells', 'offsets', 'bytes', 'sums', 'ids']),
			present: group(this.present, ['screen', 'sums', 'segments']),
		};
		return this.#groups;
	}

	#setView(view, sample, style, look, shadow) {
		const i = new Int32Array(this.#view), u = new Uint32Array(this.#view), f = new Float32Array(this.#view);
		[view.d0, view.du, view.dv, view.eye].forEach((v, n) => i.set(v, n * 4));
		u.set([...view.extent, view.bits, this.width, this.height, sample,
			shadow ? FLAG_SHADOW : 0, look.focus.groups, look.focus.pid,
			...[GLASS_PX, HALF_GLASS_PX].map((px) => (this.hasBytes ? timeOf(view, px) : 0))], 16);
		f.set([...style.canvas, view.focal, ...style.fog, style.air, ...style.edge, style.edgeStrength,
			...style.wire, style.wireStrength], 28);
		style.groups.forEach((g, n) => f.set([...g.colour, g.hatch], 44 + 4 * n));
		this.#write('view', this.#view);
	}

	#setScreen(style, lines) {
		const data = new ArrayBuffer(SCREEN_BYTES), u = new Uint32Array(data), f = new Float32Array(data);
		const segments = new Float32Array(SEGMENTS * 8), area = [Infinity, Infinity, -Infinity, -Infinity];
		lines.slice(0, SEGMENTS).forEach(({ from, to, half, strength }, n) => {
			segments.set([...from, ...to, half, strength, 0, 0], n * 8);
			for (const [x, y] of [from, to]) {
				area[0] = Math.min(area[0], x - 4);
				area[1] = Math.min(area[1], y - 4);
				area[2] = Math.max(area[2], x + 4);
				area[3] = Math.max(area[3], y + 4);
			}
		});
		u.set([this.width, this.height]);
		f.set([this.canvas.width, this.canvas.height, ...style.text, 1, ...style.canvas, 1, ...area], 2);
		u.set([Math.min(lines.length, SEGMENTS)], 16);
		this.#write('screen', data);
		this.#write('segments', segments);
	}

	// One sample (none: only show again). Resolves when the GPU is done, with the time it took.
	async render({ view, sample, style, look, shadow, lines, draw }) {
		const start = performance.now(), encoder = this.device.createCommandEncoder(), groups = this.#bind();
		if (draw) {
			this.#setView(view, sample, style, look, shadow);
			const pass = encoder.beginComputePass();
			pass.setPipeline(this.draw);
			pass.setBindGroup(0, groups.draw);
			pass.dispatchWorkgroups(Math.ceil(this.width / 8), Math.ceil(this.height / 8));
			pass.end();
		}
		this.#setScreen(style, lines);
		const pass = encoder.beginRenderPass({ colorAttachments: [{ view: this.context.getCurrentTexture().createView(),
			loadOp: 'clear', storeOp: 'store' }] });
		pass.setPipeline(this.present);
		pass.setBindGroup(0, groups.present);
		pass.draw(3);
		pass.end();
		this.device.queue.submit([encoder.finish()]);
		await this.device.queue.onSubmittedWorkDone();
		return performance.now() - start;
	}

	// For tests: the sums and ids of the last picture.
	async read(name) {
		const from = this.#buffers[name];
		const to = this.device.createBuffer({ size: from.size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
		const encoder = this.device.createCommandEncoder();
		encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
		this.device.queue.submit([encoder.finish()]);
		await to.mapAsync(GPUMapMode.READ);
		const copy = to.getMappedRange().slice(0);
		to.destroy();
		return copy;
	}
}

// Edges of the faces of a cell that are turned to the eye, as lines on the canvas.
export function outlineOf(view, low, high, half, strength, scale) {
	const corners = cornersOf(low, high).map((c) => project(view, c)), lines = [];
	if (corners.some(([, , depth]) => depth < 0.05))
		return lines;
	const seen = (axis, up) => (up ? view.position[axis] > high[axis] : view.position[axis] < low[axis]);
	for (let a = 0; a < 8; a++)
		for (let axis = 0; axis < 3; axis++) {
			const others = [0, 1, 2].filter((d) => d !== axis);
			if (a >> axis & 1 || !others.some((d) => seen(d, a >> d & 1)))
				continue;
			const point = ([x, y]) => [x * scale, y * scale];
			lines.push({ from: point(corners[a]), to: point(corners[a | 1 << axis]), half, strength });
		}
	return lines;
}
