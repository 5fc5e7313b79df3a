// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Frames that the kernel keeps for itself: page tables, stacks, vmalloc, modules, per-CPU data, and
// free ones that a CPU holds back.
//
// vmalloc areas: until 6.8 all on the list vmap_area_list; since 6.9 on the lists of several struct
// vmap_node, each area in one of them. Free frames of a CPU: zone->per_cpu_pageset of each zone and
// CPU has lists of pages, by order and mobility: three mobilities for each order up to 3, then the
// order of a huge page.
#include "kernel/owners.h"

#include <stdlib.h>

#define AREAS_MAX 200000
#define MODULES_MAX 2000
#define STACK_PAGES_MAX 16
#define ZONES_MAX 16
#define NODES_MAX 64

struct area {
	uint64_t start, end, vm;
	uint32_t owner;
	enum gb_frame_class class;
};

struct areas {
	struct area *list;
	size_t count, cap;
};

struct kernel_walk {
	struct gb_classify *c;
	struct areas areas;
	size_t at;           // area at or behind the last leaf
	uint64_t links_left; // of lists of areas: they may be circular
	uint32_t table_owner, vmemmap_owner;
	uint64_t vmemmap_end;
};

static bool index_of_va(const struct gb_classify *c, uint64_t va, uint64_t *ret)
{
	gb_gpa gpa;

	return gb_kernel_locate(c->k, va, &gpa) == 0 &&
	       gb_layout_index_of(c->layout, gb_gpa_pfn(gpa), ret);
}

static int add_area(struct kernel_walk *w, struct area area)
{
	struct areas *a = &w->areas;

	if (a->count == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 512;
		struct area *more = realloc(a->list, cap * sizeof(*more));

		if (!more)
			return gb_fail(w->c->err, GB_ENOMEM,
				       "no memory for the kernel's memory map");
		a->list = more;
		a->cap = cap;
	}
	a->list[a->count++] = area;
	return 0;
}

// One circular list of struct vmap_area.
static int read_area_list(struct kernel_walk *w, uint64_t head)
{
	const struct gb_kernel *k = w->c->k;
	uint64_t at = gb_read_u64_or_0(k, head), link = gb_offset(k, GB_M_VMAP_LIST);
	struct gb_object o;

	for (; at && at != head && w->links_left > 0; w->links_left--) {
		struct area area = {.class = GB_FRAME_VMALLOC};
		int r;

		if (gb_object_read(k, GB_S_VMAP, at - link, &o) != 0)
			break;
		area.start = gb_get(&o, GB_M_VMAP_START);
		area.end = gb_get(&o, GB_M_VMAP_END);
		area.vm = gb_get(&o, GB_M_VMAP_VM);
		at = gb_get(&o, GB_M_VMAP_LIST);
		if (area.start >= area.end)
			continue;
		r = add_area(w, area);
		if (r != 0)
			return r;
	}
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct area *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int read_areas(struct kernel_walk *w)
{
	const struct gb_kernel *k = w->c->k;
	uint64_t nodes = gb_read_u64_or_0(k, k->symbol[GB_Y_VMAP_NODES]);
	uint32_t count = 0, size = k->offsets.structs[GB_S_VMAP_NODE].size;
	int r = 0;

	if (k->symbol[GB_Y_VMAP_LIST])
		r = read_area_list(w, k->symbol[GB_Y_VMAP_LIST]);
	if (nodes && gb_has(k, GB_M_VMAP_NODE_BUSY))
		gb_read_va(k, k->symbol[GB_Y_NR_VMAP_NODES], &count, 4);
	for (uint32_t i = 0; i < count && i < 1024 && r == 0; i++)
		r = read_area_list(w,
				   nodes + (uint64_t)i * size + gb_offset(k, GB_M_VMAP_NODE_BUSY));
	if (w->areas.count)
		qsort(w->areas.list, w->areas.count, sizeof(struct area), by_start);
	return r;
}

static struct area *find_area(struct kernel_walk *w, uint64_t va)
{
	size_t low = 0, high = w->areas.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->areas.list[middle].end <= va)
			low = middle + 1;
		else
			high = middle;
	}
	return low < w->areas.count && w->areas.list[low].start <= va ? &w->areas.list[low] : NULL;
}

