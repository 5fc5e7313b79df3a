// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The owners of all frames against /proc/{kpageflags,meminfo,zoneinfo} and every /proc/PID/pagemap.
//
// /proc/kpageflags is computed from the same struct page that we read, so agreement says that it was decoded rightly; which
// process a frame belongs to is judged by the pagemaps, stacks and free frames by what the kernel counts.
#include "compare.h"

#include "kernel/frames.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_PFN ((UINT64_C(1) << 55) - 1)
#define VM_PFNMAP 0x400

// Bits of /proc/kpageflags: include/uapi/linux/kernel-page-flags.h and, for 32, include/linux/kernel-page-flags.h.
#define BIT(n) (UINT64_C(1) << (n))
#define KPF_UPTODATE BIT(3)
#define KPF_LRU BIT(5)
#define KPF_SLAB BIT(7)
#define KPF_BUDDY BIT(10)
#define KPF_MMAP BIT(11)
#define KPF_ANON BIT(12)
#define KPF_SWAPBACKED BIT(14)
#define KPF_HUGE BIT(17)
#define KPF_NOPAGE BIT(20)
#define KPF_PGTABLE BIT(26)
#define KPF_RESERVED BIT(32)

// What the flags make of a frame, the first that fits, and which of our classes agree with that.
#define C(id) BIT(GB_FRAME_##id)
#define USER (C(CODE) | C(HEAP) | C(STACK) | C(MAPPED))
#define IMAGE (C(KERNEL_TEXT) | C(KERNEL_RODATA) | C(KERNEL_DATA))
static const struct kind {
	const char *name;
	uint64_t flags, classes;
} kinds[] = {
	{"no page", KPF_NOPAGE, C(RESERVED) | C(UNKNOWN)},
	{"free", KPF_BUDDY, C(FREE)},
	{"slab", KPF_SLAB, C(SLAB)},
	{"page table", KPF_PGTABLE, C(PAGE_TABLE)},
	// The image, what the kernel took before it had an allocator (page tables, struct pages, per-CPU data), the firmware's.
	{"reserved", KPF_RESERVED,
	 IMAGE | C(RESERVED) | C(VMEMMAP) | C(PAGE_TABLE) | C(KERNEL_STACK)},
	{"anonymous", KPF_ANON, USER},
	{"hugetlb", KPF_HUGE, USER | C(UNKNOWN)}, // the pool has them before a process
	{"file", KPF_LRU | KPF_UPTODATE | KPF_SWAPBACKED, C(PAGE_CACHE) | C(CODE) | C(MAPPED)},
	{"mapped", KPF_MMAP, USER},
	// Unmarked: stacks, vmalloc areas, modules, buffers, free frames that a CPU keeps.
	{"other", ~UINT64_C(0),
	 IMAGE | C(KERNEL_STACK) | C(VMALLOC) | C(PAGE_TABLE) | C(VMEMMAP) | C(FREE) | C(UNKNOWN)},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_of(uint64_t flags)
{
	for (size_t i = 0; i < KIND_COUNT - 1; i++) {
		if (flags & kinds[i].flags)
			return i;
	}
	return KIND_COUNT - 1;
}

static uint64_t flags_of(const struct section *s, uint64_t pfn)
{
	uint64_t flags = KPF_NOPAGE;

	if (s && pfn * 8 + 8 <= s->head.len)
		memcpy(&flags, s->bytes + pfn * 8, 8);
	return flags;
}

static bool classify(const struct frozen *f, struct gb_frames *frames, struct tally *t)
{
	struct gb_error err = {};

	*frames = (struct gb_frames){};
	int r = gb_frames_classify(f->kernel, &f->processes, frames, &err);
	return tally_count(t, r == 0, "no classes: %s", err.message);
}

static void print_table(uint64_t counts[][GB_FRAME_CLASS_COUNT])
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		printf("#   %-10s", kinds[i].name);
		for (unsigned c = 0; c < GB_FRAME_CLASS_COUNT; c++) {
			if (counts[i][c])
				printf("%s %s %" PRIu64, kinds[i].classes & BIT(c) ? "" : " (!)",
				       gb_frame_class_name((enum gb_frame_class)c), counts[i][c]);
		}
		printf("\n");
	}
}

struct tally compare_frames(const struct frozen *f)
{
	const struct section *first = frozen_section(f, "kpageflags", 0, 1);
	const struct section *second = frozen_section(f, "kpageflags", 0, 2);
	uint64_t counts[KIND_COUNT][GB_FRAME_CLASS_COUNT] = {};
	struct gb_frames frames;
	struct tally t = {};

