// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The owner of every frame.
//
// Class from struct page, page tables and the kernel's own map; owner from processes' VMAs. Arrays
// are indexed by packed frame index (see gb_layout_index_of).
#pragma once

#include "kernel/process.h"

struct gb_frames {
	size_t count;
	uint8_t *classes; // enum gb_frame_class
	int32_t *pids;	  // process of a frame (first by pid of those that map it); 0: none
	uint32_t *mappers; // how many processes map it
	uint64_t by_class[GB_FRAME_CLASS_COUNT];
};

// Make or refresh: arrays are reused when they fit. p must hold VMAs.
int gb_frames_classify(struct gb_kernel *k, const struct gb_processes *p, struct gb_frames *frames,
		       struct gb_error *err);
void gb_frames_deinit(struct gb_frames *frames);
