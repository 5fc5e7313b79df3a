// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The owner of every frame.
//
// First what struct page says of each frame, in one pass over all of them. Then what the kernel's
// own page tables and lists add: page tables, stacks, vmalloc areas, modules, the map of struct
// pages, free frames that a CPU keeps for itself. Last the processes, by pid: whoever maps a frame
// first is named as its owner.
#include "kernel/frames.h"

#include "base/hash.h"
#include "kernel/owners.h"

#include <stdlib.h>
#include <sys/random.h>

#define TOUCHES_MAX ((uint64_t)1 << 28) // about a second
#define CHUNK_BYTES ((size_t)64 << 10)

uint32_t gb_owner_add(struct gb_classify *c, struct gb_owner owner)
{
	struct gb_owners *o = c->f->owners;

	if (o->count == o->cap) {
		uint32_t cap = o->cap ? 2 * o->cap : 256;
		struct gb_owner *more = realloc(o->list, cap * sizeof(*more));

		if (!more) {
			gb_fail(c->err, GB_ENOMEM, "no memory for the owners of frames");
			return 0;
		}
		o->list = more;
		o->cap = cap;
	}
	o->list[o->count] = owner;
	return o->count++;
}

static uint32_t slot_of(const struct gb_owners *o, enum gb_owner_kind kind, uint64_t at)
{
	const uint64_t key[3] = {o->seed, kind, at};

	return (uint32_t)gb_hash(key, sizeof(key)) & o->hash_mask;
}

static int rehash(struct gb_classify *c, uint32_t cap)
{
	struct gb_owners *o = c->f->owners;
	uint32_t *hash = calloc(cap, sizeof(*hash));

	if (!hash)
		return gb_fail(c->err, GB_ENOMEM, "no memory for the owners of frames");
	free(o->hash);
	o->hash = hash;
	o->hash_mask = cap - 1;
	for (uint32_t i = 1; i < o->count; i++) {
		uint32_t slot = slot_of(o, o->list[i].kind, o->list[i].at);

		if (o->list[i].kind != GB_OWNER_SLAB && o->list[i].kind != GB_OWNER_FILE)
			continue;
		while (hash[slot])
			slot = (slot + 1) & o->hash_mask;
		hash[slot] = i;
	}
	return 0;
}

uint32_t gb_owner_of_address(struct gb_classify *c, enum gb_owner_kind kind, uint64_t at)
{
	struct gb_owners *o = c->f->owners;
	uint32_t slot = slot_of(o, kind, at), owner;

	for (; o->hash[slot]; slot = (slot + 1) & o->hash_mask)
		if (o->list[o->hash[slot]].at == at && o->list[o->hash[slot]].kind == kind)
			return o->hash[slot];
	owner = gb_owner_add(c, (struct gb_owner){.kind = kind, .at = at});
	o->hash[slot] = owner;
	if (owner && ++o->hashed > o->hash_mask / 2 && rehash(c, 2 * (o->hash_mask + 1)) != 0)
		return 0;
	return owner;
}

int gb_leaf_frames(struct gb_classify *c, const struct gb_leaf *leaf, gb_frame_fn *fn, void *arg)
{
	struct gb_frame_run runs[GB_LAYOUT_MAX];
	size_t count = gb_layout_runs(c->layout, leaf->gpa, leaf->size, runs);
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		for (uint64_t n = 0; n < runs[i].count && r == 0; n++) {
			if (c->touches_left == 0)
				return GB_ERANGE;
			c->touches_left--;
			r = fn(arg, runs[i].first + n,
			       leaf->gva.v + runs[i].offset + (n << GB_PAGE_SHIFT));
		}
	}
	return r;
}

static enum gb_frame_class image_class(const struct gb_kernel *k, uint64_t va)
{
	if (va < k->symbol[GB_Y_ETEXT])
		return GB_FRAME_KERNEL_TEXT;
	if (va >= k->symbol[GB_Y_START_RODATA] && va < k->symbol[GB_Y_END_RODATA])
		return GB_FRAME_KERNEL_RODATA;
	return GB_FRAME_KERNEL_DATA;
}

// Owners that need no more than their name; made once, in this order.
enum { OWNER_IMAGE = 1, OWNER_ANON, OWNER_BUDDY, OWNER_BOOT, OWNER_FIRMWARE };

static int add_fixed_owners(struct gb_classify *c)
{
	static const enum gb_owner_kind kinds[] = {GB_OWNER_NONE, GB_OWNER_IMAGE,
						   GB_OWNER_ANON, GB_OWNER_BUDDY,
						   GB_OWNER_BOOT, GB_OWNER_FIRMWARE};

	c->f->owners->count = 0;
	c->f->owners->hashed = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (gb_owner_add(c, (struct gb_owner){.kind = kinds[i]}) == 0 && i > 0)
			return GB_ENOMEM;
	return rehash(c, 1024);
}

