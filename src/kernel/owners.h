// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Who frames belong to, while they are classified: a table of owners, and the frames that point
// into it.
#pragma once

#include "kernel/frames.h"
#include "kernel/internal.h"

enum gb_owner_kind {
	GB_OWNER_NONE,
	GB_OWNER_IMAGE,   // of the kernel
	GB_OWNER_VMA,     // index: of the process in the list; at: of the VMA in it
	GB_OWNER_ANON,    // anonymous memory that no process maps any more
	GB_OWNER_STACK,   // pid: of the thread
	GB_OWNER_TABLE,   // pid: of the process; 0: the kernel's
	GB_OWNER_SLAB,    // at: VA of the cache; 0: a large kmalloc
	GB_OWNER_FILE,    // at: VA of the address_space
	GB_OWNER_VMALLOC, // at: who called vmalloc
	GB_OWNER_MODULE,  // at: VA of struct module
	GB_OWNER_PERCPU,  // index: of the CPU
	GB_OWNER_VMEMMAP,
	GB_OWNER_PCP, // free, on a list of a CPU
	GB_OWNER_BUDDY,
	GB_OWNER_BOOT, // reserved at boot
	GB_OWNER_FIRMWARE,
};

struct gb_owner {
	enum gb_owner_kind kind;
	int32_t pid;
	uint32_t index;
	uint64_t at;
};

struct gb_owners {
	struct gb_owner *list; // [0] is nobody
	uint32_t count, cap;
	uint32_t *counted; // for each frame: the stamp of the process that counted it last
	uint32_t stamp;
	uint32_t *hash; // owners found by address: slab caches, files
	uint32_t hash_mask, hashed;
	uint64_t seed; // secret, so that a guest cannot choose what collides
};

struct gb_classify {
	const struct gb_kernel *k;
	const struct gb_layout *layout;
	const struct gb_processes *p;
	struct gb_frames *f;
	// what the page tables and the free lists of a hostile guest may cost
	uint64_t touches_left, tables_left, free_left;
	struct gb_error *err;
};

// A new owner; 0 when host memory ran out (err is filled).
uint32_t gb_owner_add(struct gb_classify *c, struct gb_owner owner);
// The owner of this kind with this address, added when it is new.
uint32_t gb_owner_of_address(struct gb_classify *c, enum gb_owner_kind kind, uint64_t at);

static inline void gb_frame_set(struct gb_classify *c, uint64_t index, enum gb_frame_class class,
				uint32_t owner)
{
	c->f->classes[index] = (uint8_t) class;
	c->f->owner_of[index] = owner;
}

// Call fn for each frame of a leaf that is RAM. GB_ERANGE when the budget is spent.
typedef int gb_frame_fn(void *arg, uint64_t index, uint64_t va);
int gb_leaf_frames(struct gb_classify *c, const struct gb_leaf *leaf, gb_frame_fn *fn, void *arg);

// True for frames that struct page tells nothing of, so that maps may.
static inline bool gb_frame_is_open(const struct gb_classify *c, uint64_t index)
{
	return c->f->kinds[index] == GB_PAGE_OTHER || c->f->kinds[index] == GB_PAGE_RESERVED ||
	       c->f->kinds[index] == GB_PAGE_IDLE || c->f->kinds[index] == GB_PAGE_MAPPED;
}

// A walk that ended early: what was found stands, and the answer says that it is not all.
static inline int gb_classify_cut(struct gb_classify *c, int r)
{
	if (r != GB_EFAULT && r != GB_ERANGE)
		return r;
	c->f->cut |= r == GB_ERANGE;
	return 0;
}

int gb_classify_kernel(struct gb_classify *c);
int gb_classify_users(struct gb_classify *c);
