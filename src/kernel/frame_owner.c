// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The owner of a frame in words.
#include "kernel/owners.h"
#include "kernel/symbols.h"

#include <inttypes.h>

#define STEPS_MAX 64

struct words {
	const struct gb_kernel *k;
	const struct gb_processes *p;
	const struct gb_frames *f;
	struct gb_buf *out;
	size_t index;
};

static void add_string(struct words *w, uint64_t va, size_t max)
{
	char text[256];

	if (va && gb_kernel_read_string(w->k, (gb_gva){va}, text, max < 256 ? max : 256, NULL) == 0)
		gb_buf_add_str(w->out, text);
	else
		gb_buf_add_str(w->out, "?");
}

static void add_symbol(struct words *w, uint64_t va)
{
	struct gb_symbol s;
	uint64_t offset;

	if (gb_symbol_nearest(w->k, (gb_gva){va}, &s, &offset) != 0)
		gb_buf_printf(w->out, "0x%" PRIx64, va);
	else if (offset)
		gb_buf_printf(w->out, "%s+0x%" PRIx64, s.name, offset);
	else
		gb_buf_add_str(w->out, s.name);
}

static void describe_image(struct words *w)
{
	gb_pfn pfn = {0};

	gb_layout_pfn_of(gb_ram_layout(w->k->ram), w->index, &pfn);
	gb_buf_add_str(w->out, "kernel at ");
	add_symbol(w, gb_pfn_gpa(pfn).v + w->k->image_delta);
}

static const char *vma_words(const struct gb_vma *v)
{
	if (strcmp(v->name, "[heap]") == 0)
		return "heap";
	if (strcmp(v->name, "[stack]") == 0)
		return "stack";
	if (*v->name)
		return v->name;
	return v->file.v ? "file" : "anonymous";
}

static void describe_vma(struct words *w, const struct gb_owner *o)
{
	const struct gb_process *p = o->index < w->p->count ? &w->p->list[o->index] : NULL;

	gb_buf_printf(w->out, "pid %" PRId32, o->pid);
	if (!p || p->pid != o->pid || !p->vmas || o->at >= p->vma_count)
		return; // not the list it was classified with
	gb_buf_printf(w->out, " %s %s", p->comm, vma_words(&p->vmas[o->at]));
	if (w->f->mappers[w->index] > 1)
		gb_buf_printf(w->out, " and %" PRIu32 " more", w->f->mappers[w->index] - 1);
}

static void describe_thread(struct words *w, const struct gb_owner *o)
{
	gb_buf_printf(w->out, "kernel stack of tid %" PRId32, o->pid);
	for (size_t i = 0; i < w->p->count; i++)
		for (size_t j = 0; j < w->p->list[i].thread_count; j++)
			if (w->p->list[i].threads[j].tid == o->pid) {
				gb_buf_printf(w->out, " %s", w->p->list[i].threads[j].comm);
				return;
			}
}

static void describe_slab(struct words *w, uint64_t cache)
{
	struct gb_object o;

	if (!cache) {
		gb_buf_add_str(w->out, "large kmalloc");
		return;
	}
	gb_buf_add_str(w->out, "slab ");
	if (gb_object_read(w->k, GB_S_CACHE, cache, &o) == 0)
		add_string(w, gb_get(&o, GB_M_CACHE_NAME), 64);
}

// Names from a dentry up to the root of its file system, written back to front.
static void add_dentries(struct words *w, uint64_t dentry)
{
	char text[1024];
	size_t at = sizeof(text);
	struct gb_object o;

	for (int steps = STEPS_MAX; steps > 0; steps--) {
		uint64_t parent, len;

		if (gb_object_read(w->k, GB_S_DENTRY, dentry, &o) != 0)
			break;
		parent = gb_get(&o, GB_M_DENTRY_PARENT);
		len = gb_get(&o, GB_M_DENTRY_LEN) & UINT32_MAX;
		if (parent == dentry || len > 255 || len + 1 > at)
			break;
		if (gb_read_va(w->k, gb_get(&o, GB_M_DENTRY_NAME), text + at - len, len) != 0)
			break;
		at -= len + 1;
		text[at] = '/';
		dentry = parent;
	}
	gb_buf_add(w->out, text + at, sizeof(text) - at);
}

