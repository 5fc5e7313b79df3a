// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The one-screen summary of a guest that has come up.
#include "cmd/summary.h"

#include "base/cleanup.h"
#include "cmd/output.h"

#include <inttypes.h>
#include <string.h>

enum { BAR_WIDTH = 32, NAMES_WIDTH = 64 };

static void print_kernel(FILE *out, const struct gb_kernel_info *info)
{
	fprintf(out, "  kernel     Linux ");
	gb_print_text(out, info->release, 0);
	fprintf(out, ", %zu symbols and %zu types from its RAM in %.0f ms\n", info->symbols,
		info->btf_types, info->attach_ms);
}

// Distinct names of user processes, as many as fit on a line.
static void print_names(FILE *out, const struct gb_processes *p)
{
	size_t width = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct gb_process *process = &p->list[i];
		bool seen = process->kernel_thread;

		for (size_t j = 0; j < i && !seen; j++)
			seen = strcmp(p->list[j].comm, process->comm) == 0;
		if (seen)
			continue;
		width += strlen(process->comm) + 2;
		if (width > NAMES_WIDTH) {
			fputs(", ...", out);
			return;
		}
		fputs(width > strlen(process->comm) + 2 ? ", " : ": ", out);
		gb_print_text(out, process->comm, 0);
	}
}

static void print_processes(FILE *out, const struct gb_processes *p)
{
	size_t user = 0;

	for (size_t i = 0; i < p->count; i++)
		user += !p->list[i].kernel_thread;
	fprintf(out, "  processes  %zu, and %zu kernel threads", user, p->count - user);
	print_names(out, p);
	fputs("\n", out);
}

static void print_colour(FILE *out, uint32_t rgb)
{
	if (gb_colour_ok(out))
		fprintf(out, "\033[38;2;%u;%u;%um", rgb >> 16, rgb >> 8 & 0xff, rgb & 0xff);
}

static void print_owner(FILE *out, enum gb_frame_group group, uint64_t frames, uint64_t most)
{
	const struct gb_frame_group_info *info = gb_frame_group_info(group);
	uint64_t bar = most ? (frames * BAR_WIDTH + most - 1) / most : 0;
	char size[24];

	fprintf(out, "  %-14s %9s  ", info->words, gb_format_size(frames * GB_PAGE_SIZE, size));
	print_colour(out, info->rgb);
	for (uint64_t i = 0; i < bar; i++)
		fputs("\xe2\x96\x88", out);
	fputs(gb_colour_ok(out) ? "\033[0m\n" : "\n", out);
}

static void print_owners(FILE *out, const struct gb_frames *frames)
{
	uint64_t groups[GB_FRAME_GROUP_COUNT] = {}, most = 0;
	char size[24];

	for (int c = 0; c < GB_FRAME_CLASS_COUNT; c++)
		groups[gb_frame_class_group(c)] += frames->by_class[c];
	for (int g = 0; g < GB_FRAME_GROUP_COUNT; g++)
		most = groups[g] > most ? groups[g] : most;
	fprintf(out, "  memory     %s, by owner\n\n",
		gb_format_size(frames->count * GB_PAGE_SIZE, size));
	for (int g = 0; g < GB_FRAME_GROUP_COUNT; g++)
		if (groups[g])
			print_owner(out, g, groups[g], most);
}

static int print_understood(FILE *out, struct gb_kernel *k, struct gb_error *err)
{
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	GB_CLEANUP(gb_frames_deinit) struct gb_frames frames = {};
	struct gb_processes processes;
	int r = gb_process_list(k, GB_PROCESS_VMAS, &arena, &processes, err);

	if (r == 0)
		r = gb_frames_classify(k, &processes, &frames, err);
	if (r != 0)
		return r;
	print_kernel(out, gb_kernel_info(k));
	print_processes(out, &processes);
	print_owners(out, &frames);
	return 0;
}

int gb_summary_print(FILE *out, struct gb_ram *ram, struct gb_error *err)
{
	GB_CLEANUP(gb_kernel_cleanup) struct gb_kernel *k = NULL;
	struct gb_error why = {};
	int r = gb_kernel_open(ram, &(struct gb_kernel_options){}, &k, &why);

	if (r == 0)
		return print_understood(out, k, err);
	if (r != GB_EUNKNOWN) {
		if (err)
			*err = why;
		return r;
	}
	fputs("  kernel     not understood: ", out);
	gb_print_text(out, why.message, 0);
	fputs("\n", out);
	return 0;
}