	if (classify(f, &frames, &t)) {
		tally_count(&t, frames.count == gb_ram_frames(f->ram), "%zu frames", frames.count);
		for (uint64_t i = 0; i < frames.count; i++) {
			gb_pfn pfn = {};
			gb_layout_pfn_of(&f->layout, i, &pfn);
			uint64_t flags = flags_of(second, pfn.v);
			size_t kind = kind_of(flags);
			enum gb_frame_class class = frames.classes[i];

			if (flags != flags_of(first, pfn.v)) {
				t.in_motion++;
				continue;
			}
			counts[kind][class]++;
			tally_count(&t, kinds[kind].classes & BIT(class),
				    "frame %" PRIx64 ": %s, truth %s (%" PRIx64 ")", pfn.v,
				    gb_frame_class_name(class), kinds[kind].name, flags);
		}
	}
	print_table(counts);
	gb_frames_deinit(&frames);
	return t;
}

// Which processes map each frame, by their pagemaps.
struct mapped {
	int32_t *first_pid;
	uint32_t *processes;
	int32_t *last_pid; // counted last
};

static void add_mapping(struct mapped *m, uint64_t index, int32_t pid)
{
	if (m->last_pid[index] == pid)
		return;
	m->last_pid[index] = pid;
	m->processes[index]++;
	if (!m->first_pid[index])
		m->first_pid[index] = pid;
}

// Pages without rights count: no processor sees them, but their frames are in use.
static void add_pagemap(const struct frozen *f, const struct gb_process *p, const struct section *s,
			struct mapped *m)
{
	struct gb_truth_mapping entry;
	uint64_t index;

	for (size_t at = 0; at < s->head.len; at += sizeof(entry)) {
		memcpy(&entry, s->bytes + at, sizeof(entry));
		if (entry.entry & ENTRY_PRESENT &&
		    gb_layout_index_of(&f->layout, (gb_pfn){entry.entry & ENTRY_PFN}, &index))
			add_mapping(m, index, p->pid);
	}
}

// Mappings without struct pages (vvar, devices) are not in a pagemap: here the walk has to be believed.
static void add_bare(const struct frozen *f, const struct gb_process *p, struct mapped *m)
{
	struct gb_space space = {p->pgd, gb_kernel_info(f->kernel)->paging_levels};
	struct gb_walk walk;
	uint64_t index;

	for (size_t i = 0; i < p->vma_count; i++) {
		if (!(p->vmas[i].flags & VM_PFNMAP))
			continue;
		for (uint64_t at = p->vmas[i].start; at < p->vmas[i].end; at += GB_PAGE_SIZE) {
			if (gb_walk(f->ram, space, (gb_gva){at}, &walk, NULL) == 0 &&
			    gb_layout_index_of(&f->layout, gb_gpa_pfn(walk.gpa), &index))
				add_mapping(m, index, p->pid);
		}
	}
}

// A process whose first thread is dead and others live: its /proc/PID/pagemap is empty, though it has frames.
static bool is_unseen(const struct gb_process *p)
{
	return p && p->state == 'Z' && p->thread_count > 1;
}

// One that the truth cannot know is among those that map the frame: it is the owner, or one more beside the true owner.
static bool is_of_unseen(const struct frozen *f, const struct gb_frames *frames,
			 const struct mapped *m, uint64_t i)
{
	uint32_t unseen = 0;

	for (size_t k = 0; k < f->processes.count; k++)
		unseen += is_unseen(&f->processes.list[k]);
	return frames->mappers[i] > m->processes[i] &&
	       frames->mappers[i] - m->processes[i] <= unseen &&
	       (is_unseen(gb_process_find(&f->processes, frames->pids[i])) ||
		(m->first_pid[i] && frames->pids[i] == m->first_pid[i]));
}

static void compare_mapped(const struct frozen *f, const struct gb_frames *frames,
			   const struct mapped *m, struct tally *t)
{
	const struct section *flags = frozen_section(f, "kpageflags", 0, 2);

	for (uint64_t i = 0; i < frames->count; i++) {
		gb_pfn pfn = {};
		gb_layout_pfn_of(&f->layout, i, &pfn);

		if (is_of_unseen(f, frames, m, i)) {
			t->in_motion++;
			continue;
		}
		if (!m->processes[i] && !frames->mappers[i])
			continue;
		tally_count(t, frames->mappers[i] == m->processes[i],
			    "frame %" PRIx64 ": mapped by %u processes, truth %u", pfn.v,
			    frames->mappers[i], m->processes[i]);
		// The kernel's own pages that everybody maps (vdso, zeros) stay the kernel's.
		if (!(flags_of(flags, pfn.v) & KPF_RESERVED))
			tally_count(t, frames->pids[i] == m->first_pid[i],
				    "frame %" PRIx64 ": pid %d, truth %d", pfn.v, frames->pids[i],
				    m->first_pid[i]);
	}
}

