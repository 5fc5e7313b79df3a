// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox frames
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "kernel/frames.h"

#include <inttypes.h>

static const struct gb_option options[] = {
	{"csv", 0, NULL, "print 'pfn,class,owner' for every frame"},
	GB_TARGET_OPTIONS,
	{},
};

#define TRIES 4 // to find every frame in the same hands twice in a row

struct reading {
	struct gb_arena arena;
	struct gb_processes p;
	struct gb_frames f;
};

static void reading_deinit(struct reading *r)
{
	gb_frames_deinit(&r->f);
	gb_arena_deinit(&r->arena);
}

static int read_once(struct gb_target *t, unsigned what, struct reading *r, struct gb_error *err)
{
	int e = gb_process_list(t->kernel, what, &r->arena, &r->p, err);

	return e ? e : gb_frames_classify(t->kernel, &r->p, &r->f, err);
}

static int read_again(struct gb_target *t, unsigned what, struct reading *ret, uint64_t *moved_ret,
		      struct gb_error *err)
{
	int r = 0;

	for (int tries = TRIES; r == 0 && tries > 0; tries--) {
		struct reading again = {};

		r = read_once(t, what, &again, err);
		*moved_ret = r == 0 ? gb_frames_moved(&ret->f, &ret->p, &again.f, &again.p) : 0;
		reading_deinit(ret);
		*ret = again;
		if (!*moved_ret && !ret->p.torn)
			break;
	}
	return r;
}

// A running guest goes on while its frames are looked at: look again, a few times, for two looks between which
// nothing moved, or say how many frames did.
static int read_frames(struct gb_target *t, unsigned what, struct reading *ret, uint64_t *moved_ret,
		       struct gb_error *err)
{
	int r = read_once(t, what, ret, err), gone;

	*moved_ret = 0;
	if (r == 0)
		r = gb_target_settle(t, err);
	if (r == 0 && t->live && !t->paused)
		r = read_again(t, what, ret, moved_ret, err);
	gone = gb_target_check(t, err); // it explains what else went wrong
	return gone ? gone : r;
}

static int print_json(const struct gb_target *t, const struct gb_frames *f, bool torn,
		      uint64_t moved, struct gb_error *err)
{
	struct gb_answer a;

	gb_answer_begin(&a, "frames", t->name);
	gb_target_stamp(t, torn, &a.json);
	gb_json_pair(&a.json, "moved", u64, moved);
	gb_json_pair(&a.json, "frames", u64, f->count);
	gb_json_key(&a.json, "classes");
	gb_json_object(&a.json);
	for (int c = 0; c < GB_FRAME_CLASS_COUNT; c++)
		gb_json_pair(&a.json, gb_frame_class_name(c), u64, f->by_class[c]);
	gb_json_end_object(&a.json);
	return gb_answer_end(&a, err);
}

// A field of CSV: quoted when it holds what would end it (RFC 4180); control characters escaped.
static void csv_field(const struct gb_buf *text)
{
	bool quote = false;

	for (size_t i = 0; i < text->len; i++)
		quote |= text->data[i] == ',' || text->data[i] == '"';
	if (quote)
		putchar('"');
	for (size_t i = 0; i < text->len; i++) {
		if (text->data[i] == '"')
			putchar('"');
		putchar(text->data[i]);
	}
	if (quote)
		putchar('"');
}

static int print_csv(struct gb_kernel *k, const struct gb_processes *p, const struct gb_frames *f,
		     struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf owner = {}, plain = {};

	puts("pfn,class,owner");
	for (size_t i = 0; i < f->count; i++) {
		gb_pfn pfn = {0};

		gb_layout_pfn_of(gb_ram_layout(gb_kernel_ram(k)), i, &pfn);
		gb_buf_clear(&owner);
		gb_buf_clear(&plain);
		gb_frame_describe(k, p, f, i, &owner);
		gb_escape(&plain, owner.data ? owner.data : "", owner.len);
		if (gb_buf_failed(&owner) || gb_buf_failed(&plain))
			return gb_fail(err, GB_ENOMEM, "no memory for a frame's owner");
		printf("%" PRIu64 ",%s,", pfn.v, gb_frame_class_name(f->classes[i]));
		csv_field(&plain);
		putchar('\n');
	}
	return gb_flush_stdout(err);
}

static int print_text(const struct gb_target *t, const struct gb_frames *f, bool torn,
		      struct gb_error *err)
{
	char size[24];

	printf("%-14s %9s %10s\n", "CLASS", "FRAMES", "SIZE");
	for (int c = 0; c < GB_FRAME_CLASS_COUNT; c++)
		if (f->by_class[c])
			printf("%-14s %9" PRIu64 " %10s\n", gb_frame_class_name(c), f->by_class[c],
			       gb_format_size(f->by_class[c] * GB_PAGE_SIZE, size));
	printf("%-14s %9zu %10s  %s\n", "all", f->count,
	       gb_format_size(f->count * GB_PAGE_SIZE, size), gb_target_consistency(t, torn));
	return gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	GB_CLEANUP(reading_deinit) struct reading read = {};
	unsigned what = GB_PROCESS_VMAS | (gb_args_has(args, "csv") ? GB_PROCESS_NAMES : 0);
	uint64_t moved = 0;
	bool torn;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = read_frames(&t, what, &read, &moved, err);
	if (r != 0)
		return r;
	torn = read.p.torn || moved || read.f.cut;
	if (args->json)
		r = print_json(&t, &read.f, torn, moved, err);
	else if (gb_args_has(args, "csv"))
		r = print_csv(t.kernel, &read.p, &read.f, err);
	else
		r = print_text(&t, &read.f, torn, err);
	return r ? r
		 : gb_target_end_processes(
			   args, &t, gb_process_find_cut(&read.p), torn,
			   read.f.cut ? "its page tables have no end"
				      : "frames or processes changed while they were read",
			   err);
}

const struct gb_command gb_cmd_frames = {
	.name = "frames",
	.usage = "T",
	.summary = "say who owns the frames of memory",
	.detail =
		"Every 4 KiB frame has one class: free, kernel text, rodata or data, page table, kernel "
		"stack, slab, vmalloc, page cache, a process's code, heap, stack or mapping, vmemmap, "
		"reserved, or unknown. --csv names the owner of each. Frames of a running guest change hands "
		"while they are looked at: it is looked again up to 4 times, and if some had another class or owner each "
		"time, JSON says how many (moved), and the status is 5; pause it for one instant's view. What "
		"an owner is called is read as it is printed.",
	.example = "glassbox frames debian\nglassbox frames debian --csv | grep ',heap,'",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
