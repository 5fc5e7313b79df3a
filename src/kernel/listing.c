// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Reads of the kernel's memory that a listing remembers.
//
// What lies in a linear mapping is remembered by where it is in RAM; elsewhere the entries of the
// page tables that led there count, too.
#include "kernel/listing.h"

#include <stdlib.h>

void gb_listing_begin(struct gb_listing *l, uint64_t bytes)
{
	l->guard.ram = l->k->ram;
	l->guard.limit = bytes > 0 ? bytes : 1; // 0 would be no limit
	gb_guard_reset(&l->guard);
	l->broken = false;
	l->attempt++;
}

int gb_listing_read(struct gb_listing *l, uint64_t va, void *ret, size_t len)
{
	gb_gpa gpa;

	if (!gb_kernel_is_linear(l->k, va, len))
		return gb_guard_space_read(&l->guard, l->k->info.space, (gb_gva){va}, ret, len,
					   NULL);
	gb_kernel_locate(l->k, va, &gpa);
	return gb_guard_read(&l->guard, gpa, ret, len, NULL);
}

// In one copy, of which the runs are remembered.
static int read_linear(struct gb_listing *l, uint64_t va, struct gb_object *ret)
{
	const struct gb_offsets *o = &l->k->offsets;
	int32_t from = o->structs[ret->type].from, to = o->structs[ret->type].to;
	uint32_t first = o->structs[ret->type].run;
	gb_gpa gpa;
	int r;

	gb_kernel_locate(l->k, va, &gpa);
	r = gb_ram_read(l->k->ram, gpa, ret->bytes, (size_t)(to - from), NULL);
	for (uint32_t i = first; i < first + o->structs[ret->type].runs && r == 0; i++)
		r = gb_guard_note(&l->guard, (gb_gpa){gpa.v + (uint32_t)(o->runs[i].from - from)},
				  ret->bytes + (o->runs[i].from - from),
				  (size_t)(o->runs[i].to - o->runs[i].from), NULL);
	return r;
}

int gb_listing_object(struct gb_listing *l, enum gb_struct_id type, uint64_t va,
		      struct gb_object *ret)
{
	int32_t from = l->k->offsets.structs[type].from, to = l->k->offsets.structs[type].to;

	if (from < 0)
		return GB_ENOTFOUND;
	ret->type = type;
	ret->offsets = &l->k->offsets;
	va += (uint32_t)from;
	if (gb_kernel_is_linear(l->k, va, (size_t)(to - from)))
		return read_linear(l, va, ret);
	return gb_listing_read(l, va, ret->bytes, (size_t)(to - from));
}

// The first look finds where the text ends, the second takes and remembers so much of it.
int gb_listing_text(struct gb_listing *l, uint64_t va, char *ret, size_t size)
{
	int r = gb_kernel_read_string(l->k, (gb_gva){va}, ret, size, NULL);
	size_t len;

	if (r != 0)
		return r;
	len = strlen(ret);
	r = gb_listing_read(l, va, ret, len < size - 1 ? len + 1 : len);
	l->broken |= r != 0 || ret[len] != 0;
	ret[len] = 0;
	return r;
}

const char *gb_listing_string(struct gb_listing *l, uint64_t va, size_t max)
{
	char text[256];
	const char *copy;

	if (gb_listing_text(l, va, text, max < sizeof(text) ? max : sizeof(text)) != 0)
		return "";
	copy = gb_arena_strndup(l->arena, text, strcspn(text, "\n"));
	l->broken |= !copy;
	return copy ? copy : "";
}

static int push(struct gb_chain *list, uint64_t object, struct gb_error *err)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 256;
		uint64_t *more = realloc(list->objects, cap * sizeof(*more));

		if (!more)
			return gb_fail(err, GB_ENOMEM,
				       "no memory for what is on a list of the guest");
		list->objects = more;
		list->cap = cap;
	}
	list->objects[list->count++] = object;
	return 0;
}

// Brent: a cycle without the head is met again.
int gb_listing_chain(struct gb_listing *l, uint64_t head, uint64_t offset, uint64_t budget,
		     struct gb_chain *list, struct gb_error *err)
{
	uint64_t at, next, hare = head, power = 1, lambda = 0;
	int r = gb_listing_read(l, head, &next, 8);

	list->count = 0;
	list->whole = false;
	for (; r == 0 && next != head && budget > 0; budget--) {
		int failed = push(list, next - offset, err);

		if (failed)
			return failed;
		if (next == hare)
			break;
		if (++lambda == power) {
			hare = next;
			power *= 2;
			lambda = 0;
		}
		at = next;
		r = gb_listing_read(l, at, &next, 8);
	}
	list->whole = r == 0 && next == head;
	return r == GB_EGONE ? gb_fail(err, r, "the guest's RAM went away") : 0;
}
