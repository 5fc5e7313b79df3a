// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// 64-bit content hash (XXH3, from libxxhash): fast, not cryptographic.
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t gb_hash(const void *data, size_t len);
