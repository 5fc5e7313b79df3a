// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Kernel virtual memory.
//
// Two mappings of the kernel are linear for as long as it runs: the direct map of all RAM from
// page_offset_base on, and its own image. What lies in them needs no page walk, and that is nearly
// every object that the slab allocator hands out.
#include "kernel/internal.h"
#include "kernel/memory.h"

int gb_kernel_locate(const struct gb_kernel *k, uint64_t va, gb_gpa *ret)
{
	struct gb_walk walk;
	int r;

	if (va >= k->info.page_offset.v && va < k->direct_end) {
		ret->v = va - k->info.page_offset.v;
		return 0;
	}
	if (va >= k->image_start && va < k->image_end) {
		ret->v = va - k->image_delta;
		return 0;
	}
	r = gb_walk(k->ram, k->info.space, (gb_gva){va}, &walk, NULL);
	if (r == 0)
		*ret = walk.gpa;
	return r;
}

static int read_pages(const struct gb_kernel *k, uint64_t va, char *p, size_t len, size_t *done_ret)
{
	*done_ret = 0;
	while (*done_ret < len) {
		size_t n = GB_PAGE_SIZE - (va + *done_ret) % GB_PAGE_SIZE;
		gb_gpa gpa;
		int r = gb_kernel_locate(k, va + *done_ret, &gpa);

		if (n > len - *done_ret)
			n = len - *done_ret;
		if (r == 0)
			r = gb_ram_read(k->ram, gpa, p + *done_ret, n, NULL);
		if (r != 0)
			return r;
		*done_ret += n;
	}
	return 0;
}

bool gb_kernel_is_linear(const struct gb_kernel *k, uint64_t va, size_t len)
{
	uint64_t end = va + len;

	if (end < va)
		return false;
	return (va >= k->info.page_offset.v && end <= k->direct_end) ||
	       (va >= k->image_start && end <= k->image_end);
}

int gb_kernel_read(const struct gb_kernel *k, gb_gva gva, void *ret, size_t len,
		   struct gb_error *err)
{
	size_t done = 0;
	gb_gpa gpa;
	int r;

	if (gb_kernel_is_linear(k, gva.v, len)) {
		gb_kernel_locate(k, gva.v, &gpa);
		r = gb_ram_read(k->ram, gpa, ret, len, NULL);
	} else {
		r = read_pages(k, gva.v, ret, len, &done);
	}
	if (r == GB_EGONE)
		return gb_fail(err, r, "the guest's RAM went away");
	if (r != 0)
		return gb_fail_at(err, r, gva.v + done, "no kernel memory is mapped");
	return 0;
}

int gb_kernel_read_string(const struct gb_kernel *k, gb_gva gva, char *ret, size_t size,
			  struct gb_error *err)
{
	size_t done = 0, end;
	int r = 0;

	gb_assert(size > 0);
	// page by page: a string at the end of a mapping must not fail for what lies behind it
	for (end = 0; end < size - 1 && r == 0 && !memchr(ret, 0, end); end += done) {
		size_t n = GB_PAGE_SIZE - (gva.v + end) % GB_PAGE_SIZE;

		if (n > size - 1 - end)
			n = size - 1 - end;
		r = read_pages(k, gva.v + end, ret + end, n, &done);
	}
	if (end == 0 && r != 0)
		return gb_fail_at(err, r, gva.v, "no kernel memory is mapped");
	ret[end] = 0;
	return 0;
}

int gb_kernel_translate(const struct gb_kernel *k, gb_gva gva, gb_gpa *ret, struct gb_error *err)
{
	int r = gb_kernel_locate(k, gva.v, ret);

	if (r != 0)
		return gb_fail_at(err, r, gva.v, "no kernel memory is mapped");
	return 0;
}

int gb_object_read(const struct gb_kernel *k, enum gb_struct_id type, uint64_t va,
		   struct gb_object *ret)
{
	int32_t from = k->offsets.structs[type].from, to = k->offsets.structs[type].to;

	if (from < 0)
		return GB_ENOTFOUND;
	ret->type = type;
	ret->offsets = &k->offsets;
	return gb_kernel_read(k, (gb_gva){va + (uint32_t)from}, ret->bytes, (size_t)(to - from),
			      NULL);
}

size_t gb_object_text(const struct gb_object *o, enum gb_member_id m, char *ret, size_t max)
{
	size_t size = o->offsets->members[m].size, len;

	*ret = 0;
	if (o->offsets->members[m].at < 0)
		return 0;
	if (size > 64)
		size = 64;
	if (size > max - 1)
		size = max - 1;
	len = strnlen((const char *)gb_object_at(o, m), size);
	memcpy(ret, gb_object_at(o, m), len);
	ret[len] = 0;
	return len;
}
