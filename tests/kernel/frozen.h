// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A frozen guest: its RAM, opened as anybody would, and what its own kernel said (guest/truth/truth.h).
#pragma once

#include "guest/truth/truth.h"
#include "kernel/process.h"
#include "ram/ram.h"

// A section of the truth. Its bytes belong to a private copy, which a test may change to see itself fail.
struct section {
	struct gb_truth_section head;
	uint8_t *bytes;
};

struct frozen {
	struct gb_layout layout;
	struct gb_ram *ram;
	struct gb_kernel *kernel;
	struct gb_arena arena;
	struct gb_processes processes; // with VMAs, names and arguments
	struct section *sections;
	size_t section_count;
	uint8_t *truth; // what the sections point into
	size_t truth_size;
};

// Opens DIR/{ram.img,layout.json,truth.bin} and lists the processes.
int frozen_open(const char *dir, struct frozen *ret, struct gb_error *err);
void frozen_close(struct frozen *f);

// The section of this name, number (pid, tid or 0) and reading, or NULL.
struct section *frozen_section(const struct frozen *f, const char *name, uint32_t number,
			       uint32_t reading);
// The second reading, or NULL when there is none or the first was different: then it was in motion, and is no yardstick.
struct section *frozen_stable(const struct frozen *f, const char *name, uint32_t number);

// What a comparison found. Nothing compared is no success either.
struct tally {
	uint64_t compared, different;
	uint64_t in_motion; // not compared, because the two readings differ
};

// Counts one comparison; prints the first few differences of a tally. Returns same.
bool tally_count(struct tally *t, bool same, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// Bytes as text that a terminal and a TAP reader can take, in a buffer that is good until the fourth call after.
const char *shown(const char *bytes, size_t len);
