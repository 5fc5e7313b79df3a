// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The 3D Hilbert curve, Skilling's transform both ways: the plain form that the tables are checked
// against (J. Skilling, "Programming the Hilbert curve", AIP Conf. Proc. 707, 2004). Orders 1..10.
// The same steps as src/view/hilbert.c and web/hilbert.js.

@group(0) @binding(0) var<storage, read> words_in: array<u32>;
@group(0) @binding(1) var<storage, read_write> words_out: array<u32>;

// Invert the low bits of x if bit q of axis d is set, else exchange them with those of axis d.
fn exchange(v: vec3<u32>, d: u32, q: u32) -> vec3<u32> {
	var r = v;
	if (v[d] & q) != 0u {
		r.x ^= q - 1u;
	} else {
		let t = (v.x ^ v[d]) & (q - 1u);
		r.x ^= t;
		r[d] ^= t;
	}
	return r;
}

fn hilbert_voxel(order: u32, index: u32) -> vec3<u32> {
	var v = vec3<u32>(0u);
	for (var i = 0u; i < order; i++) {
		v |= ((vec3<u32>(index) >> vec3<u32>(3u * i + 2u, 3u * i + 1u, 3u * i)) & vec3<u32>(1u))
			<< vec3<u32>(i);
	}
	let t = v.z >> 1u; // Gray decode
	v.z ^= v.y;
	v.y ^= v.x;
	v.x ^= t;
	for (var i = 1u; i < order; i++) {
		v = exchange(exchange(exchange(v, 2u, 1u << i), 1u, 1u << i), 0u, 1u << i);
	}
	return v;
}

fn hilbert_index(order: u32, voxel: vec3<u32>) -> u32 {
	var v = voxel;
	for (var i = order - 1u; i > 0u; i--) {
		v = exchange(exchange(exchange(v, 0u, 1u << i), 1u, 1u << i), 2u, 1u << i);
	}
	v.y ^= v.x; // Gray encode
	v.z ^= v.y;
	var t = 0u;
	for (var i = order - 1u; i > 0u; i--) {
		if (v.z & (1u << i)) != 0u {
			t ^= (1u << i) - 1u;
		}
	}
	v ^= vec3<u32>(t);
	var index = 0u;
	for (var i = 0u; i < order; i++) {
		let b = (v >> vec3<u32>(i)) & vec3<u32>(1u);
		index |= ((b.x << 2u) | (b.y << 1u) | b.z) << (3u * i);
	}
	return index;
}

// words_in: order, then indices. words_out: for each, its voxel as x | y << 10 | z << 20, then the
// index that this voxel has.
@compute @workgroup_size(64)
fn both_ways(@builtin(global_invocation_id) id: vec3<u32>) {
	if id.x + 1u >= arrayLength(&words_in) {
		return;
	}
	let order = words_in[0];
	let v = hilbert_voxel(order, words_in[id.x + 1u]);
	words_out[2u * id.x] = v.x | (v.y << 10u) | (v.z << 20u);
	words_out[2u * id.x + 1u] = hilbert_index(order, v);
}
