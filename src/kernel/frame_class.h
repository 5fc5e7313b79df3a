// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Frame classes: what a 4 KiB frame is used for. One table; names, groups and colours come from it.
//
// The first column is the name in `frames --csv` and JSON. The group is what people see in the
// page's legend; several classes share one. Colours are the palette of the design (sRGB, the same
// in both themes), tuned for colour-vision deficiency; free memory has none.
#pragma once

#include <stdint.h>

//	X(ID, "csv name", GROUP)
#define GB_FRAME_CLASSES(X) \
	X(UNKNOWN, "unknown", UNKNOWN) \
	X(FREE, "free", FREE) \
	X(RESERVED, "reserved", RESERVED) \
	X(VMEMMAP, "vmemmap", RESERVED) \
	X(KERNEL_TEXT, "kernel-text", KERNEL_TEXT) \
	X(KERNEL_RODATA, "kernel-rodata", KERNEL_DATA) \
	X(KERNEL_DATA, "kernel-data", KERNEL_DATA) \
	X(PAGE_TABLE, "page-table", PAGE_TABLE) \
	X(KERNEL_STACK, "kernel-stack", KERNEL_STACK) \
	X(SLAB, "slab", SLAB) \
	X(VMALLOC, "vmalloc", VMALLOC) \
	X(PAGE_CACHE, "page-cache", PAGE_CACHE) \
	X(CODE, "code", CODE) \
	X(HEAP, "heap", HEAP) \
	X(STACK, "stack", STACK) \
	X(MAPPED, "mapped", MAPPED)

//	X(ID, "key", "words", 0xRRGGBB, family)
#define GB_FRAME_GROUPS(X) \
	X(KERNEL_TEXT, "kernel-text", "Kernel text", 0xE5973B, "Kernel") \
	X(KERNEL_DATA, "kernel-data", "Kernel data", 0x7A5240, "Kernel") \
	X(PAGE_TABLE, "page-table", "Page tables", 0xDB6CB3, "Kernel") \
	X(KERNEL_STACK, "kernel-stack", "Kernel stacks", 0xE2593C, "Kernel") \
	X(SLAB, "slab", "Slab", 0xF0DB86, "Kernel") \
	X(VMALLOC, "vmalloc", "vmalloc", 0x978C5C, "Kernel") \
	X(PAGE_CACHE, "page-cache", "Page cache", 0x9FB6A3, "Files") \
	X(CODE, "code", "Code", 0x3463C9, "Processes") \
	X(HEAP, "heap", "Heap", 0x66BBEA, "Processes") \
	X(STACK, "stack", "Stack", 0xC5E5EB, "Processes") \
	X(MAPPED, "mapped", "Mapped", 0x8770D6, "Processes") \
	X(FREE, "free", "Free", 0x7C828C, "Rest") \
	X(RESERVED, "reserved", "Reserved", 0x565B63, "Rest") \
	X(UNKNOWN, "unknown", "Unknown", 0x7C7C79, "Rest")

enum gb_frame_class {
#define X(id, name, group) GB_FRAME_##id,
	GB_FRAME_CLASSES(X)
#undef X
		GB_FRAME_CLASS_COUNT
};

enum gb_frame_group {
#define X(id, key, words, rgb, family) GB_GROUP_##id,
	GB_FRAME_GROUPS(X)
#undef X
		GB_FRAME_GROUP_COUNT
};

struct gb_frame_group_info {
	const char *key, *words, *family;
	uint32_t rgb;
};

const char *gb_frame_class_name(enum gb_frame_class c);
enum gb_frame_group gb_frame_class_group(enum gb_frame_class c);
const struct gb_frame_group_info *gb_frame_group_info(enum gb_frame_group g);
