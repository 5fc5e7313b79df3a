// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// VMAs of a process.
//
// Until 6.0 they hang on a red-black tree, mm->mm_rb, through vma->vm_rb. Since 6.1 a maple tree
// holds them (lib/maple_tree.c): a B-tree over ranges. A pointer to a node has its type in bits
// 3-6: leaf_64 (1) and range_64 (2) have 15 pivots and 16 slots, arange_64 (3) 9 and 10; nodes are
// 256 bytes and aligned so, which frees the low byte. In the root's pointer, which may also be an
// entry, bits 0-1 are 2 for a node. Slot i covers what is above pivot i-1 and at most pivot i; a
// pivot of 0 behind the first slot, or one that reaches the node's own end, is the last. A leaf's
// slots are VMAs, or 0 for a gap. A tree of one entry that covers all has the entry itself as its
// root.
//
// Every VMA must lie where the tree says, after the one before, and point back to its mm; and there
// must be mm->map_count of them. Else the process is marked torn.
#include "kernel/listing.h"

#include <stdio.h>
#include <stdlib.h>

#define NODE_SIZE 256
#define DEPTH_MAX 16
#define MAPLE_LEAF 1
#define MAPLE_RANGE 2
#define MAPLE_ARANGE 3

struct walk {
	struct gb_listing *l;
	struct gb_process *p;
	uint64_t nodes; // read so far
	uint64_t end;   // of the VMA before
	bool broken;
	struct gb_error *err;
};

static bool is_special(struct gb_listing *l, uint64_t ops)
{
	return ops && ops == l->k->symbol[GB_Y_SPECIAL_OPS];
}

static const char *special_name(struct gb_listing *l, uint64_t special)
{
	if (gb_listing_object(l, GB_S_SPECIAL, special, &l->object) != 0)
		return "";
	return gb_listing_string(l, gb_get(&l->object, GB_M_SPECIAL_NAME), 80);
}

// "[anon:name]" as prctl(PR_SET_VMA_ANON_NAME) set it. While the pointer shared its place with the
// tree of a file's mappings (5.17 to 6.1), it meant something only without a file.
static const char *user_name(struct gb_listing *l, const struct gb_vma *v, uint64_t pointer)
{
	char text[120] = "";
	const char *copy;

	if (!pointer || !gb_has(l->k, GB_M_ANON_NAME_NAME) ||
	    (v->file.v &&
	     gb_offset(l->k, GB_M_VMA_ANON_NAME) == gb_offset(l->k, GB_M_VMA_SHARED)) ||
	    gb_listing_text(l, pointer + gb_offset(l->k, GB_M_ANON_NAME_NAME), text, 80) != 0)
		return "";
	memmove(text + (v->file.v ? 12 : 6), text, 80);
	memcpy(text, v->file.v ? "[anon_shmem:" : "[anon:", v->file.v ? 12 : 6);
	text[strcspn(text, "\n")] = 0; // the kernel lets none in, but who says that this is one
	text[strlen(text) + 1] = 0;
	text[strlen(text)] = ']';
	copy = gb_arena_strndup(l->arena, text, strlen(text));
	l->broken |= !copy;
	return copy ? copy : "";
}

static void file_name(struct gb_listing *l, struct gb_vma *v)
{
	struct gb_object *o = &l->object;
	uint64_t mnt, dentry, sb;

	if (gb_listing_object(l, GB_S_FILE, v->file.v, o) != 0) {
		l->broken = true;
		return;
	}
	mnt = gb_get(o, GB_M_FILE_MNT);
	dentry = gb_get(o, GB_M_FILE_DENTRY);
	if (gb_listing_object(l, GB_S_INODE, gb_get(o, GB_M_FILE_INODE), o) != 0) {
		l->broken = true;
		return;
	}
	v->inode = gb_get(o, GB_M_INODE_INO);
	sb = gb_get(o, GB_M_INODE_SB);
	if (gb_listing_object(l, GB_S_SUPER, sb, o) == 0)
		v->dev = (uint32_t)gb_get(o, GB_M_SUPER_DEV);
	if (!*v->name)
		v->name = gb_path_read(l, mnt, dentry);
}

// The heap begins at start_brk and ends at brk. Once a VMA that only touches that range counted
// too. No symbol or type tells the change itself; find.c takes one of the same time for it.
static bool is_heap(const struct gb_listing *l, const struct gb_vma *v)
{
	uint64_t start = gb_get(&l->mm, GB_M_MM_START_BRK), brk = gb_get(&l->mm, GB_M_MM_BRK);

	if (l->k->strict_heap)
		return v->start < brk && v->end > start;
	return v->start <= brk && v->end >= start;
}

