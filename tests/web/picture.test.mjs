// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What the page draws, pixel by pixel, in a real browser: tables against the C program's, the
// shader's Hilbert curve, the image of frame ids, the owners' colours and light, the byte voxels.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { byteVoxel, foldFrames, hilbertVoxel, offsetTable } from '../../web/hilbert.js';
import { executable, launch, open, shot } from './browser.mjs';
import { RamFile, scratch, view } from './glassbox.mjs';
import { firstFrame, light, linear } from './reference.mjs';
import { main, skip, test } from './tap.mjs';

const tables = process.env.GLASSBOX_CUBE_TABLES ?? 'build/src/view/test_cube';
const dir = scratch(), SIDES = { 64: 64, 128: 512 }; // voxels a side: frames
let browser;

// Yaw, pitch and distance in sides of the cube, around its centre.
const POSES = { start: [-35, 24, 3.75], front: [0, 8, 4], above: [140, 70, 4], below: [-120, -30, 4], inside: [20, 10, 0.3] };

// The same 32-bit numbers at each run.
function seededRandom() {
	let seed = 1;

	return () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
}

// A RAM file of random bytes; each fifth frame is all zero, each seventh sparse.
function randomRam(side) {
	const ram = new RamFile(join(dir, `${side}.img`), SIDES[side]);
	const random = seededRandom();

	for (let frame = 0; frame < ram.frames; frame++) {
		const bytes = Buffer.alloc(4096);

		for (let i = 0; frame % 5 && i < 4096; i++) {
			const word = random();

			bytes[i] = frame % 7 && word >>> 28 < 12 ? 0 : word >>> 20;
		}
		if (frame % 5)
			ram.write(frame, bytes);
	}
	return ram;
}

// The page of such a RAM, with owners in patches so that all of them occur.
async function openCube(side, more = {}) {
	if (!executable)
		skip('no chromium here');
	browser ??= await launch();
	const ram = randomRam(side), server = await view(ram.path), url = new URL(server.url);

	url.search = new URLSearchParams({ still: '', samples: '1', shadow: '0', theme: 'dark', ...more });
	const tab = await open(browser, url, { width: 1280, height: 448 });

	await tab.waitForFunction(() => window.glassbox, null, { timeout: 30000 }).catch((error) => {
		throw new Error(`the page did not start: ${tab.complaints.join('; ')}: ${error.message}`);
	});
	await tab.evaluate(() => window.glassbox.ready);
	await tab.waitForFunction(() => window.glassbox.memory.complete, null, { timeout: 30000 });
	await tab.evaluate(() => {
		const { memory } = window.glassbox;

		for (let i = 0; i < memory.frames; i++) {
			const patch = i >> 2;

			memory.classes[i] = (patch * 7 + (patch >> 3)) % memory.classNames.length;
			memory.pids[i] = patch % 3;
		}
		memory.dispatchEvent(new Event('owners'));
	});
	await still(tab);
	return { tab, close: async () => {
		await tab.context().close();
		await server.stop();
		ram.close();
	} };
}

const still = (tab) => tab.waitForFunction(() => window.glassbox.scene.picture.still, null, { timeout: 90000 });

async function look(tab, [yaw, pitch, sides]) {
	await tab.evaluate(([y, p, d]) => {
		const { scene } = window.glassbox;

		scene.pose = { yaw: y, pitch: p, distance: d * Math.max(...scene.extent), target: scene.extent.map((e) => e / 2) };
	}, [yaw, pitch, sides]);
	await still(tab);
}

