// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Linux inside the RAM: found and read with no symbol file and no agent.
//
// gb_kernel_open() finds the banner, BTF and kallsyms, the KASLR slide, the physical base and the
// page tables, from guest RAM alone. Everything else is answered from that. All guest data is
// hostile: each walk has a budget, cycles end, strings are bounded, and what does not fit is an
// error or is marked, never guessed.
//
// A struct gb_kernel is immutable after opening and may be used by several threads; answers are
// built in the caller's arena and stay valid until it is reset.
#pragma once

#include "base/arena.h"
#include "base/log.h"
#include "kernel/frame_class.h"
#include "ram/ram.h"
#include "ram/walk.h"

struct gb_kernel;

// How far RAM reaches, as the kernel says: one past the highest byte of it, and of what lies below 4 GiB
// (max_pfn, max_low_pfn_mapped). 0: not known.
struct gb_kernel_reach {
	uint64_t end, low_end;
	bool mapped; // its page tables say that its image lies where it was found
};

struct gb_kernel_options {
	const struct gb_log *log;
	// If not NULL, set also when a kernel was found but is not understood, as when the layout is wrong;
	// untouched when none was found.
	struct gb_kernel_reach *reach;
};

struct gb_kernel_info {
	char release[72];       // "6.12.117-gb"
	char banner[256];       // "Linux version 6.12..."
	unsigned paging_levels; // 4 or 5
	bool pti;               // user mode runs on page tables of its own
	uint64_t kaslr_slide;   // VA(_text) - 0xffffffff81000000
	gb_gpa phys_base;       // where _text lies
	gb_gva page_offset, vmemmap, vmalloc;
	struct gb_space space; // of the kernel: init_top_pgt
	size_t symbols, btf_types;
	double attach_ms; // find + symbols + types
};

// GB_EUNKNOWN: no Linux that is understood, and the message says what was found and what was not.
int gb_kernel_open(struct gb_ram *ram, const struct gb_kernel_options *options,
		   struct gb_kernel **ret, struct gb_error *err);
void gb_kernel_close(struct gb_kernel *k);    // accepts NULL; does not close the RAM
void gb_kernel_cleanup(struct gb_kernel **k); // for GB_CLEANUP
// Did two openings of one guest find the same: info (but for the time it took), symbols, types?
bool gb_kernel_same(const struct gb_kernel *a, const struct gb_kernel *b);
const struct gb_kernel_info *gb_kernel_info(const struct gb_kernel *k);
struct gb_ram *gb_kernel_ram(const struct gb_kernel *k);
