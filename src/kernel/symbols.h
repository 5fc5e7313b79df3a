// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Symbols of the kernel's image, as in its /proc/kallsyms.
#pragma once

#include "kernel/kernel.h"

struct gb_symbol {
	const char *name; // lives as long as the kernel is open
	gb_gva address;
	char type; // as nm and /proc/kallsyms have it
	size_t index;
};

// In the order of /proc/kallsyms, ascending by address: 0..gb_kernel_info()->symbols - 1.
void gb_symbol_at(const struct gb_kernel *k, size_t index, struct gb_symbol *ret);
// The first symbol of that name, or the next after index after (static functions share names); pass
// SIZE_MAX for the first. GB_ENOTFOUND.
int gb_symbol_find(const struct gb_kernel *k, const char *name, size_t after,
		   struct gb_symbol *ret);
// The symbol that an address belongs to: the first of those with the highest address at or below
// it. GB_ENOTFOUND outside of the image.
int gb_symbol_nearest(const struct gb_kernel *k, gb_gva address, struct gb_symbol *ret,
		      uint64_t *offset_ret);
