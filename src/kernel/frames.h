// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The owner of every frame.
//
// Class from struct page, page tables and the kernel's own map; owner from processes' VMAs. Arrays
// are indexed by packed frame index (see gb_layout_index_of).
#pragma once

#include "base/buf.h"
#include "kernel/process.h"

struct gb_owners;

struct gb_frames {
	size_t count;
	uint8_t *classes;  // enum gb_frame_class
	uint8_t *kinds;    // enum gb_page_kind: what struct page alone says
	int32_t *pids;     // process of a frame (first by pid of those that map it); 0: none
	uint32_t *mappers; // how many processes map it
	uint64_t by_class[GB_FRAME_CLASS_COUNT];
	bool cut;           // page tables that never end: owners behind the budget are missing
	uint32_t *owner_of; // for gb_frame_describe()
	struct gb_owners *owners; // likewise
};

// Make or refresh: arrays are reused when they fit; start with a zeroed struct. p must hold VMAs.
int gb_frames_classify(struct gb_kernel *k, const struct gb_processes *p, struct gb_frames *frames,
		       struct gb_error *err);
// Append who owns a frame, in words: "pid 57 dropbear heap", "kernel stack of tid 12", "slab";
// guest text in it is as the guest has it. p: the processes it was classified with, names included.
void gb_frame_describe(struct gb_kernel *k, const struct gb_processes *p,
		       const struct gb_frames *frames, size_t index, struct gb_buf *out);
// Of two looks at one guest: how many frames changed their class, their owner or their processes in between. An owner is
// what gb_frame_describe() puts into words: a file, a cache, a thread; what that is called is not compared.
// Each with the processes it was classified with.
uint64_t gb_frames_moved(const struct gb_frames *a, const struct gb_processes *a_processes,
			 const struct gb_frames *b, const struct gb_processes *b_processes);
void gb_frames_deinit(struct gb_frames *frames);
