// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The camera: a pose around a target, the integer view that rays are made of, projection, framing.
// Units are frames; x right, y up, z away. Angles in degrees: yaw 0 looks along z, pitch is how
// far the eye is above the target.

export const FIELD = 26; // vertical field of view
const HALF = Math.tan(FIELD * Math.PI / 360);
const FORWARD = 1 << 18;

const radians = (degrees) => degrees * Math.PI / 180;
const add = (a, b, k = 1) => a.map((v, i) => v + k * b[i]);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export function axesOf(pose) {
	const [sy, cy] = [Math.sin(radians(pose.yaw)), Math.cos(radians(pose.yaw))];
	const [sp, cp] = [Math.sin(radians(pose.pitch)), Math.cos(radians(pose.pitch))];
	return {
		forward: [-sy * cp, -sp, cy * cp],
		right: [cy, 0, sy],
		up: [-sy * sp, cp, cy * sp],
	};
}

export function eyeOf(pose) {
	return add(pose.target, axesOf(pose).forward, -pose.distance);
}

// Bits of a ray's time for one frame of depth: as many as leave room for 32 times the box.
export function timeBits(extent) {
	return Math.min(24, 27 - Math.ceil(Math.log2(Math.max(...extent))));
}

// The view of a pose on a canvas of width x height pixels, `lift` pixels above the centre: all
// that the shader's rays are made of. `jitter` shifts the sample inside the pixel.
export function viewOf(pose, extent, width, height, lift = 0, jitter = [0, 0]) {
	const { forward, right, up } = axesOf(pose), focal = height / 2 / HALF, eye = eyeOf(pose);
	const whole = (v, k) => v.map((c) => Math.round(c * k));
	const du = whole(right, FORWARD * 256 / focal), dv = whole(up, -FORWARD * 256 / focal);
	const cx = width / 2 - 0.5 - jitter[0], cy = height / 2 - lift - 0.5 - jitter[1];
	const d0 = whole(forward, FORWARD * 256).map((c, i) => Math.round(c - cx * du[i] - cy * dv[i]));
	return { d0, du, dv, eye: whole(eye, 4096), extent, bits: timeBits(extent), width, height, focal,
		lift, forward, right, up, position: eye };
}

// Where a point is on the canvas, and its depth (<= 0: behind the eye).
export function project(view, point) {
	const p = add(point, view.position, -1), depth = dot(p, view.forward);
	const k = view.focal / Math.max(depth, 1e-6);
	return [view.width / 2 + k * dot(p, view.right), view.height / 2 - view.lift - k * dot(p, view.up), depth];
}

export const cornersOf = (low, high) =>
	Array.from({ length: 8 }, (_, i) => [0, 1, 2].map((d) => (i >> d & 1 ? high[d] : low[d])));

// The least distance at which a box fits into the free part of the canvas.
function fitDistance(pose, low, high, room) {
	const { forward, right, up } = axesOf(pose), focal = room.height / 2 / HALF;
	const centre = low.map((v, d) => (v + high[d]) / 2);
	let distance = 0;
	for (const corner of cornersOf(low, high)) {
		const p = add(corner, centre, -1), depth = dot(p, forward);
		distance = Math.max(distance, Math.abs(dot(p, right)) * focal / room.halfWidth - depth,
			dot(p, up) * focal / room.above - depth, -dot(p, up) * focal / room.below - depth);
	}
	return distance;
}

// Yaw -35, pitch 24, 3.75 times the largest side away, further where the box would be cut.
export function startPose(extent, room, front = false) {
	const pose = { yaw: front ? 0 : -35, pitch: front ? 8 : 24, target: extent.map((e) => e / 2), distance: 0 };
	pose.distance = Math.max(3.75 * Math.max(...extent), fitDistance(pose, [0, 0, 0], extent, room));
	return pose;
}

// The same direction, near enough that the box fills 62 % of the room.
export function framePose(pose, low, high, room) {
	const near = { ...room, halfWidth: room.halfWidth * 0.62, above: room.above * 0.62, below: room.below * 0.62 };
	const target = low.map((v, d) => (v + high[d]) / 2);
	const distance = Math.max(fitDistance(pose, low, high, near), 4);
	return { ...pose, pitch: Math.min(62, Math.max(8, pose.pitch)), target, distance };
}

export function clampPose(pose, extent) {
	const side = Math.max(...extent);
	return {
		yaw: ((pose.yaw + 180) % 360 + 360) % 360 - 180,
		pitch: Math.min(89, Math.max(-89, pose.pitch)),
		distance: Math.min(12 * side, Math.max(2.2, pose.distance)),
		target: pose.target.map((v, d) => Math.min(1.5 * extent[d], Math.max(-0.5 * extent[d], v))),
	};
}

const bezier = (a, b, t) => 3 * a * t * (1 - t) ** 2 + 3 * b * t * t * (1 - t) + t ** 3;

// cubic-bezier(.3, 0, .1, 1)
function ease(x) {
	let low = 0, high = 1;
	for (let i = 0; i < 24; i++) {
		const t = (low + high) / 2;
		if (bezier(0.3, 0.1, t) < x)
			low = t;
		else
			high = t;
	}
	return bezier(0, 1, low);
}

// A flight: log distance, shortest arc; 280 ms and 170 ms for each radian or doubling, at most 800.
export function flight(from, to) {
	const turn = ((to.yaw - from.yaw + 180) % 360 + 360) % 360 - 180;
	const angle = Math.hypot(radians(turn), radians(to.pitch - from.pitch));
	const doublings = Math.abs(Math.log2(to.distance / from.distance));
	const shift = Math.hypot(...to.target.map((v, d) => v - from.target[d])) / Math.max(from.distance, to.distance);
	const length = Math.min(800, 280 + 170 * Math.max(angle, doublings, 2 * shift));
	return {
		length,
		at(time) {
			const k = time >= length ? 1 : ease(time / length);
			return {
				yaw: from.yaw + k * turn,
				pitch: from.pitch + k * (to.pitch - from.pitch),
				distance: from.distance * (to.distance / from.distance) ** k,
				target: from.target.map((v, d) => v + k * (to.target[d] - v)),
			};
		},
	};
}

export const poseText = (p) => [p.yaw, p.pitch, p.distance, ...p.target].map((v) => +v.toFixed(2)).join(',');

export function poseFrom(text) {
	const v = (text ?? '').split(',').map(Number);
	if (v.length !== 6 || !v.every(Number.isFinite) || v[2] <= 0)
		return null;
	return { yaw: v[0], pitch: v[1], distance: v[2], target: v.slice(3) };
}
