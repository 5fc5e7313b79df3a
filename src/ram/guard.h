// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Reads of a running guest that were verified to be unchanged.
//
// The guest writes while we read, and nothing may stop it. So bytes are taken, compared with what
// is there afterwards, and taken again a bounded number of times; what still changes is torn, which
// is an answer, not an error. Nobody waits for anybody.
//
// What "not torn" promises: every byte had the value that was read at one common instant, the one
// between taking the last byte and comparing the first (unless a value changed and changed back).
// It does not promise that the guest had finished what it was doing: a virtual CPU that is stopped
// in the middle of an update leaves half of it in RAM for as long as it is stopped.
//
//	static int walk_list(struct gb_guard *g, void *arg, struct gb_error *err)
//	{
//		... gb_guard_read(g, ...), gb_guard_space_read(g, ...), following what was read
//	}
//	r = gb_guard_run(ram, walk_list, &list, &torn, &err);
#pragma once

#include "base/buf.h"
#include "ram/walk.h"

#define GB_STABLE_TRIES 8

// Read one range. *torn_ret: it changed at every try; ret then holds the last one.
int gb_ram_read_stable(struct gb_ram *ram, gb_gpa gpa, void *ret, size_t len, bool *torn_ret,
		       struct gb_error *err);

// Several reads that must belong together. A guard keeps a copy of everything read through it.
struct gb_guard {
	struct gb_ram *ram;
	struct gb_buf seen; // records: header, bytes, padding; a run of them may be copied
	size_t limit;       // of bytes in seen; 0: none
	bool full;          // it was reached: what came behind cannot be checked, so nothing is
};
static inline struct gb_guard gb_guard_init(struct gb_ram *ram)
{
	return (struct gb_guard){.ram = ram};
}
void gb_guard_deinit(struct gb_guard *g); // usable with GB_CLEANUP
void gb_guard_reset(struct gb_guard *g);  // forget what was read, keep the memory

// As gb_ram_read and gb_space_read, and remember: the table entries of the walk too.
int gb_guard_read(struct gb_guard *g, gb_gpa gpa, void *ret, size_t len, struct gb_error *err);
int gb_guard_space_read(struct gb_guard *g, struct gb_space space, gb_gva gva, void *ret,
			size_t len, struct gb_error *err);
int gb_guard_space_read_u64(struct gb_guard *g, struct gb_space space, gb_gva gva, uint64_t *ret,
			    struct gb_error *err);
// Remember bytes that were read there some other way.
int gb_guard_note(struct gb_guard *g, gb_gpa gpa, const void *bytes, size_t len,
		  struct gb_error *err);
// Remember records once more that were copied out of seen.
int gb_guard_append(struct gb_guard *g, const char *records, size_t len, struct gb_error *err);
// Is all that was read since the last reset still so? Never of a full guard. GB_EGONE, GB_ENOMEM.
int gb_guard_check(struct gb_guard *g, bool *unchanged_ret, struct gb_error *err);

// Run fn until what it read is unchanged afterwards, at most GB_STABLE_TRIES times. What fn returns
// on the last run is returned; an error that it met on the way (a pointer into nowhere) counts only
// when the bytes that led to it were stable. fn must start afresh at each call.
typedef int gb_guard_fn(struct gb_guard *g, void *arg, struct gb_error *err);
int gb_guard_run(struct gb_ram *ram, gb_guard_fn *fn, void *arg, bool *torn_ret,
		 struct gb_error *err);
