// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// struct page: what the kernel itself says of a frame.
#pragma once

#include "base/addr.h"

#include <stddef.h>

struct gb_btf;
struct gb_error;
struct gb_kernel;

// What struct page alone tells. The same distinctions as /proc/kpageflags.
enum gb_page_kind {
	GB_PAGE_NONE,     // no struct page: firmware, holes
	GB_PAGE_RESERVED, // PG_reserved: the image, boot allocations
	GB_PAGE_BUDDY,    // free, in the buddy allocator
	GB_PAGE_SLAB,
	GB_PAGE_TABLE, // a page table
	GB_PAGE_ANON,
	GB_PAGE_FILE,   // in a page cache
	GB_PAGE_MAPPED, // of a driver or subsystem, and mapped by user processes
	GB_PAGE_OTHER,  // in use by the kernel, with no mark
	GB_PAGE_IDLE,   // without references, and not in the buddy allocator
	GB_PAGE_KIND_COUNT
};

// How this kernel marks its pages; found in BTF when the kernel is opened.
struct gb_page_rules {
	uint32_t size;              // of struct page
	int reserved_bit, slab_bit; // in page.flags; -1: no such flag
	bool typed;         // the top byte of page_type is a number (6.12 on), else inverted bits
	uint32_t type_base; // of the inverted bits
	uint32_t buddy, table, slab, large; // page types; 0: none
	uint32_t at_flags, at_head, at_mapping, at_type, at_refcount, at_private, at_cache;
	uint64_t section_root; // classic SPARSEMEM: VA of the table of section roots; 0: vmemmap
};

struct gb_page {
	enum gb_page_kind kind;
	unsigned order; // of a free block that begins here
	uint64_t key;   // of the owner: slab cache, or address_space of a page cache
};

// GB_EUNKNOWN when struct page is not as decoding needs it.
int gb_page_rules_find(const struct gb_btf *btf, struct gb_kernel *k, struct gb_error *err);
// The VA of a frame's struct page; 0 when there is none.
uint64_t gb_page_address(const struct gb_kernel *k, uint64_t pfn);
// The frame that a struct page at this VA belongs to. False when it is none.
bool gb_page_pfn(const struct gb_kernel *k, uint64_t va, uint64_t *pfn_ret);

// Decode the struct pages of count frames, that are count * size bytes. A page that is the tail of
// another has its head's frame in *head; else head is its own frame.
struct gb_pages {
	uint64_t first_pfn;
	const uint8_t *bytes;
	uint64_t va; // of the first
};
void gb_page_decode(const struct gb_kernel *k, const struct gb_pages *pages, size_t i,
		    struct gb_page *ret, uint64_t *head_ret);
