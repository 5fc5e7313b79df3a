// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page under a user's hands: keys, mouse, touch, the legend, the table; and a browser whose GPU goes away, fails or is
// not there. On a file of RAM, so that nothing changes but by the user.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { executable, launch, open, shot } from './browser.mjs';
import { RamFile, scratch, view } from './glassbox.mjs';
import { main, skip, test } from './tap.mjs';

const FRAMES = 512, MIDDLE = [320, 300];
const dir = scratch();
let browser, server, tab;

const page = (...args) => tab.evaluate(...args);
const waitFor = (what, arg) => tab.waitForFunction(what, arg, { timeout: 60000, polling: 100 });
const still = () => waitFor(() => window.glassbox.scene?.picture?.still);
const pose = () => page(() => structuredClone(window.glassbox.scene.pose));
const statusText = () => tab.textContent('#status');
const moved = (a, b) => Math.hypot(...a.target.map((v, d) => v - b.target[d]));
const url = () => {
	const of = new URL(server.url);

	of.search = 'still&theme=dark&samples=1&shadow=0';
	return of;
};

// The pose before and after something is done, with all movement over.
async function posed(act) {
	const before = await pose();

	await act();
	await still();
	return [before, await pose()];
}

const press = (key) => posed(() => tab.locator('#cube').press(key));

// Where on the screen a point of the canvas is.
async function at(x, y) {
	const box = await tab.locator('#cube').boundingBox();

	return [box.x + x, box.y + y];
}

async function drag([x0, y0], [x1, y1], { button = 'left' } = {}) {
	await tab.mouse.move(...await at(x0, y0));
	await tab.mouse.down({ button });
	await tab.mouse.move(...await at(x1, y1), { steps: 4 });
	await tab.mouse.up({ button });
}

test('a page of a RAM file comes up', async () => {
	if (!executable)
		skip('there is no Chromium');
	const ram = new RamFile(join(dir, 'ram.img'), FRAMES);

	for (let frame = 0; frame < FRAMES; frame++)
		if (frame % 3)
			ram.fill(frame, 1 + frame % 255);
	server = await view(ram.path);
	browser = await launch();
	tab = await open(browser, url(), { width: 1290, height: 700, hasTouch: true });
	await tab.waitForSelector('[data-note=kernel]');
	await tab.click('[data-note=kernel] button');
	await still();
}, { timeout: 90000 });

test('keys turn, move and zoom; f shows all again', async () => {
	let [a, b] = await press('ArrowLeft');

	assert.ok(Math.abs(b.yaw - a.yaw - 15) < 1e-6, 'left arrow');
	[a, b] = await press('ArrowUp');
	assert.ok(b.pitch > a.pitch, 'up arrow');
	[a, b] = await press('+');
	assert.ok(Math.abs(b.distance / a.distance - 0.8) < 0.01, 'plus');
	[a, b] = await press('-');
	assert.ok(b.distance > a.distance, 'minus');
	[a, b] = await press('Shift+ArrowLeft');
	assert.ok(moved(a, b) > 0.1 && a.yaw === b.yaw, 'Shift and an arrow');
	[a, b] = await press('f');
	assert.ok(moved(a, b) > 0.1, 'f');
});

test('keys walk the frames; the inspector follows; Esc lets go', async () => {
	await page(() => window.glassbox.state.select(7));
	await tab.locator('#cube').press(']');
	assert.equal(await page(() => window.glassbox.state.selected), 8);
	assert.match(await tab.textContent('#right'), /^Frame 0x8pinned/);
	await tab.locator('#cube').press('[');
	await tab.locator('#cube').press('[');
	assert.equal(await page(() => window.glassbox.state.selected), 6);
	await tab.locator('#cube').press('Escape');
	assert.equal(await page(() => window.glassbox.state.selected), -1);
});