// What the GPU holds of the last picture, and what is needed to draw it again elsewhere.
const readBack = (tab) => tab.evaluate(async () => {
	const { scene, state, memory } = window.glassbox, { gpu } = scene.picture, camera = await import('./camera.js');
	const { pick } = await import('./pick.js');
	const drawn = camera.viewOf(scene.pose, scene.extent, gpu.width, gpu.height, scene.picture.lift * gpu.height / gpu.canvas.clientHeight);
	const ids = new Uint32Array(await gpu.read('ids')), picked = [];

	for (let y = 0; y < gpu.height; y++)
		for (let x = 0; x < gpu.width; x++) {
			const hit = pick(drawn, x, y, state.look, memory, scene.offsets, gpu.byteFrames ?? 0), [ex, ey] = scene.extent;

			picked.push(hit.cell ? hit.cell[0] + ex * (hit.cell[1] + ey * hit.cell[2]) + 1 : 0, hit.offset + 1);
		}
	return { width: gpu.width, height: gpu.height, extent: scene.extent, view: drawn, ids: [...ids], picked,
		sums: [...new Float32Array(await gpu.read('sums'))], words: [...state.look.words], free: memory.free,
		groups: memory.groups.map(({ key, rgb }) => ({ key, rgb })) };
});

function sceneOf(image) {
	const [ex, ey, ez] = image.extent, kind = (cell) => image.words[cell] >> 4 & 3;
	const solid = (x, y, z) => x >= 0 && y >= 0 && z >= 0 && x < ex && y < ey && z < ez && kind(x + ex * (y + ey * z)) === 1;
	const frames = [];

	image.words.forEach((word, cell) => {
		const [x, y, z] = [cell % ex, Math.floor(cell / ex) % ey, Math.floor(cell / (ex * ey))];

		if (solid(x, y, z))
			frames.push({ x, y, z, cell, group: image.groups[word & 15] });
	});
	return { extent: image.extent, solid, frames };
}

// The ray through the centre of a pixel, from the camera's axes and not from the integer view.
function rayThrough({ view: v }, x, y) {
	const px = (x + 0.5 - v.width / 2) / v.focal, py = (v.height / 2 - v.lift - y - 0.5) / v.focal;

	return v.forward.map((f, d) => f + px * v.right[d] + py * v.up[d]);
}

// Does the ray enter the outer box within three pixels of one of its edges?
function onBoxEdge({ extent, view: v }, eye, ray) {
	const near = Math.max(0, ...extent.map((e, d) => Math.min(-eye[d] / ray[d], (e - eye[d]) / ray[d])));
	const gaps = extent.map((e, d) => eye[d] + near * ray[d]).map((c, d) => Math.min(Math.abs(c), Math.abs(extent[d] - c)));

	return gaps.filter((gap) => gap * v.focal / near < 3).length > 1;
}

test('the page\'s tables are those of the program', () => {
	const offsets = offsetTable();

	for (const frames of [1, 5, 64, 512, 4096, 16384, 20000, 32768]) {
		const { status, stdout, stderr } = spawnSync(tables, [String(frames)], { maxBuffer: 1 << 26 });

		assert.equal(status, 0, stderr.toString());
		const words = new Uint32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~3)));
		const { extent, cells } = foldFrames(frames);

		assert.deepEqual([...words.subarray(0, 3)], extent, `${frames} frames`);
		assert.ok(Buffer.from(cells.buffer).equals(stdout.subarray(12, 12 + cells.byteLength)), `cells of ${frames} frames`);
		assert.ok(Buffer.from(offsets.buffer).equals(stdout.subarray(12 + cells.byteLength)), `offsets, ${frames} frames`);
	}
});

// All points of the curve, or of large cubes many at random, each with the one that follows.
function pointsOf(order, random) {
	const all = 8 ** order;

	if (order <= 6)
		return Array.from({ length: all }, (_, i) => i);
	return Array.from({ length: 1 << 17 }, () => Math.floor(random() / 2 ** 32 * (all - 1))).flatMap((i) => [i, i + 1]);
}

// The voxels by the program's plain transform, packed as the shader packs them.
function plainVoxels(order, indices) {
	const { status, stdout } = spawnSync(tables, ['voxels', String(order)], { input: Buffer.from(Uint32Array.from(indices).buffer), maxBuffer: 1 << 26 });

	assert.equal(status, 0);
	return new Uint32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
}

