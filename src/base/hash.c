// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// 64-bit content hash.
#include "base/hash.h"

#include <xxhash.h>

uint64_t gb_hash(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}
