// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A read-only map of a file that may shrink while it is read.
#include "ram/map.h"

#include "base/addr.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

static struct gb_map_slot slots[GB_MAPS_MAX];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER; // for taking, never in the handler
static pthread_once_t installed = PTHREAD_ONCE_INIT;
static struct sigaction before_us;

// The slot whose map holds an address. A slot may be closed and taken again meanwhile; as base is
// read on both sides of size and no two live maps overlap, a wrong pair cannot hold the address of
// a fault in a third map.
static struct gb_map_slot *slot_of(uintptr_t address, size_t *left_ret)
{
	for (size_t i = 0; i < GB_MAPS_MAX; i++) {
		uintptr_t base = atomic_load(&slots[i].base);
		size_t size = atomic_load(&slots[i].size);

		if (base && address - base < size && atomic_load(&slots[i].base) == base) {
			*left_ret = size - (address - base);
			return &slots[i];
		}
	}
	return NULL;
}

static bool cover_with_zeros(void *fault)
{
	uintptr_t page = (uintptr_t)fault & ~(uintptr_t)(GB_PAGE_SIZE - 1);
	size_t left;
	struct gb_map_slot *slot = slot_of(page, &left);

	if (!slot)
		return false;
	atomic_store(&slot->broken, true); // before anyone can read a zero that is not in the file
	return mmap((void *)page, left, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0) != MAP_FAILED;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (info->si_code <= 0 || !cover_with_zeros(info->si_addr)) {
		sigaction(number, &before_us, NULL); // the instruction faults again, now for them
		if (info->si_code <= 0)
			raise(number);
	}
	errno = saved;
}

static void install(void)
{
	struct sigaction action = {.sa_sigaction = on_bus_error,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, &before_us);
}

static struct gb_map_slot *take_slot(void *base, size_t size)
{
	struct gb_map_slot *slot = NULL;

	pthread_mutex_lock(&slots_lock);
	for (size_t i = 0; i < GB_MAPS_MAX && !slot; i++) {
		if (atomic_load(&slots[i].base))
			continue;
		slot = &slots[i];
		atomic_store(&slot->broken, false);
		atomic_store(&slot->size, size);
		atomic_store(&slot->base, (uintptr_t)base);
	}
	pthread_mutex_unlock(&slots_lock);
	return slot;
}

void gb_map_open(int fd, size_t size, struct gb_map *ret)
{
	size_t with_guard = size + GB_PAGE_SIZE;
	void *base = mmap(NULL, with_guard, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);

	*ret = (struct gb_map){};
	if (base == MAP_FAILED)
		return;
	pthread_once(&installed, install);
	ret->slot = take_slot(base, with_guard);
	if (!ret->slot) {
		munmap(base, with_guard);
		return;
	}
	ret->base = base;
	ret->size = with_guard;
}

#define HUGE_PAGE ((size_t)2 << 20)

static struct gb_map_slot never_broken; // of all private maps; the handler does not know it

void gb_map_private(size_t size, struct gb_map *ret)
{
	// room to begin at a huge page: filling 64 MiB by small pages takes as long as copying them
	size_t room = size + HUGE_PAGE;
	char *base = mmap(NULL, room, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t lead;

	*ret = (struct gb_map){};
	if (base == MAP_FAILED)
		return;
	lead = -(uintptr_t)base % HUGE_PAGE;
	if (lead)
		munmap(base, lead);
	if (lead < HUGE_PAGE)
		munmap(base + lead + size, HUGE_PAGE - lead);
	*ret = (struct gb_map){(uint8_t *)base + lead, size, &never_broken};
}

void gb_map_close(struct gb_map *map)
{
	if (!map->base)
		return;
	if (map->slot != &never_broken)
		atomic_store(&map->slot->base, 0);
	munmap((void *)(uintptr_t)map->base, map->size);
	*map = (struct gb_map){};
}
