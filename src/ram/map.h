// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A read-only map of a file that may shrink while it is read. Internal to src/ram.
//
// Touching a mapped page that lies behind the end of its file raises SIGBUS. The first map installs
// one process-wide handler. When the fault lies in one of our maps, the handler puts zero pages
// over the rest of that map, marks it broken, and lets the faulting instruction go on: whoever was
// reading (a memcpy, a visitor) runs to its end, sees gb_map_broken() and discards what it got.
// Nobody is torn out of his code by a longjmp, so no lock stays held and nothing leaks. Any other
// SIGBUS is given back to the handler that was there before.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GB_MAPS_MAX 64 // at a time, in one process

struct gb_map_slot {
	_Atomic(uintptr_t) base; // 0: free
	_Atomic(size_t) size;
	atomic_bool broken;
};

struct gb_map {
	const uint8_t *base; // NULL: there is no map, read the file instead
	size_t size;         // with one page behind the file's end, which nobody touches
	struct gb_map_slot *slot;
};

// Map size bytes of fd plus one page. Without a free slot or without address space ret->base is
// NULL: the caller then reads the file, which is slower and as right.
void gb_map_open(int fd, size_t size, struct gb_map *ret);
void gb_map_close(struct gb_map *map);
// Private memory in the place of a file, writable, zeros that take no memory until written. Never
// breaks. ret->base is NULL when there is no memory.
void gb_map_private(size_t size, struct gb_map *ret);

// True when there is no map, or a read of it has failed. To be asked after the bytes were taken.
static inline bool gb_map_broken(const struct gb_map *map)
{
	atomic_thread_fence(memory_order_acquire);
	return !map->base || atomic_load_explicit(&map->slot->broken, memory_order_relaxed);
}
