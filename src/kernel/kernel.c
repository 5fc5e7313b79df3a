// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Opening and closing.
#include "base/clock.h"
#include "kernel/find.h"
#include "kernel/types.h"

#include <stdlib.h>
#include <string.h>

int gb_kernel_open(struct gb_ram *ram, const struct gb_kernel_options *options,
		   struct gb_kernel **ret, struct gb_error *err)
{
	uint64_t start = gb_clock_ns();
	struct gb_kernel *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return gb_fail(err, GB_ENOMEM, "no memory to open the guest's kernel");
	k->ram = ram;
	r = gb_find_kernel(k, options ? options : &(struct gb_kernel_options){}, err);
	if (r != 0) {
		gb_kernel_close(k);
		return r;
	}
	k->info.symbols = k->symbols->count;
	k->info.btf_types = gb_btf_count(k->btf) - 1;
	k->info.attach_ms = (double)(gb_clock_ns() - start) / GB_MS;
	*ret = k;
	return 0;
}

void gb_kernel_close(struct gb_kernel *k)
{
	if (!k)
		return;
	gb_btf_destroy(k->btf);
	gb_kallsyms_destroy(k->symbols);
	free(k);
}

void gb_kernel_cleanup(struct gb_kernel **k)
{
	gb_kernel_close(*k);
}

// Field by field: between them lies what nobody wrote.
static bool same_info(const struct gb_kernel_info *a, const struct gb_kernel_info *b)
{
	return strcmp(a->banner, b->banner) == 0 && a->paging_levels == b->paging_levels &&
	       a->pti == b->pti && a->kaslr_slide == b->kaslr_slide &&
	       a->phys_base.v == b->phys_base.v && a->page_offset.v == b->page_offset.v &&
	       a->vmemmap.v == b->vmemmap.v && a->vmalloc.v == b->vmalloc.v &&
	       a->space.root.v == b->space.root.v;
}

bool gb_kernel_same(const struct gb_kernel *a, const struct gb_kernel *b)
{
	return same_info(&a->info, &b->info) && gb_kallsyms_same(a->symbols, b->symbols) &&
	       gb_btf_same(a->btf, b->btf);
}

const struct gb_kernel_info *gb_kernel_info(const struct gb_kernel *k)
{
	return &k->info;
}

struct gb_ram *gb_kernel_ram(const struct gb_kernel *k)
{
	return k->ram;
}

const struct gb_btf *gb_kernel_types(const struct gb_kernel *k)
{
	return k->btf;
}
