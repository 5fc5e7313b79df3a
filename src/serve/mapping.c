// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Who maps a frame, and which frames a process maps.
#include "serve/mapping.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "kernel/symbols.h"

#include <stdlib.h>
#include <string.h>

// Page tables read for one answer, over all processes: 1 GiB of tables would be 262,144.
#define TABLES_MAX 65536
#define MAPPERS_MAX 64
// How often each frame may be named by the large pages of one process, on average.
#define NAMED_PER_FRAME 16
#define KERNEL_LINK_BASE 0xffffffff81000000ull // VA(_text) without KASLR

static struct gb_space user_space(const struct gb_census *c, const struct gb_process *p)
{
	unsigned levels = gb_kernel_info(gb_guest_kernel_get(c->kernel))->paging_levels;

	return (struct gb_space){.root = p->pgd, .levels = levels};
}

static gb_gva user_last(struct gb_space s)
{
	return (gb_gva){s.levels == 5 ? 0x00ffffffffffffffull : 0x00007fffffffffffull};
}

struct mapper {
	const struct gb_process *process;
	gb_gva gva;
	uint64_t rights;
};

struct search {
	gb_gpa frame;
	const struct gb_process *process;
	struct mapper found[MAPPERS_MAX];
	size_t count, tables;
	bool more; // than were kept or looked at
};

static int on_leaf(void *arg, const struct gb_leaf *leaf)
{
	struct search *s = arg;
	uint64_t in = s->frame.v - leaf->gpa.v;

	if (in >= leaf->size)
		return 0;
	if (s->count == MAPPERS_MAX) {
		s->more = true;
		return 1;
	}
	s->found[s->count++] = (struct mapper){.process = s->process,
					       .gva = {leaf->gva.v + in},
					       .rights = leaf->rights};
	return 0;
}

static int on_table(void *arg, gb_gpa table, unsigned level)
{
	struct search *s = arg;

	(void)table;
	(void)level;
	s->tables++;
	return 0;
}

static int search_process(const struct gb_census *c, struct gb_ram *ram, struct search *s,
			  const struct gb_process *p, struct gb_error *err)
{
	struct gb_space space = user_space(c, p);
	struct gb_leaves how = {.last = user_last(space),
				.budget = TABLES_MAX - s->tables,
				.leaf = on_leaf,
				.table = on_table,
				.arg = s};
	int r;

	s->process = p;
	r = gb_space_leaves(ram, space, &how, err);
	if (r == GB_EGONE)
		return r;
	// A table that vanished under the walk, or too many of them: the answer says that it is not whole.
	s->more |= r != 0;
	return 0;
}

static int search_all(const struct gb_census *c, struct gb_ram *ram, struct search *s,
		      struct gb_error *err)
{
	for (size_t i = 0; i < c->processes.count; i++) {
		const struct gb_process *p = &c->processes.list[i];
		int r;

		if (p->pgd.v == 0)
			continue;
		if (s->tables >= TABLES_MAX || s->count == MAPPERS_MAX)
			return s->more = true, 0;
		r = search_process(c, ram, s, p, err);
		if (r != 0)
			return r;
	}
	return 0;
}

static const struct gb_vma *find_vma(const struct gb_process *p, gb_gva gva)
{
	for (size_t i = 0; p->vmas && i < p->vma_count; i++)
		if (gva.v >= p->vmas[i].start && gva.v < p->vmas[i].end)
			return &p->vmas[i];
	return NULL;
}

static void put_access(struct gb_json *j, const struct mapper *m)
{
	char text[4] = "r--";

	if (m && m->rights & GB_PTE_WRITE)
		text[1] = 'w';
	if (m && !(m->rights & GB_PTE_NX))
		text[2] = 'x';
	gb_json_pair(j, "access", str, m ? text : NULL);
}

