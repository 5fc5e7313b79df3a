// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Mouse, touch and keys on the cube: orbit, pan, zoom to the point, pick.
import { axesOf, clampPose, eyeOf } from './camera.js';

const DEGREES_PER_PX = 0.35, CLICK_PX = 4, DOUBLE_MS = 350, INERTIA_MS = 120;

export class Orbit {
	#pointers = new Map();
	#down = null;
	#last = { time: 0, x: 0, y: 0, hit: null };
	#speed = [0, 0];
	#slide = 0;
	#movedAt = 0;

	// scene: { get pose, set pose, get view, pick(x, y), hover(hit, event), click(hit), fly(hit), still }
	constructor(canvas, scene) {
		this.canvas = canvas;
		this.scene = scene;
		canvas.addEventListener('pointerdown', (event) => this.#press(event));
		canvas.addEventListener('pointermove', (event) => this.#move(event));
		canvas.addEventListener('pointerup', (event) => this.#release(event));
		canvas.addEventListener('pointercancel', (event) => this.#pointers.delete(event.pointerId));
		canvas.addEventListener('pointerleave', () => this.scene.hover(null));
		canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
	}

	#press(event) {
		cancelAnimationFrame(this.#slide);
		this.canvas.setPointerCapture(event.pointerId);
		this.#pointers.set(event.pointerId, event);
		this.#down = this.#pointers.size === 1 ? { x: event.offsetX, y: event.offsetY, moved: false } : null;
		this.#speed = [0, 0];
	}

	#move(event) {
		const before = this.#pointers.get(event.pointerId);
		if (!before) {
			if (event.pointerType === 'mouse')
				this.scene.hover(this.scene.pick(event.offsetX, event.offsetY), event);
			return;
		}
		const dx = event.offsetX - before.offsetX, dy = event.offsetY - before.offsetY;
		if (this.#pointers.size > 1)
			this.#pinch(event, before);
		this.#pointers.set(event.pointerId, event);
		if (this.#pointers.size > 1)
			return;
		if (this.#down && Math.hypot(event.offsetX - this.#down.x, event.offsetY - this.#down.y) > CLICK_PX)
			this.#down.moved = true;
		if (!this.#down?.moved)
			return;
		this.canvas.classList.add('grabbing');
		this.scene.hover(null);
		if (event.shiftKey || event.buttons & 4) {
			this.pan(dx, dy);
		} else {
			this.turn(-dx * DEGREES_PER_PX, dy * DEGREES_PER_PX);
			const time = Math.max(1, event.timeStamp - before.timeStamp);
			this.#movedAt = event.timeStamp;
			this.#speed = [-dx * DEGREES_PER_PX / time, dy * DEGREES_PER_PX / time];
		}
	}

	#pinch(event, before) {
		const other = [...this.#pointers.values()].find((p) => p.pointerId !== event.pointerId);
		const reach = (p) => Math.hypot(p.offsetX - other.offsetX, p.offsetY - other.offsetY);
		const middle = (p) => [(p.offsetX + other.offsetX) / 2, (p.offsetY + other.offsetY) / 2];
		const [x0, y0] = middle(before), [x, y] = middle(event);
		this.pan(x - x0, y - y0);
		this.zoom(reach(before) / Math.max(1, reach(event)), x, y);
	}

	#release(event) {
		this.canvas.classList.remove('grabbing');
		if (!this.#pointers.delete(event.pointerId))
			return;
		if (this.#down && !this.#down.moved)
			this.#click(event);
		else if (this.#down && event.timeStamp - this.#movedAt < 40)
			this.#coast(event.pointerType);
		this.#down = null;
	}

	#click(event) {
		const { time, x, y, hit: first } = this.#last, hit = this.scene.pick(event.offsetX, event.offsetY);
		const double = event.timeStamp - time < DOUBLE_MS && Math.hypot(event.offsetX - x, event.offsetY - y) < 12;
		this.#last = { time: double ? 0 : event.timeStamp, x: event.offsetX, y: event.offsetY, hit };
		if (double)
			this.scene.fly(first); // what was under the first click, which may have made room for a panel
		else
			this.scene.click(hit);
	}

	// A turn runs out over 120 ms; a slow touch ends where it was left.
	#coast(type) {
		const speed = Math.hypot(...this.#speed);
		if (this.scene.still || speed < (type === 'touch' ? 0.2 * DEGREES_PER_PX : 0.02))
			return;
		const start = performance.now(), [sx, sy] = this.#speed;
		let before = start;
		const step = (now) => {
			const left = 1 - (now - start) / INERTIA_MS, dt = Math.max(0, now - before);
			before = now;
			if (left <= 0)
				return;
			this.turn(sx * dt * left, sy * dt * left);
			this.#slide = requestAnimationFrame(step);
		};
		this.#slide = requestAnimationFrame(step);
	}

	#wheel(event) {
		event.preventDefault();
		const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 200 : 1;
		this.zoom(Math.exp(Math.max(-240, Math.min(240, event.deltaY * unit)) * 0.0016), event.offsetX, event.offsetY);
	}

	turn(yaw, pitch) {
		const { pose } = this.scene;
		this.scene.pose = { ...pose, yaw: pose.yaw + yaw, pitch: pose.pitch + pitch };
	}

	pan(dx, dy) {
		const { pose, view } = this.scene, { right, up } = axesOf(pose), k = pose.distance / view.focal;
		this.scene.pose = { ...pose, target: pose.target.map((v, d) => v - dx * k * right[d] + dy * k * up[d]) };
	}

	// Nearer or farther, so that what is under the pointer stays there.
	zoom(factor, x, y) {
		const { pose, view, extent } = this.scene, hit = x === undefined ? null : this.scene.pick(x, y);
		const next = clampPose({ ...pose, distance: pose.distance * factor }, extent);
		if (!hit?.cell) {
			this.scene.pose = next;
			return;
		}
		const eye = eyeOf(pose), ray = axesOf(pose), px = (x - view.width / 2) / view.focal, py = (view.height / 2 - view.lift - y) / view.focal;
		const point = eye.map((v, d) => v + hit.depth * (ray.forward[d] + px * ray.right[d] + py * ray.up[d]));
		// Towards the point until the eye is two frames and a half before it.
		const k = Math.max(factor, Math.min(1, 2.5 / hit.depth));
		const from = point.map((v, d) => v + (eye[d] - v) * k), distance = Math.max(2.2, pose.distance * k);
		this.scene.pose = { ...pose, distance, target: from.map((v, d) => v + distance * ray.forward[d]) };
	}
}
