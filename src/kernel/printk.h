// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The kernel's log.
#pragma once

#include "base/buf.h"
#include "kernel/kernel.h"

struct gb_printk_record {
	uint64_t seq, time_ns; // since boot
	uint32_t caller;       // of a task its tid; else GB_PRINTK_CPU | the CPU
	uint8_t facility, level;
	const char *text; // ends with a NUL, which is not counted; may hold newlines and more NULs
	size_t len;
};
#define GB_PRINTK_CPU ((uint32_t)1 << 31)

struct gb_printk {
	struct gb_printk_record *list; // the oldest first
	size_t count;
	size_t damaged; // records that are not what their descriptor says, or more text than is read (32 MiB)
};

// Every record is one that the guest had finished and not begun to overwrite when it was read.
// GB_EUNKNOWN: a kernel before 5.10, or one without the symbol prb. GB_ENOMEM.
int gb_printk_read(const struct gb_kernel *k, struct gb_arena *arena, struct gb_printk *ret,
		   struct gb_error *err);
// Its lines as syslog(2) gives them, each with the time; priority: and "<N>" before it.
void gb_printk_print(const struct gb_printk_record *r, bool priority, struct gb_buf *out);