static bool is_stack(const struct gb_listing *l, const struct gb_vma *v)
{
	uint64_t at = gb_get(&l->mm, GB_M_MM_START_STACK);

	return v->start <= at && v->end >= at;
}

// The name as show_map_vma() of fs/proc/task_mmu.c finds it, in its order.
static void set_name(struct gb_listing *l, struct gb_vma *v, uint64_t ops, uint64_t private,
		     uint64_t anon_name)
{
	bool names = l->what & GB_PROCESS_NAMES;

	v->name = "";
	if (v->file.v) {
		if (names) {
			v->name = user_name(l, v, anon_name);
			file_name(l, v);
		}
		return;
	}
	if (is_special(l, ops)) {
		if (names)
			v->name = special_name(l, private);
		return;
	}
	if (is_heap(l, v))
		v->name = "[heap]";
	else if (is_stack(l, v))
		v->name = "[stack]";
	else if (names)
		v->name = user_name(l, v, anon_name);
}

static struct gb_vma *new_vma(struct walk *w)
{
	struct gb_listing *l = w->l;

	if (l->vma_count == l->vma_cap) {
		size_t cap = l->vma_cap ? 2 * l->vma_cap : 128;
		struct gb_vma *more = realloc(l->vmas, cap * sizeof(*more));

		if (!more) {
			gb_fail(w->err, GB_ENOMEM, "no memory for a process's memory map");
			return NULL;
		}
		l->vmas = more;
		l->vma_cap = cap;
	}
	return &l->vmas[l->vma_count];
}

static int add_vma(struct walk *w, uint64_t address)
{
	struct gb_object *o = &w->l->object;
	struct gb_vma *v = new_vma(w);

	if (!v)
		return GB_ENOMEM;
	if (w->l->share.vmas == 0 || gb_listing_object(w->l, GB_S_VMA, address, o) != 0) {
		w->broken = true;
		return 0;
	}
	w->l->share.vmas--;
	*v = (struct gb_vma){
		.start = gb_get(o, GB_M_VMA_START),
		.end = gb_get(o, GB_M_VMA_END),
		.flags = gb_get(o, GB_M_VMA_FLAGS),
		.pgoff = gb_get(o, GB_M_VMA_PGOFF),
		.file = {gb_get(o, GB_M_VMA_FILE)},
	};
	if (v->start >= v->end || v->start < w->end || gb_get(o, GB_M_VMA_MM) != w->p->mm.v) {
		w->broken = true;
		return 0;
	}
	w->end = v->end;
	w->l->vma_count++;
	set_name(w->l, v, gb_get(o, GB_M_VMA_OPS), gb_get(o, GB_M_VMA_PRIVATE),
		 gb_get(o, GB_M_VMA_ANON_NAME));
	return 0;
}

struct node {
	uint64_t bytes[NODE_SIZE / 8];
	const uint64_t *pivots, *slots;
	unsigned type, pivot_count, slot_count;
};

// Arrays of a node by their offset; both must lie in it, or the kernel's types are not what we
// know.
static bool arrays(const struct gb_kernel *k, struct node *n, enum gb_member_id pivot,
		   enum gb_member_id slot)
{
	uint64_t p = gb_offset(k, pivot), s = gb_offset(k, slot);
	uint32_t p_size = k->offsets.members[pivot].size, s_size = k->offsets.members[slot].size;

	if (!gb_has(k, pivot) || !gb_has(k, slot) || p % 8 || s % 8 || p + p_size > NODE_SIZE ||
	    s + s_size > NODE_SIZE)
		return false;
	n->pivots = n->bytes + p / 8;
	n->slots = n->bytes + s / 8;
	n->pivot_count = p_size / 8;
	n->slot_count = s_size / 8;
	return true;
}

// Every second node of a tree leads to a VMA that no other leads to: so much for each, and for the
// way down to the first.
static bool take_node(struct walk *w)
{
	if (w->l->share.nodes == 0 || w->nodes > 2 * (uint64_t)w->l->vma_count + 64)
		return false;
	w->l->share.nodes--;
	w->nodes++;
	return true;
}

static bool read_node(struct walk *w, uint64_t entry, struct node *n)
{
	const struct gb_kernel *k = w->l->k;

	n->type = entry >> 3 & 15;
	if (!take_node(w) ||
	    gb_listing_read(w->l, entry & ~(uint64_t)0xff, n->bytes, NODE_SIZE) != 0)
		return false;
	if (n->type == MAPLE_ARANGE)
		return arrays(k, n, GB_M_MAPLE_ARANGE_PIVOT, GB_M_MAPLE_ARANGE_SLOT);
	return (n->type == MAPLE_LEAF || n->type == MAPLE_RANGE) &&
	       arrays(k, n, GB_M_MAPLE_RANGE_PIVOT, GB_M_MAPLE_RANGE_SLOT);
}

