// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The fastest plain loop over memory: what a machine can read, to compare scans with.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Or all words; bytes is aligned to 64, len a multiple of 512.
typedef uint64_t gb_plain_read_fn(const uint8_t *bytes, size_t len);
// The one for this CPU: AVX-512, AVX2 or plain.
gb_plain_read_fn *gb_plain_read_best(void);
// The same on all cores, in pieces of 2 MiB.
uint64_t gb_plain_read_parallel(const uint8_t *bytes, size_t len);
