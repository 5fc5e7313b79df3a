// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Two looks at the frames of one guest, compared.
#include "kernel/owners.h"

struct look {
	const struct gb_processes *p;
	const struct gb_frames *f;
};

static const struct gb_vma *vma_of(const struct look *l, const struct gb_owner *o)
{
	const struct gb_process *p = o->index < l->p->count ? &l->p->list[o->index] : NULL;

	return p && p->pid == o->pid && p->vmas && o->at < p->vma_count ? &p->vmas[o->at] : NULL;
}

// The numbers of a process and of its VMA are those of a list, and move when others come and go.
static bool same_vma(const struct look *a, const struct gb_owner *x, const struct look *b,
		     const struct gb_owner *y)
{
	const struct gb_vma *v = vma_of(a, x), *w = vma_of(b, y);

	return v && w ? v->file.v == w->file.v && strcmp(v->name, w->name) == 0 : v == w;
}

static bool same_owner(const struct look *a, const struct look *b, size_t i)
{
	const struct gb_owner *x = &a->f->owners->list[a->f->owner_of[i]],
			      *y = &b->f->owners->list[b->f->owner_of[i]];

	if (x->kind != y->kind || x->pid != y->pid)
		return false;
	if (x->kind == GB_OWNER_NONE) // then it is named by its struct page
		return a->f->kinds[i] == b->f->kinds[i];
	if (x->kind == GB_OWNER_VMA)
		return same_vma(a, x, b, y);
	return x->at == y->at && x->index == y->index;
}

uint64_t gb_frames_moved(const struct gb_frames *a, const struct gb_processes *a_processes,
			 const struct gb_frames *b, const struct gb_processes *b_processes)
{
	const struct look before = {a_processes, a}, after = {b_processes, b};
	uint64_t moved = 0;

	for (size_t i = 0; i < a->count && i < b->count; i++)
		moved += a->classes[i] != b->classes[i] || a->pids[i] != b->pids[i] ||
			 a->mappers[i] != b->mappers[i] || !same_owner(&before, &after, i);
	return moved;
}