const unpacked = (word) => [word & 1023, word >> 10 & 1023, word >>> 20];
const apart = (a, b) => unpacked(a).reduce((sum, c, d) => sum + Math.abs(c - unpacked(b)[d]), 0);

test('the shader\'s Hilbert curve both ways', async () => {
	const { tab, close } = await openCube(64), random = seededRandom();

	for (let order = 1; order <= 10; order++) {
		const list = pointsOf(order, random), plain = plainVoxels(order, list);
		const got = await tab.evaluate(async ([k, indices]) => {
			const { device } = window.glassbox.scene.picture.gpu, code = await (await fetch('hilbert.wgsl')).text();
			const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }), entryPoint: 'both_ways' } });
			const make = (size, usage) => device.createBuffer({ size, usage });
			const input = make(4 + 4 * indices.length, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
			const output = make(8 * indices.length, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC), back = make(8 * indices.length, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);

			device.queue.writeBuffer(input, 0, Uint32Array.of(k));
			device.queue.writeBuffer(input, 4, Uint32Array.from(indices));
			const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();

			pass.setPipeline(pipeline);
			pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [input, output].map((buffer, binding) => ({ binding, resource: { buffer } })) }));
			pass.dispatchWorkgroups(Math.ceil(indices.length / 64));
			pass.end();
			encoder.copyBufferToBuffer(output, 0, back, 0, 8 * indices.length);
			device.queue.submit([encoder.finish()]);
			await back.mapAsync(GPUMapMode.READ);
			return [...new Uint32Array(back.getMappedRange())];
		}, [order, list]);

		list.forEach((index, i) => {
			if (got[2 * i] !== plain[i] || got[2 * i + 1] !== index)
				assert.fail(`order ${order}, index ${index}: voxel ${unpacked(got[2 * i])}, not ${unpacked(plain[i])}, back ${got[2 * i + 1]}`);
			if (list[i + 1] === index + 1 && apart(got[2 * i], got[2 * i + 2]) !== 1)
				assert.fail(`order ${order}: voxels ${index} and ${index + 1} are not side by side`);
			if (i % 16 === 0)
				assert.deepEqual(hilbertVoxel(order, index), unpacked(plain[i]), `the page's own, order ${order}, index ${index}`);
		});
	}
	await close();
}, { timeout: 120000 });

for (const side of [64, 128])
	test(`${side}^3: the image of ids is exact`, async () => {
		const { tab, close } = await openCube(side);

		for (const [name, pose] of Object.entries(POSES)) {
			await look(tab, pose);
			const image = await readBack(tab), differing = image.ids.flatMap((id, i) => (id === image.picked[i] ? [] : [i]));

			assert.equal(image.ids.length, 2 * image.width * image.height);
			assert.deepEqual(differing.slice(0, 5), [], `${name}: ${differing.length} pixels`);
			assert.ok(image.ids.filter((id) => id).length > image.width * image.height / 20, `${name}: something is seen`);
		}
		await close();
	}, { timeout: 300000 });

for (const side of [64, 128])
	test(`${side}^3: frames, colours and light as in the plain renderer`, async () => {
		const { tab, close } = await openCube(side, { near: '0' }), image = await readBack(tab), scene = sceneOf(image);
		const eye = image.view.position, seen = new Set();
		let compared = 0, frames = 0, other = 0, worst = 0;

		for (let y = 0; y < image.height; y++)
			for (let x = 0; x < image.width; x++) {
				const i = x + image.width * y, ray = rayThrough(image, x, y), hit = firstFrame(scene, eye, ray);

				frames += hit !== null;
				if ((hit ? hit.frame.cell + 1 : 0) !== image.ids[2 * i]) {
					other++;
					continue;
				}
				const px = hit && image.view.focal / hit.t, lit = hit && light(scene, eye, ray, hit);

				// Lines lie along the borders and the outer box; the hatch is not of this test.
				if (!hit || lit.border * px < 3 || onBoxEdge(image, eye, ray) || hit.frame.group.key === 'unknown')
					continue;
				const want = linear(hit.frame.group.rgb).map((c) => c * lit.light), have = image.sums.slice(4 * i, 4 * i + 3);

				compared++;
				seen.add(hit.frame.group.key);
				worst = Math.max(worst, ...want.map((c, k) => Math.abs(c - have[k]) / (c + 0.02)));
			}
		console.log(`# ${side}^3: ${frames} pixels of frames, ${other} at borders differ, ${compared} compared, ${seen.size} owners, largest error ${(100 * worst).toFixed(2)} %`);
		assert.ok(frames > 1000 && other <= frames / 500, `${other} of ${frames} show another frame`);
		assert.ok(compared > frames / 4 && seen.size >= (side === 64 ? 6 : 10));
		assert.ok(worst < 0.03, `a colour is ${(100 * worst).toFixed(1)} % off`);
		await shot(tab, `picture-${side}`);
		await close();
	}, { timeout: 300000 });