// Stacks are vmalloc areas too; name them before others do. Elsewhere (no VMAP_STACK) they are
// plain pages.
static int classify_stack(struct kernel_walk *w, const struct gb_thread *t)
{
	struct area *area = find_area(w, t->stack.v);
	uint32_t owner;

	if (!t->stack.v)
		return 0;
	owner = gb_owner_add(w->c, (struct gb_owner){.kind = GB_OWNER_STACK, .pid = t->tid});
	if (!owner)
		return GB_ENOMEM;
	if (area && area->start == t->stack.v) {
		area->owner = owner;
		area->class = GB_FRAME_KERNEL_STACK;
		return 0;
	}
	for (unsigned i = 0; i < 4; i++) {
		uint64_t index;

		if (index_of_va(w->c, t->stack.v + i * GB_PAGE_SIZE, &index) &&
		    gb_frame_is_open(w->c, index))
			gb_frame_set(w->c, index, GB_FRAME_KERNEL_STACK, owner);
	}
	return 0;
}

static int classify_stacks(struct kernel_walk *w)
{
	const struct gb_processes *p = w->c->p;
	int r = 0;

	for (size_t i = 0; i < p->count && r == 0; i++)
		for (size_t j = 0; j < p->list[i].thread_count && r == 0; j++)
			r = classify_stack(w, &p->list[i].threads[j]);
	return r;
}

static uint64_t module_part(const struct gb_object *o, enum gb_member_id base,
			    enum gb_member_id size, uint64_t *size_ret)
{
	*size_ret = gb_get(o, size);
	return gb_get(o, base);
}

static int add_module_part(struct kernel_walk *w, uint64_t module, uint64_t at,
			   enum gb_struct_id type, enum gb_member_id base, enum gb_member_id size)
{
	struct gb_object o;
	uint64_t bytes, start;
	struct area *area;
	uint32_t owner;

	if (gb_object_read(w->c->k, type, at, &o) != 0)
		return 0;
	start = module_part(&o, base, size, &bytes);
	area = bytes ? find_area(w, start) : NULL;
	if (!area)
		return 0;
	owner = gb_owner_add(w->c, (struct gb_owner){.kind = GB_OWNER_MODULE, .at = module});
	area->owner = owner;
	area->class = GB_FRAME_KERNEL_DATA; // text is told by the rights of its pages
	return owner ? 0 : GB_ENOMEM;
}

// Until 6.3 module->core_layout is all of a module; since 6.4 module->mem[] has its parts.
static int add_module(struct kernel_walk *w, uint64_t module)
{
	const struct gb_kernel *k = w->c->k;
	uint32_t each = k->offsets.structs[GB_S_MODULE_MEMORY].size, parts;
	int r = 0;

	if (!gb_has(k, GB_M_MODULE_MEM))
		return gb_has(k, GB_M_MODULE_CORE)
			       ? add_module_part(w, module, module + gb_offset(k, GB_M_MODULE_CORE),
						 GB_S_MODULE_LAYOUT, GB_M_MODULE_LAYOUT_BASE,
						 GB_M_MODULE_LAYOUT_SIZE)
			       : 0;
	parts = each ? k->offsets.members[GB_M_MODULE_MEM].size / each : 0;
	for (uint32_t i = 0; i < parts && i < 16 && r == 0; i++)
		r = add_module_part(w, module, module + gb_offset(k, GB_M_MODULE_MEM) + i * each,
				    GB_S_MODULE_MEMORY, GB_M_MODULE_MEMORY_BASE,
				    GB_M_MODULE_MEMORY_SIZE);
	return r;
}

static int classify_modules(struct kernel_walk *w)
{
	const struct gb_kernel *k = w->c->k;
	uint64_t head = k->symbol[GB_Y_MODULES], at = head ? gb_read_u64_or_0(k, head) : 0;
	int r = 0;

	if (!gb_has(k, GB_M_MODULE_LIST))
		return 0;
	for (int budget = MODULES_MAX; at && at != head && budget > 0 && r == 0; budget--) {
		r = add_module(w, at - gb_offset(k, GB_M_MODULE_LIST));
		at = gb_read_u64_or_0(k, at);
	}
	return r;
}

// Who asked for an area; one owner for all areas of a caller would need a search, so one each.
static uint32_t area_owner(struct kernel_walk *w, struct area *a)
{
	const struct gb_kernel *k = w->c->k;
	uint64_t caller = 0;

	if (a->owner)
		return a->owner;
	if (a->vm)
		caller = gb_read_u64_or_0(k, a->vm + gb_offset(k, GB_M_VM_CALLER));
	a->owner = gb_owner_add(w->c, (struct gb_owner){.kind = GB_OWNER_VMALLOC, .at = caller});
	return a->owner;
}

struct vmalloc_leaf {
	struct kernel_walk *w;
	const struct gb_leaf *leaf;
	enum gb_frame_class class;
	uint32_t owner;
};

