// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What the files of this folder share: the opened kernel, and objects in its memory.
#pragma once

#include "kernel/btf.h"
#include "kernel/kallsyms.h"
#include "kernel/kernel.h"
#include "kernel/members.h"
#include "kernel/memory.h"
#include "kernel/page.h"

#include <string.h>

#define GB_OBJECT_MAX 16384 // task_struct is the largest: 6 to 10 KiB

struct gb_kernel {
	struct gb_ram *ram;
	struct gb_kernel_info info;
	struct gb_btf *btf;
	struct gb_kallsyms *symbols;
	struct gb_offsets offsets;
	uint64_t symbol[GB_SYMBOL_COUNT]; // addresses; 0: absent
	uint64_t image_start, image_end;  // VA
	uint64_t image_delta;             // VA - PA of the image
	uint64_t direct_end;              // one past the direct map of the highest RAM
	unsigned cpus;                    // that per_cpu[] holds
	uint64_t per_cpu[64];             // what to add to a per-CPU address
	struct gb_page_rules page;
	bool strict_heap; // how this kernel decides what is [heap]
};

// A kernel virtual address in guest-physical space: direct map, image, or a page walk. GB_EFAULT.
int gb_kernel_locate(const struct gb_kernel *k, uint64_t va, gb_gpa *ret);
// Does the range lie in one of the two mappings that need no page walk?
bool gb_kernel_is_linear(const struct gb_kernel *k, uint64_t va, size_t len);

// A copy of an object's bytes from its first to its last member in the table.
struct gb_object {
	enum gb_struct_id type;
	const struct gb_offsets *offsets;
	_Alignas(8) uint8_t bytes[GB_OBJECT_MAX];
};

// GB_EFAULT or GB_EGONE, no message: callers mark what they could not read.
int gb_object_read(const struct gb_kernel *k, enum gb_struct_id type, uint64_t va,
		   struct gb_object *ret);

// A text member in a copy, without what follows its NUL: at most max bytes with the NUL, and 64 of the guest's. Its
// length; 0 when absent.
size_t gb_object_text(const struct gb_object *o, enum gb_member_id m, char *ret, size_t max);

static inline bool gb_has(const struct gb_kernel *k, enum gb_member_id m)
{
	return k->offsets.members[m].at >= 0;
}

static inline uint64_t gb_offset(const struct gb_kernel *k, enum gb_member_id m)
{
	return (uint64_t)(int64_t)k->offsets.members[m].at;
}

// Where a member begins in a copy. The member must exist.
static inline const uint8_t *gb_object_at(const struct gb_object *o, enum gb_member_id m)
{
	return o->bytes + (o->offsets->members[m].at - o->offsets->structs[o->type].from);
}

// A number or pointer of 1, 2, 4 or 8 bytes (a larger member: its first 8); 0 when absent.
static inline uint64_t gb_get(const struct gb_object *o, enum gb_member_id m)
{
	uint32_t size = o->offsets->members[m].size;
	uint64_t v = 0;

	if (o->offsets->members[m].at >= 0)
		memcpy(&v, gb_object_at(o, m), size > 8 ? 8 : size);
	return v;
}

static inline int gb_read_va(const struct gb_kernel *k, uint64_t va, void *ret, size_t len)
{
	return gb_kernel_read(k, (gb_gva){va}, ret, len, NULL);
}

static inline uint64_t gb_read_u64_or_0(const struct gb_kernel *k, uint64_t va)
{
	uint64_t v = 0;

	return gb_read_va(k, va, &v, 8) == 0 ? v : 0;
}
