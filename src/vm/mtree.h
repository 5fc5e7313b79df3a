// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What QEMU's human monitor tells about memory and registers, parsed.
//
// Both are text for people: nothing of it is promised to stay. What is not found is an error that
// says so, never a guess.
#pragma once

#include "ram/layout.h"

// The text of `info mtree -f`, of QEMU 10:
//
//	FlatView #1
//	 AS "memory", root: system
//	 AS "cpu-memory-0", root: system
//	 Root memory region: system
//	  0000000000000000-00000000000bffff (prio 0, ram): mem
//	  00000000000c0000-00000000000c0fff (prio 0, rom): mem @00000000000c0000
//	  0000000100000000-000000017fffffff (prio 0, ram): mem @0000000080000000
//
// The lines of the view that has AS "memory" and that name the region `backend` make the layout.
// The window between 640 KiB and 1 MiB changes while firmware switches its shadows on and off, and
// what is hidden then is still in the file: pieces with one difference between GPA and offset are
// one segment, holes between them included, and each segment reaches to the next one in the file:
// together they are all of it. GB_EFORMAT when the view is missing or contradicts the file.
int gb_mtree_parse(const char *text, const char *backend, uint64_t file_size, struct gb_layout *ret,
		   struct gb_error *err);

struct gb_cpu {
	unsigned index;
	uint64_t rip, cr0, cr3, cr4;
};

// The text of `info registers -a`. GB_EFORMAT when a register is missing, GB_ERANGE when there are
// more than max.
int gb_registers_parse(const char *text, struct gb_cpu *ret, size_t max, size_t *count_ret,
		       struct gb_error *err);

// The port on the host that `info usernet` says is forwarded to a TCP port of the guest, or 0.
unsigned gb_usernet_port(const char *text, unsigned guest_port);
