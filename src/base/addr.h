// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Guest addresses as one-field structs, so that a physical address cannot be passed for a virtual one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GB_PAGE_SHIFT 12
#define GB_PAGE_SIZE ((uint64_t)1 << GB_PAGE_SHIFT)

// Guest physical address. Not an offset into the RAM file: RAM is split at the PCI hole.
typedef struct {
	uint64_t v;
} gb_gpa;

// Guest virtual address; means something only with the address space it belongs to.
typedef struct {
	uint64_t v;
} gb_gva;

// Guest page frame number: GPA >> 12.
typedef struct {
	uint64_t v;
} gb_pfn;

static inline gb_pfn gb_gpa_pfn(gb_gpa a)
{
	return (gb_pfn){a.v >> GB_PAGE_SHIFT};
}

static inline gb_gpa gb_pfn_gpa(gb_pfn p)
{
	return (gb_gpa){p.v << GB_PAGE_SHIFT};
}
