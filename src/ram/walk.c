// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// x86-64 page walks in guest RAM.
//
// A table page holds 512 entries of 8 bytes; 9 bits of the address choose one at each level. An
// entry with bit 7 at level 3 or 2 is a leaf of 1 GiB or 2 MiB. Bits 51:12 are the address; PCID
// and cache bits of CR3 and the upper software bits are not part of it. At levels 4 and 5 bit 7 is
// reserved: the processor faults on it, and so do we.
#include "ram/walk.h"

#include <string.h>

static bool is_canonical(gb_gva gva, unsigned levels)
{
	unsigned top = 12 + 9 * levels - 1;
	uint64_t high = gva.v >> top;

	return high == 0 || high == UINT64_MAX >> top;
}

static uint64_t level_size(unsigned level)
{
	return (uint64_t)1 << (12 + 9 * (level - 1));
}

static uint64_t and_rights(uint64_t above, uint64_t entry)
{
	uint64_t both = above & entry & (GB_PTE_WRITE | GB_PTE_USER);
	uint64_t leaf = entry & (GB_PTE_PRESENT | GB_PTE_ACCESSED | GB_PTE_DIRTY | GB_PTE_LARGE);

	return both | leaf | ((above | entry) & GB_PTE_NX);
}

static int check_levels(struct gb_space space, struct gb_error *err)
{
	if (space.levels == 4 || space.levels == 5)
		return 0;
	return gb_fail(err, GB_ERANGE, "page tables have 4 or 5 levels, not %u", space.levels);
}

static bool leads_on(uint64_t entry, unsigned level)
{
	return (entry & GB_PTE_PRESENT) && !(level >= 4 && (entry & GB_PTE_LARGE));
}

static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (level <= 3 && (entry & GB_PTE_LARGE));
}

int gb_walk(struct gb_ram *ram, struct gb_space space, gb_gva gva, struct gb_walk *ret,
	    struct gb_error *err)
{
	gb_gpa table = {space.root.v & GB_PTE_ADDRESS};
	uint64_t rights = GB_PTE_WRITE | GB_PTE_USER;
	int r = check_levels(space, err);

	ret->depth = 0;
	if (r != 0)
		return r;
	if (!is_canonical(gva, space.levels))
		return gb_fail_at(err, GB_EFAULT, gva.v, "the address is not canonical");
	for (unsigned level = space.levels; level > 0; level--) {
		gb_gpa slot = {table.v + 8 * (gva.v / level_size(level) % 512)};
		uint64_t entry, size = level_size(level);

		r = gb_ram_read_u64(ram, slot, &entry, err);
		if (r != 0)
			return r;
		ret->tables[ret->depth] = slot;
		ret->entries[ret->depth++] = entry;
		if (!leads_on(entry, level))
			return gb_fail_at(err, GB_EFAULT, gva.v, "no page is mapped");
		rights = and_rights(rights, entry);
		if (is_leaf(entry, level)) {
			ret->gpa.v = (entry & GB_PTE_ADDRESS & ~(size - 1)) | (gva.v & (size - 1));
			ret->page_size = size;
			ret->entry = entry;
			ret->rights = rights;
			return 0;
		}
		table.v = entry & GB_PTE_ADDRESS;
	}
	return gb_fail(err, GB_EBUG, "a page walk ran past its last level");
}

static int fail_to_walk(const struct gb_walk *walk, int r, gb_space_seen *seen, void *arg,
			struct gb_error *err)
{
	int told = seen ? seen(arg, walk, NULL, 0, err) : 0;

	return told != 0 ? told : r;
}

// In both readers below, so that the plain one does not ask at each page.
__attribute__((always_inline)) static inline int read_pages(struct gb_ram *ram,
							    struct gb_space space, gb_gva gva,
							    void *ret, size_t len,
							    gb_space_seen *seen, void *arg,
							    struct gb_error *err)
{
	char *p = ret;

	if (len && gva.v + (len - 1) < gva.v)
		return gb_fail_at(err, GB_EFAULT, gva.v, "the range wraps around");
	while (len) {
		struct gb_walk walk;
		uint64_t left;
		int r = gb_walk(ram, space, gva, &walk, err);

		if (r != 0)
			return fail_to_walk(&walk, r, seen, arg, err);
		left = walk.page_size - (gva.v & (walk.page_size - 1));
		if (left > len)
			left = len;
		r = gb_ram_read(ram, walk.gpa, p, left, err);
		if (r == 0 && seen)
			r = seen(arg, &walk, p, left, err);
		if (r != 0)
			return r;
		p += left;
		gva.v += left;
		len -= left;
	}
	return 0;
}