static void set_reserved(struct gb_classify *c, uint64_t index, uint64_t pfn)
{
	uint64_t va = (pfn << GB_PAGE_SHIFT) + c->k->image_delta;

	if (va >= c->k->image_start && va < c->k->image_end)
		gb_frame_set(c, index, image_class(c->k, va), OWNER_IMAGE);
	else
		gb_frame_set(c, index, GB_FRAME_RESERVED, OWNER_BOOT);
}

// What a frame is by its struct page. Returns 0 when host memory ran out.
static bool set_kind(struct gb_classify *c, uint64_t index, uint64_t pfn,
		     const struct gb_page *page)
{
	uint32_t owner = 1;

	c->f->kinds[index] = (uint8_t)page->kind;
	switch (page->kind) {
	case GB_PAGE_NONE:
		gb_frame_set(c, index, GB_FRAME_RESERVED, OWNER_FIRMWARE);
		break;
	case GB_PAGE_RESERVED:
		set_reserved(c, index, pfn);
		break;
	case GB_PAGE_BUDDY:
		gb_frame_set(c, index, GB_FRAME_FREE, OWNER_BUDDY);
		break;
	case GB_PAGE_SLAB:
		owner = gb_owner_of_address(c, GB_OWNER_SLAB, page->key);
		gb_frame_set(c, index, GB_FRAME_SLAB, owner);
		break;
	case GB_PAGE_TABLE:
		gb_frame_set(c, index, GB_FRAME_PAGE_TABLE, 0);
		break;
	case GB_PAGE_ANON:
		gb_frame_set(c, index, GB_FRAME_MAPPED, OWNER_ANON);
		break;
	case GB_PAGE_FILE:
		owner = gb_owner_of_address(c, GB_OWNER_FILE, page->key);
		gb_frame_set(c, index, GB_FRAME_PAGE_CACHE, owner);
		break;
	default:
		gb_frame_set(c, index, GB_FRAME_UNKNOWN, 0);
		break;
	}
	return owner != 0;
}

static void copy_frame(struct gb_classify *c, uint64_t from, uint64_t to)
{
	c->f->kinds[to] = c->f->kinds[from];
	c->f->classes[to] = c->f->classes[from];
	c->f->owner_of[to] = c->f->owner_of[from];
}

struct sweep {
	struct gb_classify *c;
	uint64_t free_until;           // a free block reaches up to this PFN
	uint64_t head_pfn, head_index; // of the last compound page
};

static bool sweep_page(struct sweep *s, const struct gb_pages *pages, size_t i, uint64_t index)
{
	struct gb_classify *c = s->c;
	uint64_t pfn = pages->first_pfn + i, head;
	struct gb_page page;

	gb_page_decode(c->k, pages, i, &page, &head);
	if (head != pfn) {
		if (head != s->head_pfn) {
			s->head_pfn = head;
			if (!gb_layout_index_of(c->layout, (gb_pfn){head}, &s->head_index))
				s->head_index = UINT64_MAX;
		}
		if (s->head_index < index) { // a head comes before its tails: it is known already
			copy_frame(c, s->head_index, index);
			return true;
		}
	}
	if (page.kind == GB_PAGE_BUDDY && pfn + ((uint64_t)1 << page.order) > s->free_until)
		s->free_until = pfn + ((uint64_t)1 << page.order);
	else if (page.kind == GB_PAGE_IDLE && pfn < s->free_until)
		page.kind = GB_PAGE_BUDDY;
	return set_kind(c, index, pfn, &page);
}

// A piece of the array of struct pages, page by page where not all of it is mapped.
static int read_pages(const struct gb_kernel *k, uint64_t va, uint8_t *bytes, size_t len)
{
	int r;

	if (!va) {
		memset(bytes, 0, len);
		return 0;
	}
	r = gb_read_va(k, va, bytes, len);
	if (r == 0 || r == GB_EGONE)
		return r;
	for (size_t done = 0; done < len;) {
		size_t n = GB_PAGE_SIZE - (va + done) % GB_PAGE_SIZE;

		if (n > len - done)
			n = len - done;
		if (gb_read_va(k, va + done, bytes + done, n) != 0)
			memset(bytes + done, 0, n);
		done += n;
	}
	return 0;
}

