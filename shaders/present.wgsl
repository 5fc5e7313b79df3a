// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The picture onto the canvas: mean of the samples, outlines of selected frames over it, sRGB.

struct Screen {
	image: vec2<u32>,  // size of the picture
	canvas: vec2<f32>, // size of the canvas
	ink: vec4<f32>,    // colour of outlines, linear
	paper: vec4<f32>,  // of the thin line around them
	area: vec4<f32>,   // where outlines are: x0, y0, x1, y1 in canvas pixels
	lines: vec4<u32>,  // number of segments
}

@group(0) @binding(0) var<uniform> screen: Screen;
@group(0) @binding(1) var<storage, read> sums: array<vec4<f32>>;
// Two a segment: x0, y0, x1, y1 in canvas pixels; half its width, strength.
@group(0) @binding(2) var<storage, read> segments: array<vec4<f32>>;

@vertex
fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
	return vec4<f32>(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

fn way_to(p: vec2<f32>, s: vec4<f32>) -> f32 {
	let along = s.zw - s.xy;
	let t = saturate(dot(p - s.xy, along) / max(dot(along, along), 1e-6));
	return distance(p, s.xy + t * along);
}

fn outlined(colour: vec3<f32>, p: vec2<f32>) -> vec3<f32> {
	var ink = 0.0;
	var paper = 0.0;
	if any(p < screen.area.xy) || any(p > screen.area.zw) {
		return colour;
	}
	for (var i = 0u; i < screen.lines.x; i++) {
		let look = segments[2u * i + 1u];
		let d = way_to(p, segments[2u * i]) - look.x;
		ink = max(ink, look.y * saturate(0.5 - d));
		paper = max(paper, look.y * saturate(1.5 - d));
	}
	return mix(mix(colour, screen.paper.rgb, paper), screen.ink.rgb, ink);
}

fn encoded(c: vec3<f32>) -> vec3<f32> {
	let v = saturate(c);
	return select(1.055 * pow(v, vec3<f32>(1.0 / 2.4)) - 0.055, 12.92 * v, v <= vec3<f32>(0.0031308));
}

fn picture(p: vec2<u32>) -> vec3<f32> {
	let s = sums[p.x + screen.image.x * p.y];
	return s.rgb / max(s.w, 1.0);
}

@fragment
fn show(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
	let p = vec2<u32>(at.xy * vec2<f32>(screen.image) / screen.canvas);
	let colour = picture(min(p, screen.image - 1u));
	return vec4<f32>(encoded(outlined(colour, at.xy)), 1.0);
}