static void put_mappers(struct gb_json *j, const struct search *s)
{
	gb_json_key(j, "mappers");
	gb_json_array(j);
	for (size_t i = 0; i < s->count; i++) {
		const struct mapper *m = &s->found[i];
		const struct gb_vma *v = find_vma(m->process, m->gva);

		gb_json_object(j);
		gb_json_pair(j, "pid", i64, m->process->pid);
		gb_json_pair(j, "comm", str, m->process->comm);
		gb_json_pair(j, "gva", hex, m->gva.v);
		gb_json_pair(j, "vma", str, v ? v->name : NULL);
		put_access(j, m);
		gb_json_end_object(j);
	}
	gb_json_end_array(j);
	gb_json_pair(j, "mappers_more", bool, s->more);
}

static bool in_image(enum gb_frame_class class)
{
	return class == GB_FRAME_KERNEL_TEXT || class == GB_FRAME_KERNEL_RODATA ||
	       class == GB_FRAME_KERNEL_DATA;
}

// The kernel's own address of a frame: in its image, else in the direct map; only if a walk of its
// page tables confirms it.
static bool kernel_address(const struct gb_census *c, struct gb_ram *ram, uint64_t index,
			   gb_gpa frame, struct mapper *ret)
{
	const struct gb_kernel_info *k = gb_kernel_info(gb_guest_kernel_get(c->kernel));
	uint64_t image = KERNEL_LINK_BASE + k->kaslr_slide + (frame.v - k->phys_base.v);
	gb_gva tries[] = {{in_image(c->frames.classes[index]) ? image : 0},
			  {k->page_offset.v + frame.v}};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct gb_walk w;

		if (tries[i].v && gb_walk(ram, k->space, tries[i], &w, NULL) == 0 &&
		    w.gpa.v == frame.v) {
			*ret = (struct mapper){.gva = tries[i], .rights = w.rights};
			return true;
		}
	}
	return false;
}

// "name+0x1f" of the first byte, for what lies in the kernel's image.
static void put_symbol(struct gb_json *j, const struct gb_census *c, const struct mapper *kernel)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	struct gb_symbol symbol;
	uint64_t offset;

	gb_json_key(j, "symbol");
	if (kernel &&
	    gb_symbol_nearest(gb_guest_kernel_get(c->kernel), kernel->gva, &symbol, &offset) == 0)
		gb_buf_printf(&text, offset ? "%s+0x%llx" : "%s", symbol.name,
			      (unsigned long long)offset);
	gb_json_str(j, text.data);
}

static void put_owner(struct gb_json *j, const struct gb_census *c, uint64_t index)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};

	gb_json_key(j, "owner");
	if (c->kernel)
		gb_frame_describe(gb_guest_kernel_get(c->kernel), &c->processes, &c->frames,
				  (size_t)index, &text);
	gb_json_str(j, text.data);
}

static void put_address(struct gb_json *j, const struct gb_census *c, struct gb_ram *ram,
			uint64_t index, const struct search *s)
{
	const struct mapper *m = s->count ? &s->found[0] : NULL;
	struct mapper kernel;

	if (!m && c->kernel && kernel_address(c, ram, index, s->frame, &kernel))
		m = &kernel;
	gb_json_key(j, "gva");
	if (m)
		gb_json_hex(j, m->gva.v);
	else
		gb_json_null(j);
	put_access(j, m);
	put_symbol(j, c, m == &kernel ? m : NULL);
}

static int has_data(struct gb_ram *ram, gb_gpa frame, bool *ret, struct gb_error *err)
{
	uint8_t bytes[GB_PAGE_SIZE];
	int r = gb_ram_read(ram, frame, bytes, sizeof(bytes), err);

	if (r == 0)
		*ret = bytes[0] || memcmp(bytes, bytes + 1, sizeof(bytes) - 1) != 0;
	return r;
}

int gb_mapping_frame(const struct gb_census *c, struct gb_ram *ram, uint64_t index,
		     struct gb_buf *out, struct gb_error *err)
{
	enum gb_frame_class class = c->frames.classes[index];
	int32_t pid = c->frames.pids[index];
	const struct gb_process *p = pid ? gb_process_find(&c->processes, pid) : NULL;
	struct gb_json j = gb_json_init(out);
	struct search s = {};
	bool data = false;
	gb_pfn pfn;
	int r;

