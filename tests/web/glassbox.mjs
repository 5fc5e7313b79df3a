// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The program under test, as a child process, and files for it to look at.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from './tap.mjs';

export const program = process.env.GLASSBOX ?? 'build/glassbox';
export const PAGE = 4096;

// A private directory on tmpfs where there is one: RAM files live there in real use.
export function scratch() {
	const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'glassbox-test-'));

	process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
	return dir;
}

// A RAM file whose frames can be written while it is watched.
export class RamFile {
	constructor(path, frames) {
		this.path = path;
		this.frames = frames;
		this.fd = openSync(path, 'w+', 0o600);
		ftruncateSync(this.fd, frames * PAGE);
	}

	write(frame, bytes, offset = 0) {
		writeSync(this.fd, bytes, 0, bytes.length, frame * PAGE + offset);
	}

	fill(frame, value) {
		this.write(frame, Buffer.alloc(PAGE, value));
	}

	read(frame) {
		const page = Buffer.alloc(PAGE);

		readSync(this.fd, page, 0, PAGE, frame * PAGE);
		return page;
	}

	truncate(frames) {
		ftruncateSync(this.fd, frames * PAGE);
	}

	close() {
		closeSync(this.fd);
	}
}

// A running `glassbox ...`: its output so far, and its end.
export class Run {
	constructor(args, env = {}) {
		this.child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		this.stdout = '';
		this.stderr = '';
		this.child.stdout.on('data', (data) => (this.stdout += data));
		this.child.stderr.on('data', (data) => (this.stderr += data));
		this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }));
		this.kill = () => this.child.exitCode === null && this.child.kill('SIGKILL');
		process.on('exit', this.kill);
		this.ended.then(() => process.off('exit', this.kill));
	}

	// Wait until stdout or stderr matches.
	async until(pattern, ms = 20000) {
		const seen = () => this.stdout.match(pattern) ?? this.stderr.match(pattern);
		const come = new Promise((resolve, reject) => {
			const look = () => seen() && resolve(seen());

			this.child.stdout.on('data', look);
			this.child.stderr.on('data', look);
			this.ended.then(({ code }) => reject(new Error(`ended with ${code}: ${this.stdout}${this.stderr}`)));
			look();
		});

		return within(ms, come, `output ${pattern}`);
	}

	async stop(signal = 'SIGINT', ms = 5000) {
		this.child.kill(signal);
		return within(ms, this.ended, `end after ${signal}`);
	}
}

// `glassbox view TARGET`, ready to be asked.
export async function view(target, ...args) {
	const run = new Run(['view', target, ...args]);
	const [url] = await run.until(/http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/(?=\n)/);

	run.url = new URL(url);
	run.port = Number(run.url.port);
	run.prefix = run.url.pathname;
	return run;
}
