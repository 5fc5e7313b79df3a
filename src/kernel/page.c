// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// struct page: 64 bytes for every frame, in which nearly every word has several meanings.
//
// Where they lie: with SPARSEMEM_VMEMMAP as one array at vmemmap_base; without it, mem_section says
// for each 128 MiB where its array is (section_mem_map, whose low bits are flags).
//
// What they say: page.flags has bits PG_reserved, PG_lru and others, whose numbers change with
// nearly every version and are in the enum pageflags. PG_slab was among them until 6.10. page_type
// shares its place with _mapcount, which is -1 for a page that nobody maps; kinds of pages that
// cannot be mapped are told by it:
//
//	to 6.9		bits are cleared from 0xf0000000 | ...: 0x80 buddy, 0x200 table
//			(macros, not in BTF)
//	6.10, 6.11	the same with enum pagetype { PG_buddy, ... }; from 6.11 on with base
//			0x80000000 and PG_slab
//	6.12 on		the top byte is an enum pagetype: PGTY_buddy (0xf0), PGTY_table, ...
//
// page.mapping has bit 0 set for anonymous memory, else it is the address_space of a page cache. A
// page behind the first of a compound page has bit 0 of compound_head set and a pointer to the
// first in the rest; since 7.1 the word is named compound_info and may hold a mask instead, with
// which the page's own address gives that of the first.
#include "kernel/page.h"

#include "kernel/internal.h"

#define SECTION_SHIFT 15 // frames of a section: SECTION_SIZE_BITS is 27 on x86-64

static int flag_bit(const struct gb_btf *btf, const char *name)
{
	int64_t v;

	return gb_btf_enum_value(btf, "pageflags", name, &v) == 0 && v >= 0 && v < 64 ? (int)v : -1;
}

static uint32_t type_value(const struct gb_btf *btf, const char *name)
{
	int64_t v;

	return gb_btf_enum_value(btf, "pagetype", name, &v) == 0 ? (uint32_t)v : 0;
}

static void find_types(const struct gb_btf *btf, struct gb_page_rules *r)
{
	r->typed = type_value(btf, "PGTY_buddy") != 0;
	if (r->typed) {
		r->buddy = type_value(btf, "PGTY_buddy");
		r->table = type_value(btf, "PGTY_table");
		r->slab = type_value(btf, "PGTY_slab");
		r->large = type_value(btf, "PGTY_large_kmalloc");
		return;
	}
	r->buddy = type_value(btf, "PG_buddy");
	r->table = type_value(btf, "PG_table");
	r->slab = type_value(btf, "PG_slab");
	r->type_base = r->buddy >= 0x1000000 ? 0x80000000 : 0xf0000000;
	if (!r->buddy) {
		r->buddy = 0x80;
		r->table = 0x200;
	}
}

static uint32_t place(const struct gb_kernel *k, enum gb_member_id m)
{
	return (uint32_t)k->offsets.members[m].at;
}

// Does the array at vmemmap_base cover the frame that the kernel itself lies in?
static bool has_vmemmap(const struct gb_kernel *k)
{
	uint64_t word;

	return gb_read_va(k,
			  k->info.vmemmap.v + (k->info.phys_base.v >> GB_PAGE_SHIFT) * k->page.size,
			  &word, 8) == 0;
}

// Every word that decoding reads must lie in the page.
static bool rules_fit(const struct gb_page_rules *r)
{
	const uint32_t words[] = {r->at_flags,    r->at_head,    r->at_mapping, r->at_type,
				  r->at_refcount, r->at_private, r->at_cache};

	if (r->size < 32 || r->size > 256 || r->size % 8)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i] > r->size - 4 || (words[i] > r->size - 8 && i != 3 && i != 4))
			return false;
	return true;
}

int gb_page_rules_find(const struct gb_btf *btf, struct gb_kernel *k, struct gb_error *err)
{
	struct gb_page_rules *r = &k->page;

	find_types(btf, r);
	r->reserved_bit = flag_bit(btf, "PG_reserved");
	r->slab_bit = flag_bit(btf, "PG_slab");
	r->size = k->offsets.structs[GB_S_PAGE].size;
	r->at_flags = place(k, GB_M_PAGE_FLAGS);
	r->at_head = place(k, GB_M_PAGE_HEAD);
	r->at_mapping = place(k, GB_M_PAGE_MAPPING);
	r->at_type = place(k, GB_M_PAGE_TYPE);
	r->at_refcount = place(k, GB_M_PAGE_REFCOUNT);
	r->at_private = place(k, GB_M_PAGE_PRIVATE);
	r->at_cache = gb_has(k, GB_M_SLAB_CACHE) ? place(k, GB_M_SLAB_CACHE)
						 : place(k, GB_M_PAGE_SLAB_CACHE);
	if (!gb_has(k, GB_M_SLAB_CACHE) && !gb_has(k, GB_M_PAGE_SLAB_CACHE))
		r->at_cache = 0;
	if (!rules_fit(r))
		return gb_fail(err, GB_EUNKNOWN,
			       "the kernel's struct page has a shape that is not known");
	if (!has_vmemmap(k))
		r->section_root = k->symbol[GB_Y_MEM_SECTION];
	return 0;
}

