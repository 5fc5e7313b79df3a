// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// One ray a pixel through the cube: air, ghosts, frames, near frames, the outer box.

struct Ink {
	colour: vec3<f32>,
	left: f32, // how much of what lies behind still shows
	air: f32,  // way through air since the last ink
	id: vec2<u32>,
	settled: bool, // the id is final
}

fn paint(ink: ptr<function, Ink>, colour: vec3<f32>, alpha: f32) {
	(*ink).colour += (*ink).left * alpha * colour;
	(*ink).left *= 1.0 - alpha;
}

fn settle_air(ink: ptr<function, Ink>) {
	paint(ink, view.fog.rgb, 1.0 - exp(-view.fog.w * (*ink).air));
	(*ink).air = 0.0;
}

// The outer box, where the ray goes into it or leaves it.
fn wire(ink: ptr<function, Ink>, p: vec3<f32>, axis: u32, ray: vec3<f32>, depth: f32, strength: f32) {
	let iu = (axis + 1u) % 3u;
	let iv = (axis + 2u) % 3u;
	let size = vec3<f32>(view.extent.xyz);
	let d = normalize(ray);
	let px = view.canvas.w / max(depth, 0.01);
	let far = vec2<f32>(min(p[iu], size[iu] - p[iu]) * sqrt(max(1.0 - d[iu] * d[iu], 0.02)),
		min(p[iv], size[iv] - p[iv]) * sqrt(max(1.0 - d[iv] * d[iv], 0.02))) * px;
	paint(ink, view.wire.rgb, view.wire.w * strength * saturate(1.1 - min(far.x, far.y)));
}

fn ghost(ink: ptr<function, Ink>, f: Face, before: u32, way: f32) {
	let tint = mix(view.fog.rgb, owner_colour(f.look), 0.35);
	if kind_of(before) != GHOST || !same_owner(before, f.look) {
		let px = f.lean * f.px;
		let far = min(min(f.at.x, 1.0 - f.at.x) * px.x, min(f.at.y, 1.0 - f.at.y) * px.y);
		var edge = 0.0;
		if far < 1.0 { // a line only where the owner ends
			let side = select(select(-f.v, f.v, f.at.y > 0.5), select(-f.u, f.u, f.at.x > 0.5),
				min(f.at.x, 1.0 - f.at.x) * px.x < min(f.at.y, 1.0 - f.at.y) * px.y);
			edge = select(0.05, 0.0, same_owner(look_at(f.cell + side), f.look)) * saturate(1.2 - far);
		}
		paint(ink, tint, 0.03 + edge);
	}
	paint(ink, tint, 1.0 - exp(-GHOST_FOG * way));
}

// A frame. True: nothing behind it can be seen.
fn solid(ink: ptr<function, Ink>, w: Walk, c: vec3<u32>, ray: vec3<f32>, jitter: vec2<f32>) -> bool {
	let depth = depth_of(w.t);
	if w.axis == 3u || w.t <= 1u << view.extent.w {
		return false;
	}
	let near = smoothstep(1.0, 2.0, depth); // frames at the eye fade away
	let f = face_of(vec3<i32>(c), w.axis, w.mirror[w.axis], ray, depth);
	let index = cell_index(c);
	let word = cells[index];
	if (*ink).id.x == 0u {
		(*ink).id.x = index + 1u;
	}
	(*ink).settled |= w.t >= view.focus.w;
	let mask = front_mask(f);
	let lines = lines_of(f, mask);
	let far = w.t >= view.focus.z || (word & 0x7ffffffu) >= arrayLength(&bytes) / 1024u;
	let glass = select(smoothstep(30.0, 60.0, f.px), 0.0, far);
	let pane = 0.05 + 0.13 * lines.lattice + 0.42 * max(lines.owner, 0.5 * lines.outline);
	paint(ink, face_colour(f, mask, lines, jitter), near * mix(1.0, pane, glass));
	if far {
		return near == 1.0;
	}
	if (f.look & 64u) == 0u {
		return false; // all its bytes are zero
	}
	let h = byte_walk(w, word);
	if !h.hit {
		return false;
	}
	if !(*ink).settled {
		(*ink).id = vec2<u32>(index + 1u, h.offset + 1u);
		(*ink).settled = true;
	}
	paint(ink, shaded_byte(word, f.cell, f.look, h, ray), near);
	return near == 1.0;
}

fn trace(x: u32, y: u32, ink: ptr<function, Ink>) {
	let direction = ray_direction(x, y);
	let ray = vec3<f32>(direction) / 262144.0;
	let eye = vec3<f32>(view.eye.xyz) / 4096.0;
	let jitter = noise(x, y, view.size.z);
	var w = walk_start(direction);
	if !w.alive {
		return;
	}
	if w.axis < 3u {
		wire(ink, eye + ray * depth_of(w.t), w.axis, ray, depth_of(w.t), 0.45);
	}
	var before = 0u;
	let most = 4u * (view.extent.x + view.extent.y + view.extent.z);
	for (var n = 0u; n < most && w.alive && ((*ink).left > 0.004 || !(*ink).settled); n++) {
		let c = walk_cell(&w);
		let entered = w.t;
		if block_is_air(c) {
			walk_leave_block(&w, c);
			(*ink).air += depth_of(w.t - entered);
			before = 0u;
			continue;
		}
		let l = look[cell_index(c)];
		let kind = kind_of(l);
		if kind == SOLID {
			settle_air(ink);
			if solid(ink, w, c, ray, jitter) {
				return;
			}
		}
		let entry = w.axis;
		walk_step(&w);
		let way = depth_of(w.t - entered);
		if kind == GHOST && entry < 3u {
			settle_air(ink);
			ghost(ink, face_of(vec3<i32>(c), entry, w.mirror[entry], ray, depth_of(entered)), before, way);
		} else if kind == AIR {
			(*ink).air += way;
		}
		before = l;
	}
	settle_air(ink);
	if !w.alive {
		wire(ink, eye + ray * depth_of(w.t), w.axis, ray, depth_of(w.t), 1.0);
	}
}

@compute @workgroup_size(8, 8)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
	if id.x >= view.size.x || id.y >= view.size.y {
		return;
	}
	var ink: Ink;
	ink.left = 1.0;
	trace(id.x, id.y, &ink);
	paint(&ink, view.canvas.rgb, 1.0);
	let i = id.x + view.size.x * id.y;
	if view.size.z == 0u {
		sums[i] = vec4<f32>(ink.colour, 1.0);
		ids[i] = ink.id;
	} else {
		sums[i] += vec4<f32>(ink.colour, 1.0);
	}
}