int gb_space_read_seen(struct gb_ram *ram, struct gb_space space, gb_gva gva, void *ret, size_t len,
		       gb_space_seen *seen, void *arg, struct gb_error *err)
{
	return read_pages(ram, space, gva, ret, len, seen, arg, err);
}

int gb_space_read(struct gb_ram *ram, struct gb_space space, gb_gva gva, void *ret, size_t len,
		  struct gb_error *err)
{
	return read_pages(ram, space, gva, ret, len, NULL, NULL, err);
}

int gb_space_read_u64(struct gb_ram *ram, struct gb_space space, gb_gva gva, uint64_t *ret,
		      struct gb_error *err)
{
	uint64_t v;
	int r = gb_space_read(ram, space, gva, &v, sizeof(v), err);

	if (r == 0)
		*ret = v;
	return r;
}

struct visit {
	struct gb_ram *ram;
	const struct gb_leaves *how;
	unsigned levels;
	size_t read;    // table pages so far
	gb_gpa path[5]; // tables above the current one, for cycles
	struct gb_error *err;
};

static int visit_table(struct visit *v, gb_gpa table, unsigned level, uint64_t base,
		       uint64_t rights);

static int visit_entry(struct visit *v, uint64_t entry, unsigned level, uint64_t gva,
		       uint64_t rights)
{
	struct gb_leaf leaf;

	rights = and_rights(rights, entry);
	if (!is_leaf(entry, level))
		return visit_table(v, (gb_gpa){entry & GB_PTE_ADDRESS}, level - 1, gva, rights);
	leaf.gva.v = gva;
	leaf.size = level_size(level);
	leaf.gpa.v = entry & GB_PTE_ADDRESS & ~(leaf.size - 1);
	leaf.rights = rights;
	return v->how->leaf ? v->how->leaf(v->how->arg, &leaf) : 0;
}

static int enter_table(struct visit *v, gb_gpa table, unsigned level, uint64_t entries[512],
		       bool *skip_ret)
{
	int r;

	*skip_ret = true;
	for (unsigned above = level + 1; above <= v->levels; above++)
		if (v->path[above - 1].v == table.v)
			return 0;
	if (!gb_layout_find(gb_ram_layout(v->ram), table))
		return 0;
	if (v->read++ >= v->how->budget)
		return gb_fail_at(v->err, GB_ERANGE, table.v, "more than %zu page tables",
				  v->how->budget);
	v->path[level - 1] = table;
	r = gb_ram_read(v->ram, table, entries, 512 * sizeof(*entries), v->err);
	if (r == 0 && v->how->table)
		r = v->how->table(v->how->arg, table, level);
	*skip_ret = false;
	return r;
}

static uint64_t sign_extend(uint64_t gva, unsigned levels)
{
	unsigned unused = 64 - (12 + 9 * levels);

	return (uint64_t)((int64_t)(gva << unused) >> unused);
}

static int visit_table(struct visit *v, gb_gpa table, unsigned level, uint64_t base,
		       uint64_t rights)
{
	uint64_t entries[512], size = level_size(level);
	bool skip;
	int r = enter_table(v, table, level, entries, &skip);

	if (r != 0 || skip)
		return r;
	for (unsigned i = 0; i < 512 && r == 0; i++) {
		uint64_t gva = base + i * size;

		if (level == v->levels)
			gva = sign_extend(gva, v->levels);
		if (v->how->absent && entries[i] && !(entries[i] & GB_PTE_PRESENT))
			entries[i] = v->how->absent(v->how->arg, entries[i], level);
		if (!leads_on(entries[i], level) || gva > v->how->last.v ||
		    gva + (size - 1) < v->how->first.v)
			continue;
		r = visit_entry(v, entries[i], level, gva, rights);
	}
	return r;
}

int gb_space_leaves(struct gb_ram *ram, struct gb_space space, const struct gb_leaves *how,
		    struct gb_error *err)
{
	struct visit v = {.ram = ram, .how = how, .levels = space.levels, .err = err};
	int r = check_levels(space, err);

	return r != 0 ? r
		      : visit_table(&v, (gb_gpa){space.root.v & GB_PTE_ADDRESS}, space.levels, 0,
				    GB_PTE_WRITE | GB_PTE_USER);
}
