// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox walk
#include "cmd/commands.h"
#include "cmd/space.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <string.h>

static const struct gb_option options[] = {
	{"pid", 'p', "PID", "walk this process's page tables (default: the kernel's)"},
	GB_TARGET_OPTIONS,
	{},
};

static const char *const level_names[] = {"", "PT", "PD", "PDPT", "PML4", "PML5"};

static void print_json(struct gb_json *j, const struct gb_walk *w, unsigned levels)
{
	gb_json_key(j, "tables");
	gb_json_array(j);
	for (unsigned i = 0; i < w->depth; i++) {
		gb_json_object(j);
		gb_json_pair(j, "level", str, level_names[levels - i]);
		gb_json_pair(j, "entry_gpa", hex, w->tables[i].v);
		gb_json_end_object(j);
	}
	gb_json_end_array(j);
	gb_json_pair(j, "gpa", hex, w->gpa.v);
	gb_json_pair(j, "pfn", u64, gb_gpa_pfn(w->gpa).v);
	gb_json_pair(j, "page_size", u64, w->page_size);
	gb_json_pair(j, "entry", hex, w->entry);
	gb_json_pair(j, "write", bool, w->rights &GB_PTE_WRITE);
	gb_json_pair(j, "user", bool, w->rights &GB_PTE_USER);
	gb_json_pair(j, "execute", bool, !(w->rights & GB_PTE_NX));
	gb_json_pair(j, "accessed", bool, w->rights &GB_PTE_ACCESSED);
	gb_json_pair(j, "dirty", bool, w->rights &GB_PTE_DIRTY);
}

static void print_text(const struct gb_walk *w, unsigned levels, bool mapped)
{
	char size[24];

	for (unsigned i = 0; i < w->depth; i++)
		printf("%-5s entry at 0x%" PRIx64 "\n", level_names[levels - i], w->tables[i].v);
	if (!mapped)
		return;
	printf("GPA   0x%" PRIx64 ", frame %" PRIu64 ", page of %s\n", w->gpa.v,
	       gb_gpa_pfn(w->gpa).v, gb_format_size(w->page_size, size));
	printf("entry 0x%016" PRIx64 "  %s%s%s%s%s\n", w->entry,
	       w->rights & GB_PTE_USER ? "user" : "kernel",
	       w->rights & GB_PTE_WRITE ? " write" : " read-only",
	       w->rights & GB_PTE_NX ? "" : " execute",
	       w->rights & GB_PTE_ACCESSED ? " accessed" : "",
	       w->rights & GB_PTE_DIRTY ? " dirty" : "");
}

// JSON has no half of a walk: of an address that is not mapped it has the error alone.
static int print(const struct gb_args *args, const struct gb_target *t, uint64_t address,
		 unsigned levels, const struct gb_walk *w, bool mapped, bool torn,
		 struct gb_error *err)
{
	struct gb_answer a;

	if (!args->json) {
		print_text(w, levels, mapped);
		return gb_flush_stdout(err);
	}
	if (!mapped)
		return 0;
	gb_answer_begin(&a, "walk", t->name);
	gb_target_stamp(t, torn, &a.json);
	gb_json_pair(&a.json, "address", hex, address);
	print_json(&a.json, w, levels);
	return gb_answer_end(&a, err);
}

// A walk that comes out the same twice saw tables that belong together.
static int walk_twice(struct gb_ram *ram, struct gb_space space, gb_gva gva, struct gb_walk *ret,
		      bool *torn_ret, struct gb_error *err)
{
	struct gb_walk again;
	int r = 0;

	for (int tries = 8; tries > 0; tries--) {
		*ret = (struct gb_walk){};
		memset(&again, 0, sizeof(again));
		r = gb_walk(ram, space, gva, ret, err);
		*torn_ret = gb_walk(ram, space, gva, &again, NULL) != r ||
			    again.gpa.v != ret->gpa.v || again.entry != ret->entry;
		if (!*torn_ret)
			break;
	}
	return r;
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	struct gb_space space = {};
	struct gb_walk w = {};
	uint64_t address;
	bool is_virtual, torn = false;
	int r = gb_parse_number(args->positional[1], 0, UINT64_MAX, &address, err), walked;

	if (r == 0)
		r = gb_target_open(args, true, &t, err);
	if (r == 0)
		r = gb_space_choose(&t, args, address, &space, &is_virtual, err);
	if (r != 0)
		return r;
	if (!is_virtual)
		space = gb_kernel_info(t.kernel)->space;
	walked = walk_twice(t.ram, space, (gb_gva){address}, &w, &torn, err);
	r = gb_target_settle(&t, err);
	if (r != 0)
		return r;
	r = print(args, &t, address, space.levels, &w, walked == 0, torn, err);
	if (walked != 0 && !torn)
		return walked;
	return r ? r
		 : gb_target_end(args, &t, torn, "the page tables changed during each walk", err);
}

const struct gb_command gb_cmd_walk = {
	.name = "walk",
	.usage = "T ADDR",
	.summary = "translate a virtual address, level by level",
	.detail =
		"ADDR is virtual in the kernel, or with --pid in that process. An address that is not "
		"mapped shows how far the walk came, and is exit 1.",
	.example = "glassbox walk debian 0xffffffff81000000\nglassbox walk debian 0x400000 --pid 1",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
