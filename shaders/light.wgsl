// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// How a face of a frame looks: face, corner and wide occlusion, shadow; then the lines on it.
// All is multiplied onto the owner's colour in linear light: hue never changes.

struct Face {
	cell: vec3<i32>,
	look: u32,
	normal: vec3<i32>,
	u: vec3<i32>, // unit steps in the plane
	v: vec3<i32>,
	at: vec2<f32>, // 0..1 along u, v
	point: vec3<f32>,
	px: f32,       // pixels per frame at this depth
	lean: vec2<f32>, // how much of that is left along u, v
}

fn unit(axis: u32) -> vec3<i32> {
	return select(vec3<i32>(0), vec3<i32>(1), vec3<u32>(0u, 1u, 2u) == vec3<u32>(axis));
}

fn face_of(cell: vec3<i32>, axis: u32, up: bool, ray: vec3<f32>, depth: f32) -> Face {
	var f: Face;
	let iu = (axis + 1u) % 3u;
	let iv = (axis + 2u) % 3u;
	f.cell = cell;
	f.look = look_at(cell);
	f.u = unit(iu);
	f.v = unit(iv);
	f.normal = select(-unit(axis), unit(axis), up);
	f.point = vec3<f32>(view.eye.xyz) / 4096.0 + ray * depth;
	f.point[axis] = f32(cell[axis]) + select(0.0, 1.0, up);
	f.at = clamp(vec2<f32>(f.point[iu] - f32(cell[iu]), f.point[iv] - f32(cell[iv])),
		vec2<f32>(0.0), vec2<f32>(1.0));
	f.px = view.canvas.w / max(depth, 0.01);
	let d = normalize(ray);
	f.lean = sqrt(max(vec2<f32>(1.0) - vec2<f32>(d[iu] * d[iu], d[iv] * d[iv]), vec2<f32>(0.02)));
	return f;
}

// Faces that are seen together differ by at most 1.25, or one owner reads as two.
fn face_light(normal: vec3<i32>) -> f32 {
	if normal.y != 0 {
		return select(0.70, 1.00, normal.y > 0);
	}
	return select(0.80, 0.86, normal.z != 0);
}

fn bit(mask: u32, i: u32) -> u32 {
	return (mask >> i) & 1u;
}

fn corner_light(side1: u32, side2: u32, corner: u32) -> f32 {
	return 1.0 - 0.15 * f32(select(side1 + side2 + corner, 3u, side1 + side2 == 2u));
}

// Where the 3 x 3 places in front of a face are full: bit (1 + v) * 3 + 1 + u.
fn corner_occlusion(mask: u32, at: vec2<f32>) -> f32 {
	let low = mix(corner_light(bit(mask, 3u), bit(mask, 1u), bit(mask, 0u)),
		corner_light(bit(mask, 5u), bit(mask, 1u), bit(mask, 2u)), at.x);
	let high = mix(corner_light(bit(mask, 3u), bit(mask, 7u), bit(mask, 6u)),
		corner_light(bit(mask, 5u), bit(mask, 7u), bit(mask, 8u)), at.x);
	return mix(low, high, at.y);
}

fn front_mask(f: Face) -> u32 {
	var mask = 0u;
	for (var i = 0; i < 9; i++) {
		let c = f.cell + f.normal + (i % 3 - 1) * f.u + (i / 3 - 1) * f.v;
		mask |= u32(is_solid(c)) << u32(i);
	}
	return mask;
}

fn wide_occlusion(f: Face) -> f32 {
	let p = f.point + 0.5 * vec3<f32>(f.normal) - 0.5;
	let c = vec3<i32>(floor(p));
	let w = p - floor(p);
	var sum = 0.0;
	for (var i = 0; i < 8; i++) {
		let o = vec3<i32>(i & 1, (i >> 1u) & 1, i >> 2u);
		let k = select(1.0 - w, w, o == vec3<i32>(1));
		sum += k.x * k.y * k.z * max(sky_fill(c + o), 0.0);
	}
	return 1.0 - 0.38 * sum;
}

fn noise(x: u32, y: u32, n: u32) -> vec2<f32> {
	var h = x * 747796405u + y * 2891336453u + n * 277803737u + 1u;
	h = ((h >> ((h >> 28u) + 4u)) ^ h) * 277803737u;
	h = (h >> 22u) ^ h;
	return vec2<f32>(f32(h & 0xffffu), f32(h >> 16u)) / 65536.0 - 0.5;
}

// At most 26 % darker, shorter than 40 cells, fading with distance.
fn shadow(f: Face, jitter: vec2<f32>) -> f32 {
	let d = normalize(vec3<f32>(0.42 + 0.08 * jitter.x, 0.86, -0.30 + 0.08 * jitter.y));
	if dot(d, vec3<f32>(f.normal)) <= 0.0 {
		return 1.0;
	}
	var c = f.cell + f.normal;
	let step = vec3<i32>(sign(d));
	let delta = 1.0 / max(abs(d), vec3<f32>(1e-4));
	let start = f.point + 0.001 * vec3<f32>(f.normal);
	var next = delta * abs(vec3<f32>(c) + max(vec3<f32>(step), vec3<f32>(0.0)) - start);
	for (var n = 0u; n < 60u; n++) {
		if !inside(c) {
			return 1.0;
		}
		let t = min(next.x, min(next.y, next.z));
		if is_solid(c) {
			return 1.0 - 0.26 * saturate(1.0 - t / 40.0);
		}
		if t > 40.0 {
			return 1.0;
		}
		if t == next.x {
			c.x += step.x;
			next.x += delta.x;
		} else if t == next.y {
			c.y += step.y;
			next.y += delta.y;
		} else {
			c.z += step.z;
			next.z += delta.z;
		}
	}
	return 1.0;
}

