// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Finding the kernel in RAM: one pass, that ends as soon as what was found proves itself.
#pragma once

#include "kernel/internal.h"

// Fill k (ram is set) with types, symbols, addresses and info. GB_EUNKNOWN says what was found and
// what was not; options->reach is set as soon as a kernel says it.
int gb_find_kernel(struct gb_kernel *k, const struct gb_kernel_options *options,
		   struct gb_error *err);
