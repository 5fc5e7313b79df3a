// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests in order, one TAP line each. A test that throws has failed; `skip(why)` ends one uncounted.
const tests = [];

export function test(name, run, { timeout = 60000 } = {}) {
	tests.push({ name, run, timeout });
}

class Skip extends Error {}

export function skip(why) {
	throw new Skip(why);
}

// The promise's value, or an error when it takes longer.
export async function within(ms, promise, what) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
	});

	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}

async function runOne({ name, run, timeout }, number) {
	try {
		await within(timeout, run(), name);
		console.log(`ok ${number} - ${name}`);
		return true;
	} catch (error) {
		if (error instanceof Skip) {
			console.log(`ok ${number} - ${name} # SKIP ${error.message}`);
			return true;
		}
		for (const line of (error.stack ?? String(error)).split('\n'))
			console.log(`# ${line}`);
		console.log(`not ok ${number} - ${name}`);
		return false;
	}
}

// Run all; cleanup is called in any case. Ends the process.
export async function main(cleanup = async () => {}) {
	let failed = 0;
	const only = process.env.ONLY;
	const chosen = tests.filter((t) => !only || t.name.includes(only));

	console.log(`1..${chosen.length}`);
	for (const [i, t] of chosen.entries())
		failed += (await runOne(t, i + 1)) ? 0 : 1;
	await cleanup();
	process.exit(failed ? 1 : 0);
}