test('t is the theme, ? the help, single keys can be switched off', async () => {
	await tab.locator('#cube').press('t');
	assert.equal(await page(() => document.documentElement.dataset.theme), 'light');
	await tab.locator('#cube').press('?');
	assert.ok(await tab.isVisible('#keys'));
	await tab.uncheck('#single-keys');
	await tab.locator('#table').press('t');
	assert.equal(await page(() => document.documentElement.dataset.theme), 'light', 'switched off outside of the cube');
	await tab.check('#single-keys');
	await tab.locator('#table').press('t');
	assert.equal(await page(() => document.documentElement.dataset.theme), 'dark');
	await tab.locator('#cube').press('Escape');
	assert.ok(!await tab.isVisible('#keys'));
	await still();
});

test('h gives owners patterns, the help too, and a link brings them back', async () => {
	const on = (where = tab) => where.evaluate(() => ['patterns' in document.documentElement.dataset, document.getElementById('patterns').checked]);
	const swatchOf = () => page(() => getComputedStyle(document.querySelector('#owners .swatch')).backgroundImage);

	assert.equal(await swatchOf(), 'none');
	await tab.locator('#cube').press('h');
	assert.deepEqual(await on(), [true, true]);
	assert.match(await swatchOf(), /gradient/);
	await waitFor(() => new URLSearchParams(location.hash.slice(1)).has('patterns'));
	const other = await open(browser, `${url()}${await page(() => location.hash)}`);

	await other.waitForFunction(() => window.glassbox?.keys && window.glassbox.state.memory.complete);
	assert.deepEqual(await on(other), [true, true]);
	await other.context().close();
	await tab.locator('#cube').press('?');
	await tab.uncheck('#patterns');
	assert.deepEqual(await on(), [false, false]);
	await tab.locator('#cube').press('Escape');
	await waitFor(() => !new URLSearchParams(location.hash.slice(1)).has('patterns'));
	await still();
}, { timeout: 60000 });

test('in a window of middle width the cube makes room for the inspector', async () => {
	const boxes = () => Promise.all(['#cube', '#right', '#strip'].map((id) => tab.locator(id).boundingBox()));

	for (const width of [1200, 900]) {
		await tab.setViewportSize({ width, height: 700 });
		await tab.locator('#cube').press('f');
		await still();
		const [wide] = await boxes(), [x, y] = [wide.width / 2, wide.height / 2];
		const [first, corner] = await page(([px, py]) => [window.glassbox.scene.pick(px, py).frame, window.glassbox.scene.pick(px + 100, py)?.frame], [x, y]);

		// The picture moves between the two clicks; meant is what was there at the first.
		await tab.mouse.dblclick(...await at(x, y));
		await still();
		assert.equal(await page(() => window.glassbox.state.selected), first, `${width}: not ${corner}`);
		await waitFor(() => document.getElementById('right').getAnimations().length === 0);
		const [cube, panel, strip] = await boxes();

		assert.ok(Math.abs(cube.x + cube.width - panel.x) < 2 && strip.x + strip.width <= panel.x, `${width}: ${JSON.stringify([cube, panel, strip])}`);
		assert.equal(panel.x + panel.width, width);
		assert.ok(!await tab.isVisible('#tip'), `${width}: what was pointed at is elsewhere now`);
		await shot(tab, `page-${width}`);
		await tab.click('#right .close');
		await still();
		assert.deepEqual((await boxes())[0], wide);
		await tab.locator('#cube').press('Escape');
	}
	await tab.setViewportSize({ width: 1290, height: 700 });
	await tab.locator('#cube').press('f');
	await still();
}, { timeout: 90000 });

test('the mouse turns, moves, zooms to the point and flies', async () => {
	let [a, b] = await posed(() => drag(MIDDLE, [MIDDLE[0] + 60, MIDDLE[1] + 20]));

	assert.ok(Math.abs(b.yaw - a.yaw) > 10 && moved(a, b) === 0, 'drag turns');
	[a, b] = await posed(() => drag(MIDDLE, [MIDDLE[0] + 60, MIDDLE[1]], { button: 'middle' }));
	assert.ok(moved(a, b) > 0.1 && a.yaw === b.yaw, 'the middle button moves');
	[a, b] = await posed(async () => {
		await tab.mouse.move(...await at(...MIDDLE));
		await tab.mouse.wheel(0, -200);
	});
	assert.ok(b.distance < a.distance, 'the wheel zooms');
	await tab.locator('#cube').press('f');
	await still();
	[a, b] = await posed(async () => tab.mouse.dblclick(...await at(...MIDDLE)));
	assert.ok(b.distance < a.distance, 'a double click flies there');
	await tab.locator('#cube').press('Escape');
	await tab.locator('#cube').press('f');
	await still();
});

