// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// kallsyms: the kernel's own symbol table, decoded from its compressed form.
//
// Works on a copy of guest memory around the token table, so that nothing changes under it.
#pragma once

#include "base/addr.h"
#include "base/error.h"

#include <stddef.h>

struct gb_kallsyms {
	size_t count;
	uint64_t *addresses; // ascending
	uint32_t *names;     // in pool: the type letter, then the name, NUL
	char *pool;
	bool physical;  // addresses are guest-physical: the format holds no virtual one (7.0 and
			// later)
	uint32_t *hash; // open addressing: 1 + index; 0 is empty
	uint32_t hash_mask;
};

// A window of guest memory: bytes holds size bytes from start on.
struct gb_window {
	const uint8_t *bytes;
	size_t size;
	gb_gpa start;
};

// Do the digits belong to a token table with its index? Both lie in GB_KALLSYMS_PROBE bytes around
// them.
#define GB_KALLSYMS_PROBE ((uint64_t)66 << 10)
bool gb_kallsyms_probe(const struct gb_window *w, size_t digits);
// Decode from a place in the window where the digits of the token table stand. GB_EFORMAT says what
// does not fit. Freed by gb_kallsyms_destroy().
int gb_kallsyms_decode(const struct gb_window *w, size_t digits, struct gb_kallsyms **ret,
		       struct gb_error *err);
void gb_kallsyms_destroy(struct gb_kallsyms *s); // accepts NULL
// Add a delta to all addresses (modulo 2^64) once virtual and physical are known.
void gb_kallsyms_rebase(struct gb_kallsyms *s, uint64_t delta);

// The same symbols in the same order.
bool gb_kallsyms_same(const struct gb_kallsyms *a, const struct gb_kallsyms *b);

static inline const char *gb_kallsyms_name(const struct gb_kallsyms *s, size_t i)
{
	return s->pool + s->names[i] + 1;
}

static inline char gb_kallsyms_type(const struct gb_kallsyms *s, size_t i)
{
	return s->pool[s->names[i]];
}

// The first symbol of that name after index after (SIZE_MAX: the first of all), or SIZE_MAX.
size_t gb_kallsyms_find(const struct gb_kallsyms *s, const char *name, size_t after);
// The last symbol at or below an address, or SIZE_MAX.
size_t gb_kallsyms_nearest(const struct gb_kallsyms *s, uint64_t address);
