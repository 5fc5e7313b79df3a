// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Symbols of the kernel's image.
#include "kernel/symbols.h"

#include "kernel/internal.h"

void gb_symbol_at(const struct gb_kernel *k, size_t index, struct gb_symbol *ret)
{
	gb_assert(index < k->symbols->count);
	ret->name = gb_kallsyms_name(k->symbols, index);
	ret->type = gb_kallsyms_type(k->symbols, index);
	ret->address.v = k->symbols->addresses[index];
	ret->index = index;
}

int gb_symbol_find(const struct gb_kernel *k, const char *name, size_t after, struct gb_symbol *ret)
{
	size_t i = gb_kallsyms_find(k->symbols, name, after);

	if (i == SIZE_MAX)
		return GB_ENOTFOUND;
	gb_symbol_at(k, i, ret);
	return 0;
}

int gb_symbol_nearest(const struct gb_kernel *k, gb_gva address, struct gb_symbol *ret,
		      uint64_t *offset_ret)
{
	const uint64_t *a = k->symbols->addresses;
	size_t i;

	if (address.v < k->image_start || address.v >= k->image_end)
		return GB_ENOTFOUND;
	i = gb_kallsyms_nearest(k->symbols, address.v);
	if (i == SIZE_MAX)
		return GB_ENOTFOUND;
	while (i > 0 && a[i - 1] == a[i])
		i--;
	gb_symbol_at(k, i, ret);
	*offset_ret = address.v - a[i];
	return 0;
}
