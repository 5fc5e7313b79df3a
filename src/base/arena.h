// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// An arena: many small allocations, freed in one call. One arena per phase or per answer.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct gb_arena_block;

struct gb_arena {
	struct gb_arena_block *blocks; // newest first
	size_t used;                   // in the newest block
	size_t total;                  // bytes handed out, for budgets
	size_t limit;                  // 0: none; else allocations past it return NULL
	bool refused;                  // one did, since this was last cleared
};

// Zeroed memory, aligned to 16; NULL when host memory or the arena's limit ran out.
void *gb_arena_alloc(struct gb_arena *a, size_t size);
// count * size with overflow checked.
void *gb_arena_array(struct gb_arena *a, size_t count, size_t size);
// A NUL-terminated copy of len bytes.
char *gb_arena_strndup(struct gb_arena *a, const char *s, size_t len);
void gb_arena_deinit(struct gb_arena *a); // zeroes it; usable with GB_CLEANUP
// Forget everything but keep the newest block: for an arena that is filled again and again.
void gb_arena_reset(struct gb_arena *a);

// Where an arena is, to go back to: what was allocated since is freed.
struct gb_arena_mark {
	struct gb_arena_block *newest;
	size_t used, total;
};
struct gb_arena_mark gb_arena_mark(const struct gb_arena *a);
void gb_arena_rewind(struct gb_arena *a, struct gb_arena_mark mark);

#define gb_arena_new(a, type) ((type *)gb_arena_alloc((a), sizeof(type)))