// How much of a frame's light its pattern leaves where a face is met: 0.75, 1, or null near the ends of a line.
// p: place in the frame, 0..1; the side is the axis of the face.
function patterned(kind, p, axis) {
	const along = axis === 0 ? p[2] : p[0], up = axis === 1 ? p[2] : p[1]; // of a roof, up is away
	const toLine = (c) => Math.min(Math.abs(c - 0.25), Math.abs(c - 0.75)); // two lines a frame, at its quarters
	const on = (far) => (far < 0.085 ? 0.75 : far > 0.135 ? 1 : null);
	const either = (a, b) => ([a, b].includes(0.75) ? 0.75 : [a, b].includes(null) ? null : 1);
	const slanted = (c) => Math.abs(c - Math.round(c)) / 2; // lines where it is whole

	return [
		() => on(toLine(up)),
		() => on(toLine(along)),
		() => either(on(toLine(up)), on(toLine(along))),
		() => { // four dots
			const far = Math.hypot(toLine(along), toLine(up));

			return far < 0.125 ? 0.75 : far > 0.175 ? 1 : null;
		},
		() => either(on(slanted(2 * (along + up) - 1)), on(slanted(2 * (along - up)))),
		() => { // a square halfway between the middle and the border
			const far = Math.abs(Math.max(Math.abs(along - 0.5), Math.abs(up - 0.5)) - 0.25);

			return on(far);
		},
	][kind]();
}