	if (!gb_layout_pfn_of(gb_ram_layout(ram), index, &pfn))
		return gb_fail(err, GB_ENOTFOUND, "there is no such frame");
	s.frame = gb_pfn_gpa(pfn);
	r = has_data(ram, s.frame, &data, err);
	if (r == 0 && c->kernel && c->frames.mappers[index])
		r = search_all(c, ram, &s, err);
	if (r != 0)
		return r;
	gb_json_object(&j);
	gb_json_pair(&j, "index", u64, index);
	gb_json_pair(&j, "pfn", u64, pfn.v);
	gb_json_pair(&j, "gpa", hex, s.frame.v);
	gb_json_pair(&j, "class", str, gb_frame_class_name(class));
	gb_json_pair(&j, "group", str, gb_frame_group_info(gb_frame_class_group(class))->key);
	put_owner(&j, c, index);
	gb_json_pair(&j, "pid", i64, pid);
	gb_json_pair(&j, "comm", str, p ? p->comm : NULL);
	put_mappers(&j, &s);
	put_address(&j, c, ram, index, &s);
	gb_json_pair(&j, "data", bool, data);
	gb_json_pair(&j, "torn", bool, c->processes.torn || (p && p->torn));
	gb_json_pair(&j, "time_ns", u64, c->time_ns);
	gb_json_end_object(&j);
	return 0;
}

struct collect {
	const struct gb_layout *layout;
	uint64_t *seen; // one bit per frame
	uint64_t frames;
	uint64_t left; // frames that large pages may still name
};

// A guest can make one table of large pages and point to it from everywhere: what each large page
// names beyond one frame is counted.
static int collect_leaf(void *arg, const struct gb_leaf *leaf)
{
	struct gb_frame_run runs[GB_LAYOUT_MAX];
	struct collect *c = arg;
	size_t count = gb_layout_runs(c->layout, leaf->gpa, leaf->size, runs);

	for (size_t n = 0; n < count; n++) {
		if (runs[n].count - 1 > c->left)
			return GB_ERANGE;
		c->left -= runs[n].count - 1;
		for (uint64_t i = runs[n].first; i < runs[n].first + runs[n].count; i++)
			c->seen[i / 64] |= (uint64_t)1 << i % 64;
	}
	return 0;
}

static bool seen(const struct collect *c, uint64_t i)
{
	return i < c->frames && c->seen[i / 64] >> i % 64 & 1;
}

static void put_runs(struct gb_json *j, const struct collect *c)
{
	gb_json_key(j, "runs");
	gb_json_array(j);
	for (uint64_t i = 0; i < c->frames; i++) {
		uint64_t first = i;

		while (seen(c, i))
			i++;
		if (i == first)
			continue;
		gb_json_array(j);
		gb_json_u64(j, first);
		gb_json_u64(j, i - first);
		gb_json_end_array(j);
	}
	gb_json_end_array(j);
}

int gb_mapping_process(const struct gb_census *census, struct gb_ram *ram,
		       const struct gb_process *p, struct gb_buf *out, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) uint64_t *bits = NULL;
	struct collect c = {.layout = gb_ram_layout(ram),
			    .frames = gb_ram_frames(ram),
			    .left = NAMED_PER_FRAME * gb_ram_frames(ram)};
	struct gb_space space = user_space(census, p);
	struct gb_leaves how = {.last = user_last(space),
				.budget = TABLES_MAX,
				.leaf = collect_leaf,
				.arg = &c};
	struct gb_json j = gb_json_init(out);
	int r = 0;

	c.seen = bits = calloc((size_t)(c.frames / 64 + 1), sizeof(*bits));
	if (!bits)
		return gb_fail(err, GB_ENOMEM, "no memory for the frames of a process");
	if (p->pgd.v)
		r = gb_space_leaves(ram, space, &how, err);
	if (r == GB_EGONE)
		return r;
	gb_json_object(&j);
	gb_json_pair(&j, "pid", i64, p->pid);
	put_runs(&j, &c);
	gb_json_pair(&j, "torn", bool, r != 0);
	gb_json_end_object(&j);
	return 0;
}