// Values up to 4096 are marks of the tree, not pointers (a gap, an entry that is being replaced).
static bool is_pointer(uint64_t entry)
{
	return entry > 4096;
}

static int walk_maple(struct walk *w, uint64_t entry, uint64_t max, int depth)
{
	struct node n;
	uint64_t last;

	if (depth > DEPTH_MAX || !read_node(w, entry, &n)) {
		w->broken = true;
		return 0;
	}
	for (unsigned i = 0; i < n.slot_count && !w->broken; i++) {
		uint64_t slot = n.slots[i];
		int r = 0;

		last = i < n.pivot_count ? n.pivots[i] : max;
		if ((i > 0 && last == 0) || last > max)
			last = max;
		if (is_pointer(slot) && n.type != MAPLE_LEAF)
			r = walk_maple(w, slot, last, depth + 1);
		else if (is_pointer(slot))
			r = add_vma(w, slot);
		if (r != 0)
			return r;
		if (is_pointer(slot) && n.type == MAPLE_LEAF && w->end != last + 1)
			w->broken = true;
		if (last == max)
			break;
	}
	return 0;
}

// In order, without a stack of our own that could overflow: the depth of a balanced tree is
// bounded.
static int walk_rb(struct walk *w, uint64_t node, int depth)
{
	const struct gb_kernel *k = w->l->k;
	uint64_t children[3], left, right;
	int r;

	if (!node || w->broken)
		return 0;
	if (depth > 64 || !take_node(w) ||
	    gb_listing_read(w->l, node, children, sizeof(children)) != 0) {
		w->broken = true;
		return 0;
	}
	left = children[gb_offset(k, GB_M_RB_LEFT) / 8 % 3];
	right = children[gb_offset(k, GB_M_RB_RIGHT) / 8 % 3];
	r = walk_rb(w, left, depth + 1);
	if (r == 0 && !w->broken)
		r = add_vma(w, node - gb_offset(k, GB_M_VMA_RB));
	return r == 0 ? walk_rb(w, right, depth + 1) : r;
}

// The page of legacy system calls, which /proc shows as if it were a VMA of every 64-bit process
// (bit 1 of mm->context.flags). With vsyscall=none, and in a kernel without it, there is none.
static int add_gate(struct walk *w)
{
	const struct gb_kernel *k = w->l->k;
	uint64_t gate = k->symbol[GB_Y_GATE_VMA];
	struct gb_object *o = &w->l->object;
	uint32_t mode = 2, none = 2;
	struct gb_vma *v;

	if (!gate || !k->symbol[GB_Y_VSYSCALL_MODE] ||
	    (gb_has(k, GB_M_MM_CONTEXT_FLAGS) && !(gb_get(&w->l->mm, GB_M_MM_CONTEXT_FLAGS) & 2)) ||
	    gb_listing_read(w->l, k->symbol[GB_Y_VSYSCALL_MODE], &mode, 4) != 0 || mode == none ||
	    gb_listing_object(w->l, GB_S_VMA, gate, o) != 0)
		return 0;
	v = new_vma(w);
	if (!v)
		return GB_ENOMEM;
	*v = (struct gb_vma){
		.start = gb_get(o, GB_M_VMA_START),
		.end = gb_get(o, GB_M_VMA_END),
		.flags = gb_get(o, GB_M_VMA_FLAGS),
		.name = "[vsyscall]",
	};
	w->l->vma_count++;
	return 0;
}

static int walk_tree(struct walk *w)
{
	struct gb_listing *l = w->l;
	uint64_t root;

	if (!gb_has(l->k, GB_M_MM_MT))
		return walk_rb(w, gb_get(&l->mm, GB_M_MM_RB), 0);
	root = gb_get(&l->mm, GB_M_MM_MT);
	if (is_pointer(root) && (root & 3) == 2)
		return walk_maple(w, root, UINT64_MAX, 0);
	return is_pointer(root) ? add_vma(w, root) : 0;
}

int gb_vmas_read(struct gb_listing *l, struct gb_process *p, struct gb_error *err)
{
	struct walk w = {.l = l, .p = p, .err = err};
	int r;

	l->vma_count = 0;
	r = walk_tree(&w);
	if (r != 0)
		return r;
	p->torn |= w.broken || l->vma_count != p->vma_count;
	r = add_gate(&w);
	p->vma_count = l->vma_count;
	p->vmas = r == 0 ? gb_arena_array(l->arena, p->vma_count + 1, sizeof(*p->vmas)) : NULL;
	if (!p->vmas)
		return gb_fail(err, GB_ENOMEM, "no memory for a process's memory map");
	if (p->vma_count)
		memcpy(p->vmas, l->vmas, p->vma_count * sizeof(*p->vmas));
	return 0;
}