static int on_vmalloc_frame(void *arg, uint64_t index, uint64_t va)
{
	const struct vmalloc_leaf *l = arg;
	struct gb_classify *c = l->w->c;
	enum gb_frame_class class = l->class;

	(void)va;
	if (c->f->kinds[index] == GB_PAGE_IDLE || !gb_frame_is_open(c, index))
		return 0;
	if (c->f->kinds[index] == GB_PAGE_RESERVED && c->f->classes[index] != GB_FRAME_RESERVED)
		return 0; // an alias of the image
	if (class == GB_FRAME_KERNEL_DATA && !(l->leaf->rights & GB_PTE_NX))
		class = GB_FRAME_KERNEL_TEXT;
	gb_frame_set(c, index, class, l->owner);
	return 0;
}

static int on_vmalloc_leaf(void *arg, const struct gb_leaf *leaf)
{
	struct kernel_walk *w = arg;
	struct vmalloc_leaf l = {.w = w, .leaf = leaf};
	struct area *area;

	while (w->at < w->areas.count && w->areas.list[w->at].end <= leaf->gva.v)
		w->at++;
	if (w->at == w->areas.count || w->areas.list[w->at].start > leaf->gva.v)
		return 0; // no area: a mapping that is kept to be removed later
	area = &w->areas.list[w->at];
	l.owner = area_owner(w, area);
	l.class = area->class;
	return l.owner ? gb_leaf_frames(w->c, leaf, on_vmalloc_frame, &l) : GB_ENOMEM;
}

static int on_vmemmap_frame(void *arg, uint64_t index, uint64_t va)
{
	struct kernel_walk *w = arg;

	(void)va;
	if (gb_frame_is_open(w->c, index))
		gb_frame_set(w->c, index, GB_FRAME_VMEMMAP, w->vmemmap_owner);
	return 0;
}

static int on_vmemmap_leaf(void *arg, const struct gb_leaf *leaf)
{
	struct kernel_walk *w = arg;

	return gb_leaf_frames(w->c, leaf, on_vmemmap_frame, w);
}

static int on_kernel_table(void *arg, gb_gpa table, unsigned level)
{
	struct kernel_walk *w = arg;
	uint64_t index;

	(void)level;
	// the first tables lie in the image, and stay what they are there: page tables
	if (gb_layout_index_of(w->c->layout, gb_gpa_pfn(table), &index) &&
	    (gb_frame_is_open(w->c, index) || w->c->f->kinds[index] == GB_PAGE_TABLE))
		gb_frame_set(w->c, index, GB_FRAME_PAGE_TABLE, w->table_owner);
	return 0;
}

static int walk_range(struct kernel_walk *w, uint64_t first, uint64_t last,
		      int (*leaf)(void *, const struct gb_leaf *))
{
	struct gb_leaves how = {
		.first = {first},
		.last = {last},
		.budget = w->c->f->count,
		.leaf = leaf,
		.table = on_kernel_table,
		.arg = w,
	};
	int r;

	if (last <= first)
		return 0;
	w->at = 0;
	r = gb_space_leaves(w->c->k->ram, w->c->k->info.space, &how, w->c->err);
	return gb_classify_cut(w->c, r);
}

static int walk_tables(struct kernel_walk *w)
{
	const struct gb_kernel_info *i = &w->c->k->info;
	uint64_t vmalloc = i->vmalloc.v, areas_end = vmalloc;
	int r;

	w->table_owner = gb_owner_add(w->c, (struct gb_owner){.kind = GB_OWNER_TABLE});
	w->vmemmap_owner = gb_owner_add(w->c, (struct gb_owner){.kind = GB_OWNER_VMEMMAP});
	if (!w->table_owner || !w->vmemmap_owner)
		return GB_ENOMEM;
	for (size_t a = 0; a < w->areas.count; a++)
		if (w->areas.list[a].end <= w->c->k->image_start &&
		    w->areas.list[a].end > areas_end)
			areas_end = w->areas.list[a].end;
	r = walk_range(w, i->page_offset.v, w->c->k->direct_end - 1, NULL);
	if (r == 0)
		r = walk_range(w, vmalloc, areas_end - 1, on_vmalloc_leaf);
	if (r == 0 && !w->c->k->page.section_root)
		r = walk_range(w, i->vmemmap.v,
			       i->vmemmap.v +
				       (gb_layout_end(w->c->layout).v >> GB_PAGE_SHIFT) *
					       w->c->k->page.size -
				       1,
			       on_vmemmap_leaf);
	// the image, modules behind it, and the fixed map at the top
	if (r == 0)
		r = walk_range(w, w->c->k->image_start, UINT64_MAX, on_vmalloc_leaf);
	return r;
}

