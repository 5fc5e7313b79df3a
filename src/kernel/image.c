// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Raw images: RAM without the machine that says where it lies.
#include "kernel/image.h"

#include "kernel/image_proof.h"

#include <inttypes.h>
#include <stdio.h>

#define MIB(bytes) ((bytes) >> 20)
#define HINT_ROOM 64

// An image that is being opened.
struct opening {
	const char *path;
	uint64_t size, split; // split 0: nobody said it
	bool found;           // a kernel, whether it is understood or not
	struct gb_kernel_reach reach;
};

static int split_layout(uint64_t size, uint64_t low, struct gb_layout *ret, struct gb_error *err)
{
	struct gb_layout l = {};
	int r = gb_layout_add(&l, (struct gb_segment){.size = low}, err);

	if (r == 0)
		r = gb_layout_add(&l, (struct gb_segment){{GB_HOLE_END}, size - low, low}, err);
	if (r == 0)
		*ret = l;
	return r;
}

// Where it was split, by the kernel: its RAM below 4 GiB ends where firmware's begins, just below.
static const char *hint(const struct gb_kernel_reach *reach, char ret[HINT_ROOM])
{
	uint64_t low = MIB(reach->low_end + ((uint64_t)1 << 20) - 1);

	if (low)
		snprintf(ret, HINT_ROOM, "its kernel's ends at %" PRIu64 "M there", low);
	else
		snprintf(ret, HINT_ROOM, "2G on a q35 machine");
	return ret;
}

static int fail_unfit(uint64_t size, const struct gb_kernel_reach *reach, struct gb_error *err)
{
	char where[HINT_ROOM];

	return gb_fail(
		err, GB_EUNKNOWN,
		"the kernel's RAM ends at %" PRIu64 " MiB, with %" PRIu64
		" MiB above 4 GiB, and read so this image of %" PRIu64
		" MiB makes no sense: it is cut short or damaged, or --split must say how much "
		"RAM lay below the PCI hole (%s)",
		MIB(reach->end), MIB(reach->end - GB_HOLE_END), MIB(size), hint(reach, where));
}

static int fail_split(const struct opening *o, struct gb_error *err)
{
	char where[HINT_ROOM];

	return gb_fail(
		err, GB_EUNKNOWN,
		"with %" PRIu64 " MiB of RAM below the PCI hole this image of %" PRIu64
		" MiB makes no sense: --split is wrong, or the image is cut short or damaged; leave "
		"--split out, or say how much lay there (%s)",
		MIB(o->split), MIB(o->size), hint(&o->reach, where));
}

static int fail_unproved(const struct opening *o, struct gb_error *err)
{
	char where[HINT_ROOM];

	return gb_fail(
		err, GB_EUNKNOWN,
		"the kernel's RAM ends at %" PRIu64
		" MiB, and it has hardly started: nothing in it proves where this image of %" PRIu64
		" MiB lay; --split must say how much RAM lay below the PCI hole (%s; 4G if the "
		"image holds the hole, too)",
		MIB(o->reach.end), MIB(o->size), hint(&o->reach, where));
}

int gb_image_fit(uint64_t size, const struct gb_kernel_reach *reach, struct gb_layout *ret,
		 uint64_t *missing_ret, struct gb_error *err)
{
	uint64_t end = reach->end, above = end > GB_HOLE_END ? end - GB_HOLE_END : 0;
	struct gb_layout l;
	int r = 0;

	gb_layout_identity(size, &l);
	if (above && size < end) { // a file that is larger holds the hole, too
		if (size <= above || size - above > GB_HOLE_END)
			return fail_unfit(size, reach, err);
		r = split_layout(size, size - above, &l, err);
	}
	if (r != 0)
		return r;
	*ret = l;
	*missing_ret = !above && end > size ? end - size : 0;
	return 0;
}

// A file that ends below the hole lacks the rest of what lies there, and all that lies above.
static uint64_t low_missing(uint64_t size, uint64_t split, uint64_t end)
{
	if (end && end <= GB_HOLE_END)
		return end > size ? end - size : 0;
	return split - size + (end ? end - GB_HOLE_END : 0);
}

int gb_image_split(uint64_t size, uint64_t split, const struct gb_kernel_reach *reach,
		   struct gb_layout *ret, uint64_t *missing_ret, struct gb_error *err)
{
	uint64_t end;
	int r;

