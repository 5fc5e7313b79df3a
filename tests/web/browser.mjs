// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A real headless Chromium with WebGPU on SwiftShader. With other flags, or without the path to
// SwiftShader's Vulkan driver, its GPU process crashes and every device is lost.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-gpu-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader',
	'--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=vulkan'];

export const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

// Where screenshots are kept.
export const artefacts = process.env.GLASSBOX_ARTEFACTS ?? 'build/artefacts';
mkdirSync(artefacts, { recursive: true });

const ICD = '/usr/lib/chromium/vk_swiftshader_icd.json';

export const launch = () => chromium.launch({
	executablePath: executable, args: FLAGS,
	env: { ...process.env, ...(existsSync(ICD) ? { VK_ICD_FILENAMES: ICD } : {}) },
});

// A tab, with all that it complains about collected in tab.complaints.
export async function open(browser, url, { width = 900, height = 640, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width, height }, ...options });
	const tab = await context.newPage();

	tab.complaints = [];
	tab.on('pageerror', (error) => tab.complaints.push(`error: ${error.message}`));
	tab.on('console', (message) => ['error', 'warning'].includes(message.type()) && tab.complaints.push(`${message.type()}: ${message.text()}`));
	tab.on('requestfailed', (request) => tab.complaints.push(`failed: ${request.url().replace(/\/[\w-]{32}\//, '/TOKEN/')}`));
	await tab.goto(String(url));
	return tab;
}

export const shot = (tab, name) => tab.screenshot({ path: join(artefacts, `${name}.png`) });
