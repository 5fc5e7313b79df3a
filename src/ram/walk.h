// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// x86-64 page walks in guest RAM: 4 and 5 levels, 4 KiB, 2 MiB and 1 GiB pages.
//
// Intel SDM vol. 3A, 4.5 "4-Level Paging and 5-Level Paging". With page-table isolation the
// kernel's table (user half complete) is the even page of the pair; user mode runs on root + 4096.
#pragma once

#include "ram/ram.h"

struct gb_space {
	gb_gpa root;     // physical address of the top table: CR3 without its flag bits
	unsigned levels; // 4 or 5
};

enum gb_pte_bits {
	GB_PTE_PRESENT = 1 << 0,
	GB_PTE_WRITE = 1 << 1,
	GB_PTE_USER = 1 << 2,
	GB_PTE_ACCESSED = 1 << 5,
	GB_PTE_DIRTY = 1 << 6,
	GB_PTE_LARGE = 1 << 7,
};
#define GB_PTE_NX ((uint64_t)1 << 63)
#define GB_PTE_ADDRESS 0x000ffffffffff000ull

struct gb_walk {
	gb_gpa gpa;         // of the byte asked for
	uint64_t page_size; // 4 KiB, 2 MiB, 1 GiB
	uint64_t entry;     // the leaf entry
	uint64_t rights;    // WRITE and USER of all levels and-ed, NX or-ed, the rest from the leaf
	unsigned depth;     // tables visited
	gb_gpa tables[5];   // address of the entry used at each level, top first
	uint64_t entries[5]; // and what stood there
};

// GB_EFAULT when not canonical, not mapped, through a reserved bit or through a table outside of
// RAM; ret->depth, tables and entries are then still filled. GB_ERANGE when levels is not 4 or 5.
int gb_walk(struct gb_ram *ram, struct gb_space space, gb_gva gva, struct gb_walk *ret,
	    struct gb_error *err);
// Copy len bytes at a GVA, page by page. GB_EFAULT at the first page that is not mapped, and for a
// range that wraps around.
int gb_space_read(struct gb_ram *ram, struct gb_space space, gb_gva gva, void *ret, size_t len,
		  struct gb_error *err);
int gb_space_read_u64(struct gb_ram *ram, struct gb_space space, gb_gva gva, uint64_t *ret,
		      struct gb_error *err);
// The same for whoever must know what the bytes came from: seen (may be NULL) is called for each
// page with the walk to it and the len bytes read there, and with bytes NULL for a walk that found
// no page. A value other than 0 ends the read and is returned.
typedef int gb_space_seen(void *arg, const struct gb_walk *walk, const void *bytes, size_t len,
			  struct gb_error *err);
int gb_space_read_seen(struct gb_ram *ram, struct gb_space space, gb_gva gva, void *ret, size_t len,
		       gb_space_seen *seen, void *arg, struct gb_error *err);

// Visit every present leaf of [first, last] in ascending order: large pages as one leaf each.
// Tables that lead back to a table above them end that branch; budget counts the tables read and
// stops the visit with GB_ERANGE. table (may be NULL) is called for each table page before its
// entries.
struct gb_leaf {
	gb_gva gva;
	gb_gpa gpa;
	uint64_t size;
	uint64_t rights; // as in struct gb_walk
};
struct gb_leaves {
	gb_gva first, last; // both inclusive
	size_t budget;      // table pages that may be read
	int (*leaf)(void *arg, const struct gb_leaf *leaf);
	int (*table)(void *arg, gb_gpa table, unsigned level); // level 1 holds 4 KiB leaves
	// What the processor calls not present may be so to the operating system. Given such an entry
	// (never 0), return the one that it stands for, or 0. May be NULL.
	uint64_t (*absent)(void *arg, uint64_t entry, unsigned level);
	void *arg;
};
int gb_space_leaves(struct gb_ram *ram, struct gb_space space, const struct gb_leaves *how,
		    struct gb_error *err);