struct Lines {
	owner: f32,   // coverage of the line towards another owner
	outline: f32, // of the outline against air
	lattice: f32, // of the lattice inside one owner
}

// The lines along the four sides. `mask` tells where a neighbour stands in front.
fn lines_of(f: Face, mask: u32) -> Lines {
	var l: Lines;
	for (var i = 0u; i < 4u; i++) {
		let high = (i & 1u) == 1u;
		let along = select(f.u, f.v, i > 1u);
		let way = select(f.at.x, f.at.y, i > 1u);
		let px = f.px * select(f.lean.x, f.lean.y, i > 1u);
		let far = px * select(way, 1.0 - way, high);
		if far > 0.0225 * px + 1.5 || bit(mask, select(select(3u, 5u, high), select(1u, 7u, high), i > 1u)) == 1u {
			continue;
		}
		let neighbour = look_at(f.cell + select(-along, along, high));
		if kind_of(neighbour) != SOLID {
			l.outline = max(l.outline, saturate(1.4 - far));
		} else if !same_owner(neighbour, f.look) {
			l.owner = max(l.owner, saturate(max(0.0225 * px, 0.45) + 0.5 - far));
		} else {
			l.lattice = max(l.lattice, saturate(0.8 - far));
		}
	}
	return l;
}

fn owner_colour(l: u32) -> vec3<f32> {
	return view.groups[group_of(l)].rgb;
}

// A line around each whole number.
fn band(x: f32) -> f32 {
	return 1.0 - smoothstep(0.18, 0.26, abs(fract(x + 0.5) - 0.5));
}

// `p` goes along the face, its y upwards on the sides of the cube. Nothing that mirrors can change.
fn pattern(kind: u32, p: vec2<f32>) -> f32 {
	let q = 2.0 * p - 0.5;
	switch kind {
		case ACROSS: { return band(q.y); }
		case UPRIGHT: { return band(q.x); }
		case GRID: { return max(band(q.x), band(q.y)); }
		case DOTS: { return 1.0 - smoothstep(0.26, 0.34, length(fract(q + 0.5) - 0.5)); }
		case CROSSED: { return max(band(q.x + q.y), band(q.x - q.y)); }
		case SQUARES: { return band(2.0 * max(abs(p.x - 0.5), abs(p.y - 0.5)) - 0.5); }
		default: { return 0.0; }
	}
}

// From the size at which it does not alias: unknown frames always, others as the user likes.
fn hatch(f: Face) -> f32 {
	let kind = u32(view.groups[group_of(f.look)].w);
	if kind == UNKNOWN_HATCH {
		let s = fract((f.at.x + f.at.y) * 3.0);
		let line = smoothstep(0.52, 0.62, s) - smoothstep(0.90, 1.0, s);
		return 1.0 - 0.42 * line * smoothstep(8.0, 16.0, f.px);
	}
	if kind == 0u || f.px <= 10.0 {
		return 1.0;
	}
	return 1.0 - 0.25 * pattern(kind, select(f.at.yx, f.at, f.normal.z != 0)) * smoothstep(10.0, 14.0, f.px);
}

// Everything but the focus steps back: towards the canvas.
fn focused(colour: vec3<f32>, l: u32) -> vec3<f32> {
	let group = (view.focus.x >> group_of(l)) & 1u;
	let pid = view.focus.y == NONE || view.focus.y == l >> 8u;
	return select(mix(view.canvas.rgb, colour, 0.35), colour, group == 1u && pid);
}

fn lit(f: Face, mask: u32, jitter: vec2<f32>) -> f32 {
	var light = face_light(f.normal) * corner_occlusion(mask, f.at) * wide_occlusion(f);
	if (view.size.w & FLAG_SHADOW) != 0u {
		light *= shadow(f, jitter);
	}
	return light;
}

fn face_colour(f: Face, mask: u32, lines: Lines, jitter: vec2<f32>) -> vec3<f32> {
	let owner = owner_colour(f.look);
	let light = lit(f, mask, jitter);
	let fade = smoothstep(1.5, 3.5, f.px);
	let lattice = 0.13 * lines.lattice * smoothstep(8.0, 12.0, f.px) * (1.0 - smoothstep(26.0, 30.0, f.px));
	var colour = owner * light * hatch(f);
	colour = mix(colour, view.edge.rgb, fade * lattice);
	colour = mix(colour, min(owner * light * 1.25, vec3<f32>(1.0)), 0.30 * fade * lines.outline);
	colour = mix(colour, view.edge.rgb, view.edge.w * fade * lines.owner);
	return focused(colour, f.look);
}
