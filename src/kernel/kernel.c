// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Opening and closing.
#include "base/clock.h"
#include "kernel/find.h"
#include "kernel/types.h"

#include <stdlib.h>

int gb_kernel_open(struct gb_ram *ram, const struct gb_kernel_options *options,
		   struct gb_kernel **ret, struct gb_error *err)
{
	uint64_t start = gb_clock_ns();
	struct gb_kernel *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return gb_fail(err, GB_ENOMEM, "no memory to open the guest's kernel");
	k->ram = ram;
	r = gb_find_kernel(k, options ? options->log : NULL, err);
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