static int classify_percpu(struct gb_classify *c)
{
	const struct gb_kernel *k = c->k;
	uint32_t unit = 0;
	int r = 0;

	if (!k->symbol[GB_Y_PER_CPU_OFFSET] ||
	    gb_read_va(k, k->symbol[GB_Y_PCPU_UNIT_SIZE], &unit, 4) != 0 || unit > 16u << 20)
		return 0;
	for (unsigned cpu = 0; cpu < k->cpus && r == 0; cpu++) {
		uint32_t owner =
			gb_owner_add(c, (struct gb_owner){.kind = GB_OWNER_PERCPU, .index = cpu});
		uint64_t base = k->symbol[GB_Y_PER_CPU_START] + k->per_cpu[cpu], index;

		r = owner ? 0 : GB_ENOMEM;
		for (uint64_t at = 0; at < unit && r == 0; at += GB_PAGE_SIZE)
			if (index_of_va(c, base + at, &index) &&
			    c->f->kinds[index] == GB_PAGE_RESERVED &&
			    c->f->classes[index] == GB_FRAME_RESERVED)
				gb_frame_set(c, index, GB_FRAME_KERNEL_DATA, owner);
	}
	return r;
}

static void set_pcp_block(struct gb_classify *c, uint64_t pfn, uint64_t count, uint32_t owner)
{
	uint64_t index;

	for (uint64_t i = 0; i < count; i++)
		if (gb_layout_index_of(c->layout, (gb_pfn){pfn + i}, &index) &&
		    c->f->kinds[index] == GB_PAGE_IDLE)
			gb_frame_set(c, index, GB_FRAME_FREE, owner);
}

// A list of free blocks of one order, through page.lru.
static void classify_pcp_list(struct gb_classify *c, uint64_t head, unsigned order, uint32_t owner)
{
	const struct gb_kernel *k = c->k;
	uint64_t cost = (uint64_t)1 << order, at, pfn;

	if (c->free_left == 0)
		return;
	c->free_left--; // an empty list costs something, too
	at = gb_read_u64_or_0(k, head);
	for (; at && at != head && c->free_left >= cost; c->free_left -= cost) {
		if (gb_page_pfn(k, at - gb_offset(k, GB_M_PAGE_LRU), &pfn))
			set_pcp_block(c, pfn, cost, owner);
		at = gb_read_u64_or_0(k, at);
	}
}

static void classify_pageset(struct gb_classify *c, uint64_t pageset, uint32_t owner)
{
	const struct gb_kernel *k = c->k;
	unsigned lists = k->offsets.members[GB_M_PAGESET_LISTS].size / 16;

	for (unsigned i = 0; i < lists && i < 32; i++)
		classify_pcp_list(c, pageset + gb_offset(k, GB_M_PAGESET_LISTS) + i * 16,
				  i < 12 ? i / 3 : 9, owner);
}

static void classify_node(struct gb_classify *c, uint64_t node, uint32_t owner)
{
	const struct gb_kernel *k = c->k;
	uint32_t each = k->offsets.structs[GB_S_ZONE].size;
	uint32_t zones = each ? k->offsets.members[GB_M_PGDAT_ZONES].size / each : 0;

	for (uint32_t z = 0; z < zones && z < ZONES_MAX; z++) {
		uint64_t zone = node + gb_offset(k, GB_M_PGDAT_ZONES) + (uint64_t)z * each;
		uint64_t sets = gb_read_u64_or_0(k, zone + gb_offset(k, GB_M_ZONE_PAGESETS));

		for (unsigned cpu = 0; sets && cpu < k->cpus; cpu++)
			classify_pageset(c, sets + k->per_cpu[cpu], owner);
	}
}

static int classify_pcp(struct gb_classify *c)
{
	const struct gb_kernel *k = c->k;
	uint32_t owner;

	if (!gb_has(k, GB_M_ZONE_PAGESETS) || !gb_has(k, GB_M_PAGESET_LISTS))
		return 0;
	owner = gb_owner_add(c, (struct gb_owner){.kind = GB_OWNER_PCP});
	if (!owner)
		return GB_ENOMEM;
	if (k->symbol[GB_Y_CONTIG_PGDAT])
		classify_node(c, k->symbol[GB_Y_CONTIG_PGDAT], owner);
	for (unsigned n = 0; n < NODES_MAX && k->symbol[GB_Y_NODE_DATA]; n++) {
		uint64_t node = gb_read_u64_or_0(k, k->symbol[GB_Y_NODE_DATA] + 8 * n);

		if (!node)
			break;
		classify_node(c, node, owner);
	}
	return 0;
}

int gb_classify_kernel(struct gb_classify *c)
{
	struct kernel_walk w = {.c = c, .links_left = AREAS_MAX};
	int r = classify_pcp(c);

	if (r == 0)
		r = classify_percpu(c);
	if (r == 0)
		r = read_areas(&w);
	if (r == 0)
		r = classify_stacks(&w);
	if (r == 0)
		r = classify_modules(&w);
	if (r == 0)
		r = walk_tables(&w);
	free(w.areas.list);
	return r;
}
