// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// From opening the page's address to the first picture of all of a guest's memory, in a headless Chromium without a
// graphics card. usage, from the top: node bench/first_picture.mjs [GUEST]     (after make check, which fetches the driver)
import { launch, open } from '../tests/web/browser.mjs';
import { Run } from '../tests/web/glassbox.mjs';

const RUNS = 7;

async function firstPicture(browser, url) {
	const start = performance.now(), tab = await open(browser, url, { width: 1440, height: 900 });

	await tab.waitForFunction(() => window.glassbox?.memory?.complete && window.glassbox.scene?.picture?.stats.gpuMs > 0, null, { polling: 'raf' });
	const ms = performance.now() - start;

	await tab.context().close();
	return ms;
}

const run = new Run(['run', process.argv[2] ?? 'debian', '--name', 'first-picture']);

try {
	const [url] = await run.until(/http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/(?=\s)/, 180000);
	const browser = await launch(), times = [];

	await firstPicture(browser, url); // also starts the GPU process
	for (let i = 0; i < RUNS; i++)
		times.push(await firstPicture(browser, url));
	await browser.close();
	console.log(`first picture: ${Math.round(times.sort((a, b) => a - b)[RUNS >> 1])} ms (median of ${RUNS})`);
} finally {
	await run.stop();
}