static int sweep_segment(struct sweep *s, const struct gb_segment *segment, uint64_t index,
			 uint8_t *bytes)
{
	const struct gb_kernel *k = s->c->k;
	uint64_t pfn = segment->gpa.v >> GB_PAGE_SHIFT,
		 end = pfn + (segment->size >> GB_PAGE_SHIFT);
	uint64_t each = CHUNK_BYTES / k->page.size;

	s->free_until = 0;
	while (pfn < end) {
		struct gb_pages pages = {pfn, bytes, gb_page_address(k, pfn)};
		// not across a section, which may have another array
		uint64_t n = (pfn | 0x7fff) + 1 - pfn;
		int r;

		n = n < each ? n : each;
		n = n < end - pfn ? n : end - pfn;
		r = read_pages(k, pages.va, bytes, n * k->page.size);
		if (r != 0)
			return gb_fail(s->c->err, r, "the guest's RAM went away");
		for (size_t i = 0; i < n; i++)
			if (!sweep_page(s, &pages, i, index + i))
				return GB_ENOMEM;
		pfn += n;
		index += n;
	}
	return 0;
}

static int sweep_pages(struct gb_classify *c)
{
	struct sweep s = {.c = c, .head_pfn = UINT64_MAX};
	uint8_t *bytes = malloc(CHUNK_BYTES);
	uint64_t index = 0;
	int r = 0;

	if (!bytes)
		return gb_fail(c->err, GB_ENOMEM, "no memory for the owners of frames");
	for (size_t i = 0; i < c->layout->count && r == 0; i++) {
		r = sweep_segment(&s, &c->layout->segments[i], index, bytes);
		index += c->layout->segments[i].size >> GB_PAGE_SHIFT;
	}
	free(bytes);
	return r;
}

static int prepare(struct gb_frames *f, size_t count, struct gb_error *err)
{
	if (f->count != count) {
		gb_frames_deinit(f);
		f->classes = calloc(count, sizeof(*f->classes));
		f->kinds = calloc(count, sizeof(*f->kinds));
		f->pids = calloc(count, sizeof(*f->pids));
		f->mappers = calloc(count, sizeof(*f->mappers));
		f->owner_of = calloc(count, sizeof(*f->owner_of));
		f->owners = calloc(1, sizeof(*f->owners));
		if (f->owners)
			f->owners->counted = calloc(count, sizeof(*f->owners->counted));
		if (f->owners && getrandom(&f->owners->seed, 8, 0) != 8)
			return gb_fail_os(err, "no random number for the owners of frames");
		f->count = count;
	} else {
		memset(f->pids, 0, count * sizeof(*f->pids));
		memset(f->mappers, 0, count * sizeof(*f->mappers));
	}
	f->cut = false;
	if (f->classes && f->kinds && f->pids && f->mappers && f->owner_of && f->owners &&
	    f->owners->counted)
		return 0;
	gb_frames_deinit(f);
	return gb_fail(err, GB_ENOMEM, "no memory for the owners of %zu frames", count);
}

static void count_classes(struct gb_frames *f)
{
	uint32_t counts[4][GB_FRAME_CLASS_COUNT] = {};
	size_t i;

	// four tables: the same class many times in a row would wait for its own counter
	for (i = 0; i + 4 <= f->count; i += 4)
		for (int j = 0; j < 4; j++)
			counts[j][f->classes[i + j]]++;
	for (; i < f->count; i++)
		counts[0][f->classes[i]]++;
	for (int class = 0; class < GB_FRAME_CLASS_COUNT; class ++)
		f->by_class[class] = (uint64_t)counts[0][class] + counts[1][class] +
				     counts[2][class] + counts[3][class];
}

int gb_frames_classify(struct gb_kernel *k, const struct gb_processes *p, struct gb_frames *frames,
		       struct gb_error *err)
{
	struct gb_classify c = {
		.k = k,
		.layout = gb_ram_layout(k->ram),
		.p = p,
		.f = frames,
		.touches_left = 64 * gb_ram_frames(k->ram) + TOUCHES_MAX,
		.tables_left = 4 * gb_ram_frames(k->ram) + 4096,
		.free_left = 4 * gb_ram_frames(k->ram) + 65536,
		.err = err,
	};
	int r = prepare(frames, gb_ram_frames(k->ram), err);

	if (r == 0)
		r = add_fixed_owners(&c);
	if (r == 0)
		r = sweep_pages(&c);
	if (r == 0)
		r = gb_classify_kernel(&c);
	if (r == 0)
		r = gb_classify_users(&c);
	if (r == 0)
		count_classes(frames);
	return r;
}

void gb_frames_deinit(struct gb_frames *f)
{
	if (f->owners) {
		free(f->owners->counted);
		free(f->owners->list);
		free(f->owners->hash);
	}
	free(f->owners);
	free(f->owner_of);
	free(f->mappers);
	free(f->pids);
	free(f->kinds);
	free(f->classes);
	*f = (struct gb_frames){};
}