	if (!split || split > GB_HOLE_END || split % GB_PAGE_SIZE)
		return gb_fail(err, GB_EUSAGE,
			       "what lies below the PCI hole is whole pages, and at most 4 GiB");
	if (split >= size) {
		gb_layout_identity(size, ret);
		*missing_ret = low_missing(size, split, reach->end);
		return 0;
	}
	r = split_layout(size, split, ret, err);
	if (r != 0)
		return r;
	end = gb_layout_end(ret).v;
	*missing_ret = reach->end > end ? reach->end - end : 0;
	return 0;
}

// The kernel in an image that is open. That there is none that is understood is no failure here.
static int find(struct gb_image *i, struct gb_kernel_reach *reach_ret, struct gb_error *err)
{
	struct gb_kernel_options options = {.reach = reach_ret};
	int r = gb_kernel_open(i->ram, &options, &i->kernel, &i->why);

	if (r == 0 || r == GB_EUNKNOWN)
		return 0;
	if (err)
		*err = i->why;
	return r;
}

static int open_as(const char *path, const struct gb_layout *layout, struct gb_image *i,
		   struct gb_error *err)
{
	gb_image_close(i);
	return gb_ram_open(path, layout, &i->ram, err);
}

// RAM that ends below the hole lies as it does in the file, whatever is said of it.
static bool must_be_proved(const struct opening *o, const struct gb_layout *layout)
{
	uint64_t low = o->split ? o->split : GB_HOLE_END;

	return o->found && (o->reach.end > low || layout->count > 1);
}

// Where RAM ends below the hole in this layout; 0: that is not known, or the file holds the hole, too.
static uint64_t low_of(const struct opening *o, const struct gb_layout *layout)
{
	uint64_t low = layout->count > 1 ? layout->segments[0].size : o->split;

	return low == GB_HOLE_END && o->size > GB_HOLE_END ? 0 : low;
}

// What nothing proves is believed of who says it, and not without a word.
static int prove(const struct opening *o, const struct gb_layout *layout,
		 const struct gb_kernel_reach *reach, struct gb_image *i, struct gb_error *err)
{
	enum gb_image_proof proof = gb_image_prove(i->kernel, low_of(o, layout), reach);

	i->unproved = proof == GB_IMAGE_UNPROVED;
	if (proof == GB_IMAGE_PROVED || (i->unproved && o->split))
		return 0;
	if (i->unproved)
		return fail_unproved(o, err);
	return o->split ? fail_split(o, err) : fail_unfit(o->size, &o->reach, err);
}

// The image was opened as it lies in the file, and what kernel is in it was found so.
static int place(const struct opening *o, struct gb_image *i, struct gb_error *err)
{
	struct gb_kernel_reach reach = o->reach;
	struct gb_layout layout;
	uint64_t missing;
	int r = o->split ? gb_image_split(o->size, o->split, &o->reach, &layout, &missing, err)
			 : gb_image_fit(o->size, &o->reach, &layout, &missing, err);

	if (r == 0 && layout.count > 1) {
		reach = (struct gb_kernel_reach){};
		r = open_as(o->path, &layout, i, err);
		if (r == 0)
			r = find(i, &reach, err);
	}
	if (r != 0)
		return r;
	i->missing = missing;
	return must_be_proved(o, &layout) ? prove(o, &layout, &reach, i, err) : 0;
}

// Without a word about where it lies, the bytes of the file can still be read.
static int leave_unplaced(const struct opening *o, const struct gb_error *why, struct gb_image *i,
			  struct gb_error *err)
{
	int r = open_as(o->path, NULL, i, err);

	i->why = *why;
	i->unplaced = true;
	return r;
}

static int understand(struct opening *o, struct gb_image *i, struct gb_error *err)
{
	struct gb_error why = {};
	int r;

	o->size = gb_layout_size(gb_ram_layout(i->ram));
	r = find(i, &o->reach, err);
	if (r != 0)
		return r;
	o->found = i->kernel || o->reach.end;
	r = place(o, i, &why);
	if (r == GB_EUNKNOWN && !o->split)
		return leave_unplaced(o, &why, i, err);
	if (r != 0 && err)
		*err = why;
	return r;
}

int gb_image_open(const char *path, uint64_t split, struct gb_image *ret, struct gb_error *err)
{
	struct opening o = {.path = path, .split = split};
	struct gb_image i = {};
	int r = gb_ram_open(path, NULL, &i.ram, err);

	if (r == 0)
		r = understand(&o, &i, err);
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
