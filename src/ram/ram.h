// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Guest RAM, read from outside: the one place that touches it.
//
// The RAM file (memory-backend-file or memfd with share=on, or a raw image) is mapped read-only.
// Every read is checked against the layout and copied out; a read of 8 bytes costs a few ns. What
// gb_ram_visit() and gb_ram_frame() lend is valid only inside the callback and may change while it
// is looked at: a running guest writes to it. Holes of a sparse file read as zeros and are never
// touched through the map (on tmpfs a touched hole allocates host memory). A file that shrinks
// under us is GB_EGONE, not SIGBUS: also inside a callback, which then sees zeros until it returns.
// A file that is removed stays readable as long as it is open here.
//
// All functions are thread-safe, except that closing waits for nobody. A snapshot (snapshot.h) is a
// struct gb_ram too. Further inputs (ELF vmcore, LiME) are further ways to open one: a layout with
// the file offsets of their segments is all that the readers need.
#pragma once

#include "ram/layout.h"

struct gb_ram;

// Open by path or by descriptor (which is duplicated). layout NULL: one segment, GPA == offset.
// GB_ENOTFOUND, GB_EFORMAT (no regular file, not a multiple of a page, smaller than the layout),
// GB_ELACKS (no permission), GB_EOS.
int gb_ram_open(const char *path, const struct gb_layout *layout, struct gb_ram **ret,
		struct gb_error *err);
int gb_ram_open_fd(int fd, const struct gb_layout *layout, struct gb_ram **ret,
		   struct gb_error *err);
void gb_ram_close(struct gb_ram *ram);    // accepts NULL
void gb_ram_cleanup(struct gb_ram **ram); // for GB_CLEANUP

const struct gb_layout *gb_ram_layout(const struct gb_ram *ram);
uint64_t gb_ram_frames(const struct gb_ram *ram); // packed frame indices are 0..n-1

// Copy len bytes at a GPA; the range may cross segments that touch. GB_EFAULT outside of RAM,
// GB_EGONE when the file shrank. ret may be half written on failure.
int gb_ram_read(struct gb_ram *ram, gb_gpa gpa, void *ret, size_t len, struct gb_error *err);
// Are these the bytes that lie there now? Errors as of gb_ram_read.
int gb_ram_equals(struct gb_ram *ram, gb_gpa gpa, const void *bytes, size_t len, bool *equal_ret,
		  struct gb_error *err);
// As gb_ram_read for one little-endian number; read in one piece when gpa is a multiple of 8.
int gb_ram_read_u64(struct gb_ram *ram, gb_gpa gpa, uint64_t *ret, struct gb_error *err);

// A callback that returns non-zero stops the visit, and its value is returned.
typedef int gb_ram_visitor(void *arg, gb_gpa gpa, const uint8_t *bytes, size_t len);
// Look at all data extents in [gpa, gpa + len), in GPA order, in spans that are contiguous in
// guest-physical space, as long as they come (whole pages but for what the range cuts off), without
// a copy; holes are skipped.
int gb_ram_visit(struct gb_ram *ram, gb_gpa gpa, uint64_t len, gb_ram_visitor *visit, void *arg,
		 struct gb_error *err);
// Look at one frame, all zeros for a hole. GB_EFAULT outside of RAM.
int gb_ram_frame(struct gb_ram *ram, gb_pfn pfn, gb_ram_visitor *visit, void *arg,
		 struct gb_error *err);
