// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Proofs of the layout of an image.
#include "kernel/image_proof.h"

#include "base/cleanup.h"
#include "kernel/internal.h"
#include "kernel/process.h"

#define FIRMWARE_MAX ((uint64_t)64 << 20) // SeaBIOS keeps 128 KiB, OVMF some MiB

enum verdict {
	CONTRADICTS,
	SILENT,
	FITS,
};

static bool text_is_reserved(const struct gb_kernel *k)
{
	uint64_t pfn = gb_gpa_pfn(k->info.phys_base).v, va = gb_page_address(k, pfn), head;
	uint8_t bytes[256];
	struct gb_pages pages = {.first_pfn = pfn, .bytes = bytes, .va = va};
	struct gb_page page;

	if (!va || k->page.size > sizeof(bytes) || gb_read_va(k, va, bytes, k->page.size) != 0)
		return false;
	gb_page_decode(k, &pages, 0, &page, &head);
	return page.kind == GB_PAGE_RESERVED;
}

static bool first_process_is_whole(struct gb_kernel *k)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	const struct gb_process *first;
	struct gb_processes p;

	if (gb_process_list(k, 0, &arena, &p, NULL) != 0)
		return false;
	first = gb_process_find(&p, 1);
	return first && !first->torn && !first->kernel_thread && first->mm.v;
}

bool gb_image_is_proved(struct gb_kernel *k)
{
	return k && text_is_reserved(k) && first_process_is_whole(k);
}

static bool low_end_fits(uint64_t low, uint64_t low_end)
{
	return low_end && low >= low_end && low - low_end < FIRMWARE_MAX;
}

static enum verdict ask_first_task(const struct gb_kernel *k)
{
	uint64_t head = k->symbol[GB_Y_INIT_TASK] + gb_offset(k, GB_M_TASK_TASKS), next, back;

	if (gb_read_va(k, head, &next, 8) != 0 || gb_read_va(k, next + 8, &back, 8) != 0)
		return SILENT;
	return back == head ? FITS : CONTRADICTS;
}

bool gb_image_cut_is_proved(const struct gb_kernel *k, uint64_t low,
			    const struct gb_kernel_reach *reach)
{
	enum verdict task = k ? ask_first_task(k) : CONTRADICTS;

	return task == FITS || (task == SILENT && low_end_fits(low, reach->low_end));
}
