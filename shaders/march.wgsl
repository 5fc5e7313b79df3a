// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Which cells a ray visits, in integers only: every implementation (this one, web/march.js, a CPU
// renderer) finds the same cells, whatever its floating point does.
//
// A ray meets the planes of an axis at the times first + n * delta: both are computed once, by
// exact integer division, and only added after that (Amanatides and Woo, "A fast voxel traversal
// algorithm", 1987). Time is depth along the view direction, in 2^-bits of a frame. Because the
// n-th time is linear in n, many cells can be skipped in one step with exactly the result of
// single steps. Directions that go down an axis are mirrored, so that all steps are +1.

struct Walk {
	cell: vec3<u32>,  // mirrored where `mirror`
	next: vec3<u32>,  // when the next plane of each axis is met
	delta: vec3<u32>, // time from plane to plane
	mirror: vec3<bool>,
	t: u32,           // when the cell was entered
	axis: u32,        // through which plane; 3: the ray began in it
	alive: bool,
}

// The sum, or NEVER.
fn later(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
	return select(a + b, vec3<u32>(NEVER), a > vec3<u32>(NEVER) - b);
}

fn is_axis(axis: u32) -> vec3<bool> {
	return vec3<u32>(0u, 1u, 2u) == vec3<u32>(axis);
}

// floor(a * 2^s / b), NEVER where that needs more than 32 bits. b < 2^20, 0 < s < 32.
fn scaled_ratio(a: u32, b: u32, s: u32) -> u32 {
	if b == 0u {
		return NEVER;
	}
	var q = a / b;
	var r = a % b;
	if (q >> (32u - s)) != 0u {
		return NEVER;
	}
	var left = s;
	while left > 0u {
		let k = min(left, 12u);
		r <<= k;
		q = (q << k) | (r / b);
		r %= b;
		left -= k;
	}
	return q;
}

fn ray_direction(x: u32, y: u32) -> vec3<i32> {
	return (view.d0.xyz + i32(x) * view.du.xyz + i32(y) * view.dv.xyz) >> vec3<u32>(8u);
}

// Cross all planes that come before `limit`: by one division.
fn catch_up(w: ptr<function, Walk>, limit: u32) {
	let behind = (*w).next < vec3<u32>(limit);
	let n = select(vec3<u32>(0u), (vec3<u32>(limit - 1u) - (*w).next) / (*w).delta, behind);
	(*w).next = select((*w).next, later((*w).next + n * (*w).delta, (*w).delta), behind);
	(*w).cell += select(vec3<u32>(0u), n + 1u, behind);
}

fn walk_start(direction: vec3<i32>) -> Walk {
	var w: Walk;
	let shift = view.extent.w + 6u;
	w.alive = true;
	w.t = 0u;
	w.axis = 3u;
	for (var c = 0u; c < 3u; c++) {
		let size = i32(view.extent[c]) << 12u;
		w.mirror[c] = direction[c] < 0;
		let origin = select(view.eye[c], size - view.eye[c], w.mirror[c]);
		let speed = u32(abs(direction[c]));
		if origin >= size || (origin < 0 && speed == 0u) {
			w.alive = false;
		}
		let way = select(4096 - (origin & 4095), -origin, origin < 0); // to the first plane
		w.cell[c] = select(u32(origin >> 12u), NEVER, origin < 0);   // NEVER + 1 is cell 0
		w.next[c] = scaled_ratio(u32(way), speed, shift);
		w.delta[c] = max(scaled_ratio(4096u, speed, shift), 1u);
		if origin < 0 && (w.next[c] > w.t || w.axis == 3u) {
			w.t = w.next[c];
			w.axis = c;
		}
	}
	if w.t == NEVER || !w.alive {
		w.alive = false;
		return w;
	}
	catch_up(&w, w.t + 1u);
	w.alive = all(w.cell < view.extent.xyz);
	return w;
}

fn walk_cell(w: ptr<function, Walk>) -> vec3<u32> {
	return select((*w).cell, view.extent.xyz - 1u - (*w).cell, (*w).mirror);
}

fn earliest(t: vec3<u32>) -> u32 {
	if t.x <= t.y && t.x <= t.z {
		return 0u;
	}
	return select(2u, 1u, t.y <= t.z);
}

// Cross the next plane; of planes met at the same time, that of x, then y, then z.
fn walk_step(w: ptr<function, Walk>) {
	let axis = earliest((*w).next);
	let crossed = is_axis(axis);
	let t = min((*w).next.x, min((*w).next.y, (*w).next.z));
	if t == NEVER {
		(*w).alive = false;
		return;
	}
	(*w).next = select((*w).next, later((*w).next, (*w).delta), crossed);
	(*w).cell += select(vec3<u32>(0u), vec3<u32>(1u), crossed);
	(*w).t = t;
	(*w).axis = axis;
	(*w).alive = all((*w).cell < view.extent.xyz);
}

fn block_is_air(c: vec3<u32>) -> bool {
	let b = c >> vec3<u32>(2u);
	let n = (view.extent.xyz + 3u) >> vec3<u32>(2u);
	return blocks[b.x + n.x * (b.y + n.y * b.z)] == 0u;
}

// Leave the 4^3 cells around c: the same as single steps, at once.
fn walk_leave_block(w: ptr<function, Walk>, c: vec3<u32>) {
	let r = c & vec3<u32>(3u);
	let more = select(3u - r, r, (*w).mirror); // planes before the last one
	var exit = (*w).next;
	for (var n = 0u; n < 3u; n++) {
		exit = select(exit, later(exit, (*w).delta), vec3<u32>(n) < more);
	}
	let axis = earliest(exit);
	let t = min(exit.x, min(exit.y, exit.z));
	if t == NEVER {
		(*w).alive = false;
		return;
	}
	let limit = vec3<u32>(t) + select(vec3<u32>(0u), vec3<u32>(1u), vec3<u32>(0u, 1u, 2u) <= vec3<u32>(axis));
	for (var n = 0u; n < 4u; n++) {
		let behind = (*w).next < limit;
		(*w).next = select((*w).next, later((*w).next, (*w).delta), behind);
		(*w).cell += select(vec3<u32>(0u), vec3<u32>(1u), behind);
	}
	(*w).t = t;
	(*w).axis = axis;
	(*w).alive = all((*w).cell < view.extent.xyz);
}

// Depth in frames.
fn depth_of(t: u32) -> f32 {
	return f32(t) / f32(1u << view.extent.w);
}
