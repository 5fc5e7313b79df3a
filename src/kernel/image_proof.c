// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Proofs of the layout of an image.
#include "kernel/image_proof.h"

#include "base/cleanup.h"
#include "kernel/internal.h"
#include "kernel/process.h"

#define FIRMWARE_MAX ((uint64_t)64 << 20) // SeaBIOS keeps 128 KiB, OVMF some MiB

#define ISA_END ((uint64_t)1 << 20) // what the kernel maps before all other RAM

enum verdict {
	CONTRADICTS,
	SILENT,
	FITS,
};

// Above the hole every byte moves with the split, below it none does.
static bool lies_above(const struct gb_kernel *k, uint64_t va)
{
	gb_gpa gpa;

	return gb_kernel_locate(k, va, &gpa) == 0 && gpa.v >= GB_HOLE_END;
}

// page_ret: where the struct page of the kernel's text is.
static bool text_is_reserved(const struct gb_kernel *k, uint64_t *page_ret)
{
	uint64_t pfn = gb_gpa_pfn(k->info.phys_base).v, va = gb_page_address(k, pfn), head;
	uint8_t bytes[256];
	struct gb_pages pages = {.first_pfn = pfn, .bytes = bytes, .va = va};
	struct gb_page page;

	if (!va || k->page.size > sizeof(bytes) || gb_read_va(k, va, bytes, k->page.size) != 0)
		return false;
	gb_page_decode(k, &pages, 0, &page, &head);
	*page_ret = va;
	return page.kind == GB_PAGE_RESERVED;
}

static bool first_process_is_whole(struct gb_kernel *k, uint64_t *mm_ret)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	const struct gb_process *first;
	struct gb_processes p;

	if (gb_process_list(k, 0, &arena, &p, NULL) != 0)
		return false;
	first = gb_process_find(&p, 1);
	*mm_ret = first ? first->mm.v : 0;
	return first && !first->torn && !first->kernel_thread && first->mm.v;
}

// Its page tables hold where it lies, or the kernel was not understood.
static enum verdict ask_image(const struct gb_kernel *k)
{
	return k->info.phys_base.v >= GB_HOLE_END ? FITS : SILENT;
}

static enum verdict ask_first_task(const struct gb_kernel *k)
{
	uint64_t head = k->symbol[GB_Y_INIT_TASK] + gb_offset(k, GB_M_TASK_TASKS), next, back;

	// a list without tasks leads back to its head in the image, wherever other RAM was put
	if (gb_read_va(k, head, &next, 8) != 0 || next == head ||
	    gb_read_va(k, next + 8, &back, 8) != 0)
		return SILENT;
	if (back != head)
		return CONTRADICTS;
	return lies_above(k, next) ? FITS : SILENT;
}

// That they make no sense contradicts nothing: a kernel that starts has neither, and they may be missing.
static enum verdict ask_first_process(struct gb_kernel *k)
{
	uint64_t page, mm;

	if (!text_is_reserved(k, &page) || !first_process_is_whole(k, &mm))
		return SILENT;
	return lies_above(k, page) || lies_above(k, mm) ? FITS : SILENT;
}

static bool is_longer(const struct gb_kernel *k, const struct gb_kernel_reach *reach)
{
	return k && gb_layout_end(gb_ram_layout(k->ram)).v > reach->end;
}

// A split that is a little wrong ends near there, too. If the rest then reaches too far, it is not believed.
static enum verdict ask_low_end(const struct gb_kernel *k, uint64_t low,
				const struct gb_kernel_reach *reach)
{
	uint64_t end = reach->low_end;

	if (!low || end <= ISA_END)
		return SILENT;
	if (low < end || low - end >= FIRMWARE_MAX)
		return CONTRADICTS;
	return is_longer(k, reach) ? SILENT : FITS;
}

static enum verdict ask_kernel(struct gb_kernel *k)
{
	enum verdict v = ask_image(k);

	if (v == SILENT)
		v = ask_first_task(k);
	return v == SILENT ? ask_first_process(k) : v;
}

enum gb_image_proof gb_image_prove(struct gb_kernel *k, uint64_t low,
				   const struct gb_kernel_reach *reach)
{
	static const enum gb_image_proof proofs[] = {
		[CONTRADICTS] = GB_IMAGE_CONTRADICTED,
		[SILENT] = GB_IMAGE_UNPROVED,
		[FITS] = GB_IMAGE_PROVED,
	};
	enum verdict v = k ? ask_kernel(k) : reach->mapped ? SILENT : CONTRADICTS;

	return proofs[v == SILENT ? ask_low_end(k, low, reach) : v];
}
