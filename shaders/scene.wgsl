// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What the cube is drawn from: the view, the frames, their bytes. First of the files that make the
// ray-march shader: scene, march, light, bytes, draw (WGSL has no include; they are joined in this
// order, by the page and by the native renderer).
//
// Units: 1 is one frame (4 KiB, 16^3 byte voxels). x goes right, y up, z away.

const NEVER = 0xffffffffu; // a time on a ray that does not come
const NONE = 0xffffffffu;  // a cell that holds no frame

const AIR = 0u;
const SOLID = 1u;
const GHOST = 2u;

const FREE_FOG = 0.002;  // extinction of air, per frame of the way
const GHOST_FOG = 0.004; // inside ghosts

struct View {
	// The ray of pixel (x, y) is (d0 + x du + y dv) >> 8, in 2^-18 of a frame per frame of depth.
	d0: vec4<i32>,
	du: vec4<i32>,
	dv: vec4<i32>,
	eye: vec4<i32>,      // in 1/4096 frame
	extent: vec4<u32>,   // cells along x, y, z; w: bits of a ray's time for one frame of depth
	size: vec4<u32>,     // image width, height; number of this sample; flags
	focus: vec4<u32>,    // groups to show in full (bit mask), pid likewise (NONE: all); times before
	                     // which bytes of frames show, and can be picked (0: never)
	canvas: vec4<f32>,   // background, linear; w: focal length in pixels
	fog: vec4<f32>,      // colour of air, linear; w: extinction of air per frame
	edge: vec4<f32>,     // colour of owner edges, linear; w: strength
	wire: vec4<f32>,     // colour of the outer box, linear; w: strength
	groups: array<vec4<f32>, 16>, // owners' colours, linear; w: how they are hatched
}

const FLAG_SHADOW = 1u;

const UNKNOWN_HATCH = 1u; // then the six patterns, as in web/memory.js; 0: none
const ACROSS = 2u;
const UPRIGHT = 3u;
const GRID = 4u;
const DOTS = 5u;
const CROSSED = 6u;
const SQUARES = 7u;

@group(0) @binding(0) var<uniform> view: View;
// One word a cell: group, kind << 4, pid << 8.
@group(0) @binding(1) var<storage, read> look: array<u32>;
// One word for 4^3 cells: not all of them are air.
@group(0) @binding(2) var<storage, read> blocks: array<u32>;
// How full it is around a cell, 0..255, four cells a word.
@group(0) @binding(3) var<storage, read> fill: array<u32>;
// frame | orientation << 27 of a cell, or NONE.
@group(0) @binding(4) var<storage, read> cells: array<u32>;
// For each of 24 orientations and each voxel x | y << 4 | z << 8 the offset of its byte, two a word.
@group(0) @binding(5) var<storage, read> offsets: array<u32>;
@group(0) @binding(6) var<storage, read> bytes: array<u32>;
// Sum of the samples of a pixel, linear RGB; w: number of samples.
@group(0) @binding(7) var<storage, read_write> sums: array<vec4<f32>>;
// Of a pixel: cell + 1 that its first sample hits (0: none), byte offset + 1 in near view (0: none).
@group(0) @binding(8) var<storage, read_write> ids: array<vec2<u32>>;

fn inside(c: vec3<i32>) -> bool {
	return all(c >= vec3<i32>(0)) && all(c < vec3<i32>(view.extent.xyz));
}

fn cell_index(c: vec3<u32>) -> u32 {
	return c.x + view.extent.x * (c.y + view.extent.y * c.z);
}

fn look_at(c: vec3<i32>) -> u32 {
	if !inside(c) {
		return 0u;
	}
	return look[cell_index(vec3<u32>(c))];
}

fn kind_of(l: u32) -> u32 {
	return (l >> 4u) & 3u;
}

fn group_of(l: u32) -> u32 {
	return l & 15u;
}

fn same_owner(a: u32, b: u32) -> bool {
	return ((a ^ b) & 0xffffff0fu) == 0u;
}

fn is_solid(c: vec3<i32>) -> bool {
	return kind_of(look_at(c)) == SOLID;
}

fn sky_fill(c: vec3<i32>) -> f32 {
	if !inside(c) {
		return -1.0;
	}
	let i = cell_index(vec3<u32>(c));
	return f32((fill[i >> 2u] >> (8u * (i & 3u))) & 255u) / 255.0;
}