static void describe_file(struct words *w, uint64_t mapping)
{
	uint64_t host, sb, type, alias;
	struct gb_object o;

	gb_buf_add_str(w->out, "file ");
	if (gb_object_read(w->k, GB_S_ADDRESS_SPACE, mapping, &o) != 0)
		return;
	host = gb_get(&o, GB_M_ADDRESS_SPACE_HOST);
	if (!host || gb_object_read(w->k, GB_S_INODE, host, &o) != 0)
		return;
	sb = gb_get(&o, GB_M_INODE_SB);
	alias = gb_get(&o, GB_M_INODE_ALIAS);
	if (alias && gb_has(w->k, GB_M_DENTRY_ALIAS))
		add_dentries(w, alias - gb_offset(w->k, GB_M_DENTRY_ALIAS));
	else
		gb_buf_printf(w->out, "inode %" PRIu64, gb_get(&o, GB_M_INODE_INO));
	if (gb_object_read(w->k, GB_S_SUPER, sb, &o) != 0)
		return;
	type = gb_get(&o, GB_M_SUPER_TYPE);
	if (gb_object_read(w->k, GB_S_FS_TYPE, type, &o) != 0)
		return;
	gb_buf_add_str(w->out, " in ");
	add_string(w, gb_get(&o, GB_M_FS_TYPE_NAME), 64);
}

static void describe_table(struct words *w, const struct gb_owner *o)
{
	const struct gb_process *p = gb_process_find(w->p, o->pid);

	if (!o->pid)
		gb_buf_add_str(w->out, "page table of the kernel");
	else
		gb_buf_printf(w->out, "page table of pid %" PRId32 "%s%s", o->pid, p ? " " : "",
			      p ? p->comm : "");
}

// A frame without an owner: what its struct page says is all there is.
static void describe_none(struct words *w)
{
	static const char *const words[GB_PAGE_KIND_COUNT] = {
		[GB_PAGE_TABLE] = "page table of nobody",
		[GB_PAGE_MAPPED] = "mapped by a driver",
		[GB_PAGE_OTHER] = "kernel",
		[GB_PAGE_IDLE] = "kernel, part of a larger allocation or free",
	};
	const char *text = words[w->f->kinds[w->index] % GB_PAGE_KIND_COUNT];

	gb_buf_add_str(w->out, text ? text : "");
}

static void describe(struct words *w, const struct gb_owner *o)
{
	switch (o->kind) {
	case GB_OWNER_NONE:
		describe_none(w);
		break;
	case GB_OWNER_IMAGE:
		describe_image(w);
		break;
	case GB_OWNER_VMA:
		describe_vma(w, o);
		break;
	case GB_OWNER_ANON:
		gb_buf_add_str(w->out, "anonymous memory that nobody maps");
		break;
	case GB_OWNER_STACK:
		describe_thread(w, o);
		break;
	case GB_OWNER_TABLE:
		describe_table(w, o);
		break;
	case GB_OWNER_SLAB:
		describe_slab(w, o->at);
		break;
	case GB_OWNER_FILE:
		describe_file(w, o->at);
		break;
	case GB_OWNER_VMALLOC:
		gb_buf_add_str(w->out, "vmalloc by ");
		add_symbol(w, o->at);
		break;
	case GB_OWNER_MODULE:
		gb_buf_add_str(w->out, "module ");
		add_string(w, o->at + gb_offset(w->k, GB_M_MODULE_NAME), 56);
		break;
	case GB_OWNER_PERCPU:
		gb_buf_printf(w->out, "per-CPU data of CPU %" PRIu32, o->index);
		break;
	case GB_OWNER_VMEMMAP:
		gb_buf_add_str(w->out, "struct pages");
		break;
	case GB_OWNER_PCP:
		gb_buf_add_str(w->out, "free, kept by a CPU");
		break;
	case GB_OWNER_BUDDY:
		gb_buf_add_str(w->out, "free");
		break;
	case GB_OWNER_BOOT:
		gb_buf_add_str(w->out, "reserved at boot");
		break;
	case GB_OWNER_FIRMWARE:
		gb_buf_add_str(w->out, "firmware or no struct page");
		break;
	}
}

void gb_frame_describe(struct gb_kernel *k, const struct gb_processes *p,
		       const struct gb_frames *frames, size_t index, struct gb_buf *out)
{
	struct words w = {.k = k, .p = p, .f = frames, .out = out, .index = index};

	gb_assert(index < frames->count);
	describe(&w, &frames->owners->list[frames->owner_of[index]]);
}