// mem_section: a pointer to an array of pointers to pages full of struct mem_section
// (SPARSEMEM_EXTREME).
static uint64_t section_map(const struct gb_kernel *k, uint64_t pfn)
{
	uint32_t size = k->offsets.structs[GB_S_SECTION].size;
	uint64_t section = pfn >> SECTION_SHIFT, each = size ? GB_PAGE_SIZE / size : 0, roots, root;

	if (!each || !gb_has(k, GB_M_SECTION_MAP))
		return 0;
	roots = gb_read_u64_or_0(k, k->page.section_root);
	root = roots ? gb_read_u64_or_0(k, roots + 8 * (section / each)) : 0;
	if (!root)
		return 0;
	return gb_read_u64_or_0(k, root + section % each * size + gb_offset(k, GB_M_SECTION_MAP));
}

uint64_t gb_page_address(const struct gb_kernel *k, uint64_t pfn)
{
	uint64_t map;

	if (!k->page.section_root)
		return k->info.vmemmap.v + pfn * k->page.size;
	map = section_map(k, pfn);
	// bit 0: present, bit 1: has a map; the array is stored as if it began with frame 0
	return (map & 3) == 3 ? (map & ~(uint64_t)0x3f) + pfn * k->page.size : 0;
}

bool gb_page_pfn(const struct gb_kernel *k, uint64_t va, uint64_t *pfn_ret)
{
	uint64_t offset = va - k->info.vmemmap.v;

	if (k->page.section_root) {
		uint64_t end = gb_layout_end(gb_ram_layout(k->ram)).v >> GB_PAGE_SHIFT;

		for (uint64_t pfn = 0; pfn < end; pfn += 1 << SECTION_SHIFT) {
			uint64_t first = gb_page_address(k, pfn);

			offset = va - first;
			if (first && offset < (uint64_t)k->page.size << SECTION_SHIFT &&
			    offset % k->page.size == 0) {
				*pfn_ret = pfn + offset / k->page.size;
				return true;
			}
		}
		return false;
	}
	if (va < k->info.vmemmap.v || offset % k->page.size ||
	    offset / k->page.size > (uint64_t)1 << 40)
		return false;
	*pfn_ret = offset / k->page.size;
	return true;
}

static inline uint64_t word(const uint8_t *page, uint32_t at)
{
	uint64_t v;

	memcpy(&v, page + at, 8);
	return v;
}

static inline uint32_t half(const uint8_t *page, uint32_t at)
{
	uint32_t v;

	memcpy(&v, page + at, 4);
	return v;
}

static inline bool has_type(const struct gb_page_rules *r, uint32_t type, uint32_t which)
{
	if (!which)
		return false;
	if (r->typed)
		return type >> 24 == which;
	return (type & (r->type_base | which)) == r->type_base;
}

static inline bool has_flag(uint64_t flags, int bit)
{
	return bit >= 0 && flags >> bit & 1;
}

static bool is_pointer(const struct gb_kernel *k, uint64_t va)
{
	return (va >= k->info.page_offset.v && va < k->direct_end) ||
	       (va >= k->image_start && va < k->image_end);
}

// The kind of a page that is in use and has no type.
static enum gb_page_kind used_kind(const struct gb_kernel *k, const uint8_t *page, uint32_t type,
				   uint64_t *key_ret)
{
	uint64_t mapping = word(page, k->page.at_mapping);

	if (mapping & 1 && is_pointer(k, mapping & ~(uint64_t)3))
		return GB_PAGE_ANON;
	if (mapping && !(mapping & 7) && is_pointer(k, mapping)) {
		*key_ret = mapping;
		return GB_PAGE_FILE;
	}
	return (int32_t)type >= 0 ? GB_PAGE_MAPPED : GB_PAGE_OTHER;
}

static void decode_head(const struct gb_kernel *k, const uint8_t *page, struct gb_page *ret)
{
	const struct gb_page_rules *r = &k->page;
	uint64_t flags = word(page, r->at_flags);
	uint32_t type = half(page, r->at_type), references = half(page, r->at_refcount);

	*ret = (struct gb_page){.kind = GB_PAGE_OTHER};
	if (!flags && !type && !references) {
		ret->kind = GB_PAGE_NONE; // never initialised
	} else if (has_flag(flags, r->reserved_bit)) {
		ret->kind = GB_PAGE_RESERVED;
	} else if (has_flag(flags, r->slab_bit) || has_type(r, type, r->slab)) {
		ret->kind = GB_PAGE_SLAB;
		ret->key = word(page, r->at_cache);
	} else if (has_type(r, type, r->buddy)) {
		uint64_t order = word(page, r->at_private);

		ret->kind = GB_PAGE_BUDDY;
		ret->order = order < 20 ? (unsigned)order : 0;
	} else if (has_type(r, type, r->table)) {
		ret->kind = GB_PAGE_TABLE;
	} else if (has_type(r, type, r->large)) {
		ret->kind = GB_PAGE_SLAB;
	} else if (!references) {
		ret->kind = GB_PAGE_IDLE;
	} else {
		ret->kind = used_kind(k, page, type, &ret->key);
	}
}

void gb_page_decode(const struct gb_kernel *k, const struct gb_pages *pages, size_t i,
		    struct gb_page *ret, uint64_t *head_ret)
{
	const uint8_t *page = pages->bytes + i * k->page.size;
	uint64_t link = word(page, k->page.at_head), own = pages->va + i * k->page.size;

	*head_ret = pages->first_pfn + i;
	if (link & 1) {
		uint64_t pfn;

		// a pointer to a struct page, or (7.1 on) a mask
		if (gb_page_pfn(k, link - 1, &pfn) || gb_page_pfn(k, own & link, &pfn))
			*head_ret = pfn;
		*ret = (struct gb_page){.kind = GB_PAGE_OTHER};
		return;
	}
	decode_head(k, page, ret);
}
