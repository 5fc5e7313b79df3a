// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Near view: inside a frame, its 4096 bytes as 16^3 voxels, addressed directly: the orientation of
// the frame and the place of the voxel give the offset of the byte. Zero is air.

struct ByteHit {
	hit: bool,
	voxel: vec3<i32>,
	offset: u32,
	value: u32,
	axis: u32,
	up: bool,
}

fn offset_in(word: u32, v: vec3<u32>) -> u32 {
	let i = (word >> 27u) * 4096u + (v.x | (v.y << 4u) | (v.z << 8u));
	return (offsets[i >> 1u] >> (16u * (i & 1u))) & 0xffffu;
}

fn byte_at(word: u32, offset: u32) -> u32 {
	let i = (word & 0x7ffffffu) * 4096u + offset;
	return (bytes[i >> 2u] >> (8u * (i & 3u))) & 255u;
}

fn byte_solid(word: u32, v: vec3<i32>) -> bool {
	if any(v < vec3<i32>(0)) || any(v > vec3<i32>(15)) {
		return false;
	}
	return byte_at(word, offset_in(word, vec3<u32>(v))) != 0u;
}

// Walk the byte voxels of the frame in which the ray is. The times of the 16 planes are taken from
// those of the frame, so this too is in integers.
fn byte_walk(w: Walk, word: u32) -> ByteHit {
	var h: ByteHit;
	var sub: vec3<u32>;
	var next: vec3<u32>;
	let delta = select(max(w.delta >> vec3<u32>(4u), vec3<u32>(1u)), vec3<u32>(NEVER), w.delta == vec3<u32>(NEVER));
	for (var c = 0u; c < 3u; c++) {
		let size = i32(view.extent[c]) << 12u;
		let origin = select(view.eye[c], size - view.eye[c], w.mirror[c]);
		sub[c] = (u32(origin) & 4095u) >> 8u;
		next[c] = w.next[c];
		if next[c] != NEVER && delta[c] != NEVER {
			let left = min(15u, (max(next[c] - w.t, 1u) - 1u) / delta[c]);
			next[c] -= left * delta[c];
			sub[c] = 15u - left;
		}
	}
	h.axis = w.axis;
	for (var n = 0u; n < 48u; n++) {
		let v = select(sub, 15u - sub, w.mirror);
		let offset = offset_in(word, v);
		let value = byte_at(word, offset);
		if value != 0u && h.axis < 3u {
			h.hit = true;
			h.voxel = vec3<i32>(v);
			h.offset = offset;
			h.value = value;
			h.up = w.mirror[h.axis];
			return h;
		}
		h.axis = earliest(next);
		let crossed = is_axis(h.axis);
		sub += select(vec3<u32>(0u), vec3<u32>(1u), crossed);
		if any(sub > vec3<u32>(15u)) || all(next == vec3<u32>(NEVER)) {
			return h;
		}
		next = select(next, later(next, delta), crossed);
	}
	return h;
}

// Lightness tells the value, hue the owner.
fn byte_colour(owner: vec3<f32>, value: u32) -> vec3<f32> {
	if value == 255u {
		return mix(owner, vec3<f32>(1.0), 0.55);
	}
	if value >= 32u && value < 127u {
		return mix(owner, vec3<f32>(1.0), 0.25);
	}
	return min(owner * (0.42 + 0.75 * f32(value) / 255.0), vec3<f32>(1.0));
}

fn byte_occlusion(word: u32, h: ByteHit, at: vec2<f32>) -> f32 {
	let u = unit((h.axis + 1u) % 3u);
	let v = unit((h.axis + 2u) % 3u);
	let front = h.voxel + select(-unit(h.axis), unit(h.axis), h.up);
	var mask = 0u;
	for (var i = 0; i < 9; i++) {
		mask |= u32(byte_solid(word, front + (i % 3 - 1) * u + (i / 3 - 1) * v)) << u32(i);
	}
	return corner_occlusion(mask, at);
}

fn shaded_byte(word: u32, cell: vec3<i32>, l: u32, h: ByteHit, ray: vec3<f32>) -> vec3<f32> {
	let corner = vec3<f32>(cell) + vec3<f32>(h.voxel) / 16.0;
	let plane = corner[h.axis] + select(0.0, 1.0 / 16.0, h.up);
	let eye = vec3<f32>(view.eye.xyz) / 4096.0;
	let p = eye + ray * ((plane - eye[h.axis]) / ray[h.axis]);
	let iu = (h.axis + 1u) % 3u;
	let iv = (h.axis + 2u) % 3u;
	let at = saturate(16.0 * vec2<f32>(p[iu] - corner[iu], p[iv] - corner[iv]));
	let n = select(-unit(h.axis), unit(h.axis), h.up);
	let light = face_light(n) * byte_occlusion(word, h, at);
	return focused(byte_colour(owner_colour(l), h.value) * light, l);
}