test('what the pointer is on is said, and shown in the inspector', async () => {
	await tab.mouse.move(...await at(...MIDDLE));
	await tab.waitForSelector('#tip:not([hidden])');
	const frame = await page(([x, y]) => window.glassbox.scene.pick(x, y).frame, MIDDLE);

	assert.ok((await tab.textContent('#tip')).includes(`0x${(frame * 4096).toString(16)}`), await tab.textContent('#tip'));
	assert.match(await tab.textContent('#right'), new RegExp(`^Frame 0x${frame.toString(16)}0x`));
	await tab.mouse.move(2, 2);
	await tab.waitForSelector('#tip', { state: 'hidden' });
});

test('one finger turns, two move and zoom', async () => {
	const session = await tab.context().newCDPSession(tab), [x, y] = await at(...MIDDLE);
	const touch = (type, ...points) => session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })) });
	let [a, b] = await posed(async () => {
		await touch('touchStart', [x, y]);
		for (const step of [10, 30, 60])
			await touch('touchMove', [x + step, y]);
		await touch('touchEnd');
	});

	assert.ok(Math.abs(b.yaw - a.yaw) > 10, 'one finger');
	[a, b] = await posed(async () => {
		await touch('touchStart', [x - 20, y], [x + 20, y]);
		for (const step of [30, 50, 80])
			await touch('touchMove', [x - step, y], [x + step, y]);
		await touch('touchEnd');
	});
	assert.ok(b.distance < a.distance * 0.6, 'a pinch');
	await tab.locator('#cube').press('f');
	await still();
});

test('the legend hides and shows owners, by mouse and by key', async () => {
	const row = tab.locator('#owners button', { hasText: 'Unknown' }), off = () => page(() => [...window.glassbox.state.look.off].map((i) => window.glassbox.memory.groups[i].key));

	await row.click();
	assert.deepEqual(await off(), ['unknown']);
	assert.equal(await row.getAttribute('aria-pressed'), 'false');
	await row.click();
	assert.deepEqual(await off(), []);
	await tab.locator('#cube').press('1');
	assert.deepEqual(await off(), ['kernel-text']);
	await tab.locator('#cube').press('Shift+1');
	assert.equal(await page(() => window.glassbox.memory.groups[window.glassbox.state.look.only]?.key), 'kernel-text');
	await tab.locator('#cube').press('Escape');
	await row.dblclick();
	assert.equal(await page(() => window.glassbox.memory.groups[window.glassbox.state.look.only]?.key), 'unknown');
	await tab.locator('#cube').press('Escape');
	assert.equal(await page(() => window.glassbox.state.look.only), -1);
	await still();
});

test('the status line tells the rate of pictures, of writes and the age', async () => {
	await page(() => {
		const { scene } = window.glassbox, turn = () => {
			scene.orbit.turn(1, 0);
			window.turning = requestAnimationFrame(turn);
		};

		turn();
	});
	await waitFor(() => /^\d+ fps/.test(document.getElementById('status').textContent));
	await page(() => cancelAnimationFrame(window.turning));
	await waitFor(() => /^picture at rest/.test(document.getElementById('status').textContent));
	assert.match(await statusText(), /GPU [\d.]+ ms.*[\d.]+ MiB\/s written.*picture \d+ (ms|s) old.*0 torn frames/);
	await still();
});

