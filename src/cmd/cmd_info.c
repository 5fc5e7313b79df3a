// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox info
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"

#include <inttypes.h>

static int print_json(const struct gb_target *t, bool torn, struct gb_error *err)
{
	const struct gb_kernel_info *i = gb_kernel_info(t->kernel);
	const struct gb_layout *layout = gb_ram_layout(t->ram);
	struct gb_answer a;
	struct gb_json *j = &a.json;

	gb_answer_begin(&a, "info", t->name);
	gb_target_stamp(t, torn, j);
	gb_json_key(j, "kernel");
	gb_json_object(j);
	gb_json_pair(j, "release", str, i->release);
	gb_json_pair(j, "banner", str, i->banner);
	gb_json_end_object(j);
	gb_json_pair(j, "paging_levels", u64, i->paging_levels);
	gb_json_pair(j, "pti", bool, i->pti);
	gb_json_pair(j, "kaslr_slide", hex, i->kaslr_slide);
	gb_json_pair(j, "phys_base", hex, i->phys_base.v);
	gb_json_pair(j, "page_offset", hex, i->page_offset.v);
	gb_json_pair(j, "vmemmap", hex, i->vmemmap.v);
	gb_json_pair(j, "vmalloc", hex, i->vmalloc.v);
	gb_json_pair(j, "page_table", hex, i->space.root.v);
	gb_json_pair(j, "symbols", u64, i->symbols);
	gb_json_pair(j, "btf_types", u64, i->btf_types);
	gb_json_pair(j, "memory", u64, gb_layout_size(layout));
	gb_json_pair(j, "missing", u64, t->missing);
	gb_json_key(j, "layout");
	gb_layout_json(j, layout);
	gb_json_key(j, "timing_ms");
	gb_json_object(j);
	gb_json_pair(j, "attach", double, i->attach_ms);
	gb_json_end_object(j);
	return gb_answer_end(&a, err);
}

static int print_text(const struct gb_target *t, struct gb_error *err)
{
	const struct gb_kernel_info *i = gb_kernel_info(t->kernel);
	const struct gb_layout *layout = gb_ram_layout(t->ram);
	char size[24];

	fputs("kernel        ", stdout);
	gb_print_text(stdout, i->release, 0);
	fputs("\nbanner        ", stdout);
	gb_print_text(stdout, i->banner, 0);
	printf("\npaging        %u levels, tables at 0x%" PRIx64 "\n", i->paging_levels,
	       i->space.root.v);
	printf("isolation     %s\n",
	       i->pti ? "user mode has page tables of its own (PTI)" : "none (no PTI)");
	printf("KASLR slide   0x%" PRIx64 "\n", i->kaslr_slide);
	printf("physical base 0x%" PRIx64 "\n", i->phys_base.v);
	printf("direct map    0x%016" PRIx64 "\n", i->page_offset.v);
	printf("vmalloc       0x%016" PRIx64 "\n", i->vmalloc.v);
	if (i->vmemmap.v)
		printf("vmemmap       0x%016" PRIx64 "\n", i->vmemmap.v);
	printf("symbols       %zu\ntypes         %zu\n", i->symbols, i->btf_types);
	for (size_t s = 0; s < layout->count; s++)
		printf("%-13s 0x%" PRIx64 " + %s\n", s ? "" : "memory", layout->segments[s].gpa.v,
		       gb_format_size(layout->segments[s].size, size));
	printf("understood in %.1f ms\n", i->attach_ms);
	return gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	bool torn = false;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_target_verify(&t, &torn, err);
	if (r == 0)
		r = args->json ? print_json(&t, torn, err) : print_text(&t, err);
	return r ? r : gb_target_end(args, &t, torn, GB_TARGET_KERNEL_TORN, err);
}

const struct gb_command gb_cmd_info = {
	.name = "info",
	.usage = "T",
	.summary = "say which kernel runs and where it lies",
	.detail =
		"Finds the kernel from RAM alone: its banner, types (BTF), symbols (kallsyms), KASLR "
		"slide, physical base and page tables. A guest that is not understood is exit 4, with "
		"what was found and what was not.",
	.example = "glassbox info debian\nglassbox info ram.img --json",
	.options = gb_target_options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
