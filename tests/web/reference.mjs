// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A second, plain renderer of the cube, in doubles, written from the design and not from the
// shader: which frame a ray meets first, by testing the box of every solid frame, and how light its
// face is. What the GPU draws is compared with it.

const FACE = { up: 1.00, down: 0.70, z: 0.86, x: 0.80 };
const toLinear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

export const linear = (rgb) => [1, 3, 5].map((at) => toLinear(Number.parseInt(rgb.slice(at, at + 2), 16) / 255));

// scene: { extent, solid(x, y, z) -> bool, frames: [{ x, y, z, rgb }] of the solid ones }
// Where the ray o + t d meets the box of a frame: [t, axis, up] or null.
function enterBox(o, d, { x, y, z }) {
	const low = [x, y, z];
	let near = -Infinity, far = Infinity, axis = -1;

	for (let c = 0; c < 3; c++) {
		const a = (low[c] - o[c]) / d[c], b = (low[c] + 1 - o[c]) / d[c];

		if (Math.min(a, b) > near) {
			near = Math.min(a, b);
			axis = c;
		}
		far = Math.min(far, Math.max(a, b));
	}
	return near > 0 && near < far ? [near, axis, d[axis] < 0] : null;
}

export function firstFrame(scene, o, d) {
	let best = null;

	for (const frame of scene.frames) {
		const hit = enterBox(o, d, frame);

		if (hit && (!best || hit[0] < best.t))
			best = { frame, t: hit[0], axis: hit[1], up: hit[2] };
	}
	return best;
}

function cornerLight(scene, at, axis, up, u, v, su, sv) {
	const place = (du, dv) => {
		const p = [...at];

		p[axis] += up ? 1 : -1;
		p[u] += du;
		p[v] += dv;
		return scene.solid(...p);
	};
	const [side1, side2] = [place(su, 0), place(0, sv)];

	return 1 - 0.15 * (side1 && side2 ? 3 : side1 + side2 + place(su, sv));
}

// How full it is around the centre of a cell: exp(-r^2 / 5), radius 3, over the whole neighbourhood.
function fullness(scene, x, y, z) {
	let sum = 0, all = 0;

	if ([x, y, z].some((c, d) => c < 0 || c >= scene.extent[d]))
		return 0;
	for (let dz = -3; dz <= 3; dz++)
		for (let dy = -3; dy <= 3; dy++)
			for (let dx = -3; dx <= 3; dx++) {
				const weight = Math.exp(-(dx * dx + dy * dy + dz * dz) / 5);

				all += weight;
				sum += scene.solid(x + dx, y + dy, z + dz) ? weight : 0;
			}
	return sum / all;
}

function wideLight(scene, p) {
	const base = p.map((c) => Math.floor(c - 0.5));
	let sum = 0;

	for (let i = 0; i < 8; i++) {
		const cell = base.map((c, d) => c + (i >> d & 1));
		const weight = cell.reduce((w, c, d) => w * (1 - Math.abs(p[d] - 0.5 - c)), 1);

		sum += weight * fullness(scene, ...cell);
	}
	return 1 - 0.38 * sum;
}

// The light on the face that the ray meets, and how near its point is to the face's border (frames).
export function light(scene, o, d, { frame, t, axis, up }) {
	const at = [frame.x, frame.y, frame.z], u = (axis + 1) % 3, v = (axis + 2) % 3;
	const p = o.map((c, i) => c + t * d[i]), fu = p[u] - at[u], fv = p[v] - at[v];
	const corner = (su, sv) => cornerLight(scene, at, axis, up, u, v, su, sv);
	const low = corner(-1, -1) * (1 - fu) + corner(1, -1) * fu, high = corner(-1, 1) * (1 - fu) + corner(1, 1) * fu;
	const face = axis === 1 ? (up ? FACE.up : FACE.down) : axis === 2 ? FACE.z : FACE.x;
	const front = [...p];

	front[axis] += up ? 0.5 : -0.5;
	return { light: face * (low * (1 - fv) + high * fv) * wideLight(scene, front), border: Math.min(fu, fv, 1 - fu, 1 - fv) };
}