test('the table is the cube for a keyboard', async () => {
	await tab.locator('#cube').press('v');
	await tab.waitForSelector('#twin:not([hidden]) [role=treegrid] [role=row]');
	for (const key of ['ArrowDown', 'ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowDown'])
		await tab.keyboard.press(key);
	const [level, selected, frame] = await page(() => [Number(document.activeElement.getAttribute('aria-level')), window.glassbox.state.selected, document.activeElement.frame]);

	assert.equal(level, 4, 'region, run, frame, bytes');
	assert.equal(selected, frame);
	assert.match(await page(() => document.activeElement.textContent), /^[0-9a-f]{3} ([0-9a-f]{2} ?){16}$|zero/);
	await tab.keyboard.press('Escape');
	assert.ok(!await tab.isVisible('#twin'));
	await tab.locator('#cube').press('Escape');
});

test('a GPU that is reset comes back by itself; one that is reset again, when asked', async () => {
	const lose = () => page(() => window.glassbox.scene.picture.gpu.device.destroy());
	const seen = page(() => new Promise((resolve) => {
		new MutationObserver((_, observer) => {
			const card = document.querySelector('[data-note=device]');

			if (card)
				observer.disconnect(), resolve(card.textContent);
		}).observe(document.getElementById('notes'), { childList: true });
	}));

	await lose();
	assert.match(await seen, /The GPU was reset.*Nothing in the guest was touched/);
	await tab.waitForSelector('[data-note=device]', { state: 'detached' });
	await still();
	await lose();
	await tab.waitForSelector('[data-note=device] button');
	await shot(tab, 'page-device-lost');
	await tab.click('[data-note=device] button');
	await tab.waitForSelector('[data-note=device]', { state: 'detached' });
	await still();
}, { timeout: 90000 });

// A tab whose browser is spoilt before the page runs.
async function spoilt(script) {
	const context = await browser.newContext({ viewport: { width: 1290, height: 700 } }), other = await context.newPage();

	await other.addInitScript(script);
	await other.goto(String(url()));
	return other;
}

for (const [what, script] of [
	['no WebGPU', () => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })],
	['a GPU that gives no device', () => { GPUAdapter.prototype.requestDevice = () => Promise.reject(new DOMException('limit', 'OperationError')); }],
])
	test(`${what}: it is said, all else works, and there is a flat map`, async () => {
		const other = await spoilt(script);

		await other.waitForSelector('[data-note=webgpu]');
		assert.match(await other.textContent('[data-note=webgpu]'), /no WebGPU.*inspector work without it/);
		assert.match(await other.textContent('#owners'), /Unknown/);
		await other.click('[data-note=webgpu] button');
		await other.waitForSelector('#flat canvas');
		await other.waitForFunction(() => window.glassbox.memory.complete);
		await other.locator('#flat canvas').click({ position: { x: 20, y: 1 } });
		await other.waitForFunction(() => window.glassbox.state.selected >= 0);
		assert.match(await other.textContent('#right'), /Owner/);
		await shot(other, `page-${what.replaceAll(' ', '-')}`);
		await other.context().close();
	});

test('a process that is not all there says why', async () => {
	const titles = await page(() => {
		const make = (pid, more) => ({ pid, ppid: 1, uid: 0, comm: `p${pid}`, args: 'x', state: 'S', kernel: false, threads: 1, vmas: 1, frames: { code: 1 }, ...more });

		window.glassbox.processes.update([make(1, {}), make(2, { torn: true }), make(3, { torn: true, cut: true })]);
		return [...document.querySelectorAll('#processes tbody tr')].map((row) => row.querySelector('mark')?.title);
	});

	assert.deepEqual(titles.sort(), ['Changed while it was read', 'Not all of it was read: there is more than is read of any', undefined]);
});

test('memory that is too large for the browser is said', async () => {
	const context = await browser.newContext(), other = await context.newPage();

	await other.route('**/api/hello', async (route) => {
		const answer = await route.fetch();

		await route.fulfill({ response: answer, json: { ...await answer.json(), frames: 2 ** 30 } });
	});
	await other.goto(String(url()));
	await other.waitForSelector('[data-note=memory]');
	assert.match(await other.textContent('[data-note=memory]'), /too large for the page.*4096 GiB.*glassbox ps/);
	await context.close();
});

test('the page complained about nothing', async () => {
	assert.deepEqual(tab.complaints, []);
});

await main(async () => {
	await browser?.close();
	await server?.stop?.();
});
