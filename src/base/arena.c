// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// An arena: bump allocation in doubling blocks.
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct gb_arena_block {
	struct gb_arena_block *next;
	size_t cap;
	_Alignas(16) unsigned char data[];
};

static int add_block(struct gb_arena *a, size_t need)
{
	size_t cap = a->blocks ? a->blocks->cap * 2 : 4096;
	struct gb_arena_block *b;

	if (cap > (size_t)64 << 20)
		cap = (size_t)64 << 20;
	if (cap < need)
		cap = need;
	b = malloc(sizeof(*b) + cap);
	if (!b)
		return -1;
	b->next = a->blocks;
	b->cap = cap;
	a->blocks = b;
	a->used = 0;
	return 0;
}

void *gb_arena_alloc(struct gb_arena *a, size_t size)
{
	size_t need = (size + 15) & ~(size_t)15;
	void *at;

	if (need < size || need > SIZE_MAX / 4)
		return NULL;
	if (a->limit && (a->total > a->limit || need > a->limit - a->total)) {
		a->refused = true;
		return NULL;
	}
	if ((!a->blocks || a->blocks->cap - a->used < need) && add_block(a, need) != 0)
		return NULL;
	at = a->blocks->data + a->used;
	a->used += need;
	a->total += need;
	return memset(at, 0, need);
}

void *gb_arena_array(struct gb_arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return gb_arena_alloc(a, bytes);
}

char *gb_arena_strndup(struct gb_arena *a, const char *s, size_t len)
{
	char *copy = len < SIZE_MAX ? gb_arena_alloc(a, len + 1) : NULL;

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

// From the newest to the last before end. Returns end.
static struct gb_arena_block *free_blocks(struct gb_arena_block *b, struct gb_arena_block *end)
{
	while (b != end) {
		struct gb_arena_block *next = b->next;

		free(b);
		b = next;
	}
	return end;
}

void gb_arena_deinit(struct gb_arena *a)
{
	size_t limit = a->limit;

	free_blocks(a->blocks, NULL);
	*a = (struct gb_arena){.limit = limit};
}

void gb_arena_reset(struct gb_arena *a)
{
	if (a->blocks)
		a->blocks->next = free_blocks(a->blocks->next, NULL);
	a->used = 0;
	a->total = 0;
}

struct gb_arena_mark gb_arena_mark(const struct gb_arena *a)
{
	return (struct gb_arena_mark){a->blocks, a->used, a->total};
}

void gb_arena_rewind(struct gb_arena *a, struct gb_arena_mark mark)
{
	a->blocks = free_blocks(a->blocks, mark.newest);
	a->used = mark.used;
	a->total = mark.total;
}