struct tally compare_owners(const struct frozen *f)
{
	uint64_t count = gb_ram_frames(f->ram);
	struct mapped m = {calloc(count, 4), calloc(count, 4), calloc(count, 4)};
	struct gb_frames frames;
	struct tally t = {};
	bool still = true;

	gb_assert(m.first_pid && m.processes && m.last_pid);
	for (size_t i = 0; i < f->processes.count; i++) {
		const struct gb_process *p = &f->processes.list[i];
		const struct section *s = frozen_section(f, "pagemap", (uint32_t)p->pid, 2);

		if (s)
			add_pagemap(f, p, s, &m);
		add_bare(f, p, &m);
		still = still && (!s || frozen_stable(f, "pagemap", (uint32_t)p->pid));
	}
	if (!still)
		t.in_motion++;
	if (classify(f, &frames, &t))
		compare_mapped(f, &frames, &m, &t);
	gb_frames_deinit(&frames);
	free(m.first_pid);
	free(m.processes);
	free(m.last_pid);
	return t;
}

// The sum of the numbers behind a word: "KernelStack:     1120 kB".
static uint64_t sum_of(const struct section *s, const char *word, uint64_t *times_ret)
{
	const uint8_t *at = s->bytes, *end = s->bytes + s->head.len;
	uint64_t sum = 0, times = 0;

	for (; (at = memmem(at, (size_t)(end - at), word, strlen(word))); times++) {
		at += strlen(word);
		sum += strtoull((const char *)at, NULL, 10);
	}
	if (times_ret)
		*times_ret = times;
	return sum;
}

// Two counts of the truth and how far they may be off: by what was in motion, and by what is known of the counter.
struct count {
	const char *what;
	uint64_t truth[2], slack;
};

static void compare_count(const struct count *c, uint64_t ours, struct tally *t)
{
	uint64_t moved =
		c->truth[0] > c->truth[1] ? c->truth[0] - c->truth[1] : c->truth[1] - c->truth[0];
	uint64_t off = ours > c->truth[1] ? ours - c->truth[1] : c->truth[1] - ours;

	if (off > c->slack && off <= c->slack + moved)
		t->in_motion++;
	else
		tally_count(t, off <= c->slack, "%s: %" PRIu64 " frames, truth %" PRIu64, c->what,
			    ours, c->truth[1]);
}

// Stacks and free frames: the kernel's own counters. Free are the buddy allocator's frames and those that CPUs keep on their lists. A
// CPU adds to the global counter when it has gathered a threshold, which zoneinfo prints; and it keeps up to two stacks for the
// next threads, which the counter no longer has, or has still while their threads are being buried.
struct tally compare_counts(const struct frozen *f)
{
	struct count stacks = {.what = "kernel stacks"}, free_frames = {.what = "free frames"};
	struct gb_frames frames;
	struct tally t = {};

	for (uint32_t i = 0; i < 2; i++) {
		const struct section *meminfo = frozen_section(f, "meminfo", 0, i + 1);
		const struct section *zoneinfo = frozen_section(f, "zoneinfo", 0, i + 1);

		if (!tally_count(&t, meminfo && zoneinfo, "the truth has no counters"))
			return t;
		stacks.truth[i] = sum_of(meminfo, "KernelStack:", NULL) / 4;
		free_frames.truth[i] =
			sum_of(meminfo, "MemFree:", NULL) / 4 + sum_of(zoneinfo, " count: ", NULL);
		free_frames.slack = sum_of(zoneinfo, "vm stats threshold: ", NULL);
	}
	sum_of(frozen_section(f, "cpuinfo", 0, 1), "processor\t:", &stacks.slack);
	stacks.slack *= 2 * 4;
	if (classify(f, &frames, &t)) {
		compare_count(&stacks, frames.by_class[GB_FRAME_KERNEL_STACK], &t);
		compare_count(&free_frames, frames.by_class[GB_FRAME_FREE], &t);
	}
	gb_frames_deinit(&frames);
	return t;
}