test('patterns: six of them, where they should be, and none where frames are small', async () => {
	const { tab, close } = await openCube(128, { near: '0' }), press = async () => {
		await tab.locator('#cube').press('h');
		await still(tab);
	};
	const plain = await readBack(tab), scene = sceneOf(plain), eye = plain.view.position;

	await press();
	const hatched = await readBack(tab), wrong = [], seen = {};

	await shot(tab, 'picture-patterns');
	for (let y = 0; y < plain.height; y++)
		for (let x = 0; x < plain.width; x++) {
			const i = x + plain.width * y, ray = rayThrough(plain, x, y), hit = firstFrame(scene, eye, ray);

			if (!hit || hit.frame.cell + 1 !== plain.ids[2 * i])
				continue;
			const p = ['x', 'y', 'z'].map((c, d) => eye[d] + hit.t * ray[d] - hit.frame[c]), sides = p.filter((_, d) => d !== hit.axis);

			if (sides.some((c) => Math.min(c, 1 - c) < 0.1) || onBoxEdge(plain, eye, ray)) // the lines of borders
				continue;
			const key = hit.frame.group.key, kind = plain.groups.findIndex((g) => g.key === key) % 6;
			const want = key === 'unknown' ? 1 : patterned(kind, p, hit.axis), have = hatched.sums[4 * i] / plain.sums[4 * i];

			if (want === null)
				continue;
			(seen[key] ??= new Set()).add(want);
			if (Math.abs(have - want) > 0.02)
				wrong.push(`${key} (${kind}), side ${hit.axis}: ${have.toFixed(3)}, not ${want}, at ${p.map((c) => c.toFixed(2))}`);
		}
	console.log(`# owners with a pattern: ${Object.entries(seen).filter(([, of]) => of.has(0.75) && of.has(1)).map(([key]) => key)}`);
	assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} pixels`);
	assert.ok(Object.entries(seen).every(([key, of]) => of.has(0.75) === (key !== 'unknown')), 'each owner has its pattern');
	assert.ok(Object.keys(seen).length >= 10);
	await look(tab, [-35, 24, 12]); // less than ten pixels a frame
	const small = await readBack(tab);

	await press();
	assert.deepEqual((await readBack(tab)).sums, small.sums);
	assert.ok(small.ids.filter((id) => id).length > 1000);
	await close();
}, { timeout: 300000 });

// The colour of a byte before light falls on it: lightness tells its value.
function byteColour(owner, value) {
	if (value === 255)
		return owner.map((c) => c + 0.55 * (1 - c));
	if (value >= 32 && value < 127)
		return owner.map((c) => c + 0.25 * (1 - c));
	return owner.map((c) => Math.min(1, c * (0.42 + 0.75 * value / 255)));
}

const KINDS = { control: (v) => v < 32, text: (v) => v >= 32 && v < 127, high: (v) => v >= 127 && v < 255, full: (v) => v === 255 };

// How light the brightest bytes of each kind are, of what their colour is: those on faces that nothing shades.
function brightest(pixels) {
	return Object.fromEntries(Object.entries(KINDS).map(([kind, is]) => {
		const shares = pixels.filter(({ value }) => is(value)).map(({ share }) => share).sort((a, b) => a - b);

		return [kind, shares[Math.floor(0.9 * shares.length)]];
	}));
}

test('near view: a byte\'s voxel is where the curve puts it', async () => {
	const { tab, close } = await openCube(64);

	await look(tab, [-35, 24, 2]); // near enough that no frame is half solid
	const image = await readBack(tab), fold = foldFrames(64), ram = await tab.evaluate(() => [...window.glassbox.memory.bytes]);
	const pixels = [];
	let bytes = 0;

	for (let i = 0; i < image.width * image.height; i++) {
		const [cell, offset] = [image.ids[2 * i] - 1, image.ids[2 * i + 1] - 1];

		if (offset < 0)
			continue;
		bytes++;
		const frame = fold.cells[cell] & 0x7ffffff, voxel = byteVoxel(fold.order, frame, offset).map((c) => c / 16);
		const ray = rayThrough(image, i % image.width, Math.floor(i / image.width)), eye = image.view.position;
		let near = 0, far = Infinity;

		// The ray goes through the voxel, but for a hair at its border.
		for (let d = 0; d < 3; d++) {
			const a = (voxel[d] - eye[d]) / ray[d], b = (voxel[d] + 1 / 16 - eye[d]) / ray[d];

			near = Math.max(near, Math.min(a, b));
			far = Math.min(far, Math.max(a, b));
		}
		assert.ok(near - far < 0.004, `pixel ${i}: byte ${offset} of frame ${frame} is ${near - far} off the ray`);
		const value = ram[frame * 4096 + offset];

		assert.ok(value !== 0, `pixel ${i}: byte ${offset} of frame ${frame} is zero`);
		const sum = (rgb) => rgb[0] + rgb[1] + rgb[2], want = byteColour(linear(image.groups[image.words[cell] & 15].rgb), value);

		pixels.push({ value, share: sum(image.sums.slice(4 * i, 4 * i + 3)) / sum(want) });
	}
	assert.ok(bytes > 10000, `${bytes} pixels show bytes`);
	const light = brightest(pixels);

	console.log(`# the brightest bytes: ${JSON.stringify(light)}`);
	for (const [kind, share] of Object.entries(light))
		assert.ok(share > 0.9 && share < 1.1, `${kind} bytes are ${share} of their colour`);
	await shot(tab, 'picture-near');
	await close();
}, { timeout: 120000 });

await main(async () => browser?.close());
