// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Raw images: RAM without the machine that says where it lies.
#include "kernel/image.h"

#include "base/cleanup.h"
#include "kernel/internal.h"
#include "kernel/process.h"

#include <inttypes.h>

#define HOLE_END ((uint64_t)1 << 32)
#define MIB(bytes) ((bytes) >> 20)

static int split_layout(uint64_t size, uint64_t low, struct gb_layout *ret, struct gb_error *err)
{
	struct gb_layout l = {};
	int r = gb_layout_add(&l, (struct gb_segment){.size = low}, err);

	if (r == 0)
		r = gb_layout_add(&l, (struct gb_segment){{HOLE_END}, size - low, low}, err);
	if (r == 0)
		*ret = l;
	return r;
}

static int fail_unfit(uint64_t size, uint64_t end, struct gb_error *err)
{
	return gb_fail(
		err, GB_EUNKNOWN,
		"the kernel's RAM ends at %" PRIu64 " MiB, with %" PRIu64
		" MiB above 4 GiB, and read so this image of %" PRIu64
		" MiB makes no sense: it is cut short or damaged, or --split must say how much "
		"of it lies below the PCI hole (2G on a q35 machine)",
		MIB(end), MIB(end - HOLE_END), MIB(size));
}

int gb_image_fit(uint64_t size, uint64_t end, struct gb_layout *ret, uint64_t *missing_ret,
		 struct gb_error *err)
{
	uint64_t above = end > HOLE_END ? end - HOLE_END : 0;

	*missing_ret = 0;
	if (above && size < end) { // a file that is larger holds the hole, too
		if (size <= above || size - above > HOLE_END)
			return fail_unfit(size, end, err);
		return split_layout(size, size - above, ret, err);
	}
	gb_layout_identity(size, ret);
	if (end > size)
		*missing_ret = end - size;
	return 0;
}

static bool text_is_reserved(const struct gb_kernel *k)
{
	uint64_t pfn = gb_gpa_pfn(k->info.phys_base).v, va = gb_page_address(k, pfn), head;
	uint8_t bytes[256];
	struct gb_pages pages = {.first_pfn = pfn, .bytes = bytes, .va = va};
	struct gb_page page;

	if (!va || k->page.size > sizeof(bytes) || gb_read_va(k, va, bytes, k->page.size) != 0)
		return false;
	gb_page_decode(k, &pages, 0, &page, &head);
	return page.kind == GB_PAGE_RESERVED;
}

static bool first_process_is_whole(struct gb_kernel *k)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	const struct gb_process *first;
	struct gb_processes p;

	if (gb_process_list(k, 0, &arena, &p, NULL) != 0)
		return false;
	first = gb_process_find(&p, 1);
	return first && !first->torn && !first->kernel_thread && first->mm.v;
}

static bool is_proved(struct gb_kernel *k)
{
	return k && text_is_reserved(k) && first_process_is_whole(k);
}

// The kernel in an image that is open. That there is none that is understood is no failure here.
static int find(struct gb_image *i, uint64_t *end_ret, struct gb_error *err)
{
	struct gb_kernel_options options = {.end = end_ret};
	int r = gb_kernel_open(i->ram, &options, &i->kernel, &i->why);

	if (r == 0 || r == GB_EUNKNOWN)
		return 0;
	if (err)
		*err = i->why;
	return r;
}

static int open_as(const char *path, const struct gb_layout *layout, struct gb_image *i,
		   uint64_t *end_ret, struct gb_error *err)
{
	int r;

	gb_image_close(i);
	r = gb_ram_open(path, layout, &i->ram, err);
	return r ? r : find(i, end_ret, err);
}

static int open_split(const char *path, uint64_t size, uint64_t split, struct gb_image *i,
		      struct gb_error *err)
{
	struct gb_layout layout;
	uint64_t end = 0;
	int r;

	if (split >= size || split > HOLE_END || split % GB_PAGE_SIZE)
		return gb_fail(err, GB_EUSAGE,
			       "an image of %" PRIu64 " MiB cannot be split there: it must be "
			       "whole pages, less than the image and at most 4 GiB",
			       MIB(size));
	r = split_layout(size, split, &layout, err);
	if (r == 0)
		r = open_as(path, &layout, i, &end, err);
	if (r == 0 && end > gb_layout_end(&layout).v)
		i->missing = end - gb_layout_end(&layout).v;
	if (r == 0 && i->kernel && !i->missing && !is_proved(i->kernel))
		r = gb_fail(err, GB_EUNKNOWN, "split at %" PRIu64 " MiB the image makes no sense",
			    MIB(split));
	return r;
}

static int open_found(const char *path, uint64_t size, struct gb_image *i, struct gb_error *err)
{
	struct gb_layout layout;
	uint64_t end = 0, missing;
	int r = find(i, &end, err);

	if (r == 0)
		r = gb_image_fit(size, end, &layout, &missing, err);
	if (r == 0 && layout.count > 1)
		r = open_as(path, &layout, i, NULL, err);
	if (r == 0 && layout.count > 1 && !is_proved(i->kernel))
		r = fail_unfit(size, end, err);
	if (r == 0)
		i->missing = missing;
	return r;
}

int gb_image_open(const char *path, uint64_t split, struct gb_image *ret, struct gb_error *err)
{
	struct gb_image i = {};
	int r = gb_ram_open(path, NULL, &i.ram, err);
	uint64_t size = r == 0 ? gb_layout_size(gb_ram_layout(i.ram)) : 0;

	if (r == 0)
		r = split ? open_split(path, size, split, &i, err)
			  : open_found(path, size, &i, err);
	if (r == 0)
		*ret = i;
	else
		gb_image_close(&i);
	return r;
}

void gb_image_close(struct gb_image *i)
{
	gb_kernel_close(i->kernel);
	gb_ram_close(i->ram);
	*i = (struct gb_image){};
}
