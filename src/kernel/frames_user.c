// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Frames that processes map: every leaf of their page tables, and the tables themselves.
#include "kernel/owners.h"

struct user {
	struct gb_classify *c;
	const struct gb_process *process;
	uint32_t process_index;
	size_t vma;            // at or behind the last leaf
	uint32_t vma_owner;    // of that VMA; 0: not made yet
	uint32_t no_vma_owner; // of pages in none
	uint32_t table_owner;
	bool executable; // the last leaf
};

static enum gb_frame_class class_of(const struct gb_vma *v)
{
	const uint64_t executable = 4;

	if (v->flags & executable)
		return GB_FRAME_CODE;
	if (strcmp(v->name, "[heap]") == 0)
		return GB_FRAME_HEAP;
	if (strcmp(v->name, "[stack]") == 0)
		return GB_FRAME_STACK;
	return GB_FRAME_MAPPED;
}

// Leaves come in ascending order, and so do VMAs.
static bool find_vma(struct user *u, uint64_t va)
{
	const struct gb_process *p = u->process;

	while (u->vma < p->vma_count && p->vmas[u->vma].end <= va) {
		u->vma++;
		u->vma_owner = 0;
	}
	return u->vma < p->vma_count && p->vmas[u->vma].start <= va;
}

static bool claims(enum gb_page_kind kind)
{
	return kind == GB_PAGE_ANON || kind == GB_PAGE_FILE || kind == GB_PAGE_MAPPED ||
	       kind == GB_PAGE_OTHER;
}

// Once for each process, however often it maps the frame.
static void count_mapper(struct user *u, uint64_t index)
{
	struct gb_owners *o = u->c->f->owners;

	if (o->counted[index] != o->stamp)
		u->c->f->mappers[index]++;
	o->counted[index] = o->stamp;
}

// The owner of what lies at va, and its class. Where no VMA is known, the rights of the page must
// do.
static uint32_t owner_at(struct user *u, uint64_t va, enum gb_frame_class *class_ret)
{
	struct gb_owner owner = {.kind = GB_OWNER_VMA,
				 .pid = u->process->pid,
				 .index = u->process_index};
	uint32_t *made = &u->no_vma_owner;

	*class_ret = u->executable ? GB_FRAME_CODE : GB_FRAME_MAPPED;
	owner.at = UINT64_MAX;
	if (find_vma(u, va)) {
		owner.at = u->vma;
		*class_ret = class_of(&u->process->vmas[u->vma]);
		made = &u->vma_owner;
	}
	if (!*made)
		*made = gb_owner_add(u->c, owner);
	return *made;
}

static int claim(void *arg, uint64_t index, uint64_t va)
{
	struct user *u = arg;
	struct gb_frames *f = u->c->f;
	enum gb_frame_class class;
	uint32_t owner;

	count_mapper(u, index);
	if (f->pids[index] || !claims(f->kinds[index]))
		return 0;
	owner = owner_at(u, va, &class);
	if (!owner)
		return GB_ENOMEM;
	f->pids[index] = u->process->pid;
	gb_frame_set(u->c, index, class, owner);
	return 0;
}

static int on_leaf(void *arg, const struct gb_leaf *leaf)
{
	struct user *u = arg;

	u->executable = !(leaf->rights & GB_PTE_NX);
	return gb_leaf_frames(u->c, leaf, claim, u);
}

static int on_table(void *arg, gb_gpa table, unsigned level)
{
	struct user *u = arg;
	struct gb_frames *f = u->c->f;
	uint64_t index;

	(void)level;
	if (u->c->tables_left == 0)
		return GB_ERANGE;
	u->c->tables_left--;
	if (!gb_layout_index_of(u->c->layout, gb_gpa_pfn(table), &index) ||
	    (f->kinds[index] != GB_PAGE_TABLE && f->kinds[index] != GB_PAGE_OTHER))
		return 0;
	if (!u->table_owner)
		u->table_owner = gb_owner_add(u->c, (struct gb_owner){.kind = GB_OWNER_TABLE,
								      .pid = u->process->pid});
	if (!u->table_owner)
		return GB_ENOMEM;
	gb_frame_set(u->c, index, GB_FRAME_PAGE_TABLE, u->table_owner);
	return 0;
}

// PROT_NONE: not present to the processor, marked by the bit of global pages, and all bits of the
// address inverted (since 4.18, against L1TF). What is swapped out does not have that bit.
static uint64_t on_absent(void *arg, uint64_t entry, unsigned level)
{
	const uint64_t none = 1 << 8;

	(void)arg;
	if (!(entry & none) || level > 2 || (level == 2 && !(entry & GB_PTE_LARGE)))
		return 0;
	return (~entry & GB_PTE_ADDRESS) | (entry & GB_PTE_LARGE) | GB_PTE_PRESENT;
}

static int classify_process(struct gb_classify *c, uint32_t at)
{
	const struct gb_process *p = &c->p->list[at];
	struct user u = {.c = c, .process = p, .process_index = at};
	struct gb_space space = {p->pgd, c->k->info.paging_levels};
	struct gb_leaves how = {
		.last = {((uint64_t)1 << (9 * space.levels + 11)) - 1}, // the lower half
		.budget = c->f->count,
		.leaf = on_leaf,
		.table = on_table,
		.absent = on_absent,
		.arg = &u,
	};
	int r;

	if (++c->f->owners->stamp == 0)
		c->f->owners->stamp = 1;
	r = gb_space_leaves(c->k->ram, space, &how, c->err);
	return gb_classify_cut(c, r);
}

int gb_classify_users(struct gb_classify *c)
{
	int r = 0;

	for (size_t i = 0; i < c->p->count && r == 0; i++)
		if (c->p->list[i].pgd.v)
			r = classify_process(c, (uint32_t)i);
	return r;
}
