// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Kernel virtual memory, and the numbers and strings in it.
#pragma once

#include "kernel/kernel.h"

// Copy len bytes at a kernel address. GB_EFAULT where nothing is mapped.
int gb_kernel_read(const struct gb_kernel *k, gb_gva gva, void *ret, size_t len,
		   struct gb_error *err);
// Up to size - 1 bytes and a NUL; less when the string or the mapping ends. GB_EFAULT when not even
// the first byte can be read.
int gb_kernel_read_string(const struct gb_kernel *k, gb_gva gva, char *ret, size_t size,
			  struct gb_error *err);
// Where a kernel address lies in guest-physical space. GB_EFAULT.
int gb_kernel_translate(const struct gb_kernel *k, gb_gva gva, gb_gpa *ret, struct gb_error *err);
