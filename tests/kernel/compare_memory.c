// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The kernel's facts and symbols against /proc/{version,cpuinfo,iomem,kallsyms}, page walks against /proc/PID/pagemap.
#include "compare.h"

#include "kernel/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_LINKED_AT 0xffffffff81000000
#define TABLES_MAX 100000
#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_PFN ((UINT64_C(1) << 55) - 1)
#define RIGHTS 7 // VM_READ, VM_WRITE, VM_EXEC
#define VM_PFNMAP 0x400

// A word in the line of /proc/cpuinfo that begins with "flags".
static bool has_flag(const struct section *s, const char *flag)
{
	char word[32];
	const char *at = s ? memmem(s->bytes, s->head.len, "flags", 5) : NULL;
	const char *end =
		at ? memchr(at, '\n', s->head.len - (size_t)(at - (char *)s->bytes)) : NULL;

	snprintf(word, sizeof(word), " %s", flag);
	const char *found = end ? memmem(at, (size_t)(end - at), word, strlen(word)) : NULL;
	return found && strchr(" \n", found[strlen(word)]);
}

// The number before a word in a text of lines, hexadecimal: "  01000000-017fffff : Kernel code".
static bool line_number(const struct section *s, const char *word, uint64_t *ret)
{
	const char *found = s ? memmem(s->bytes, s->head.len, word, strlen(word)) : NULL;

	if (!found)
		return false;
	const char *line = memrchr(s->bytes, '\n', (size_t)(found - (char *)s->bytes));
	return sscanf(line ? line + 1 : (char *)s->bytes, "%" SCNx64, ret) == 1;
}

struct tally compare_facts(const struct frozen *f)
{
	const struct gb_kernel_info *info = gb_kernel_info(f->kernel);
	const struct section *version = frozen_section(f, "version", 0, 1);
	const struct section *flags = frozen_section(f, "cpuinfo", 0, 1);
	struct tally t = {};
	uint64_t code = 0, text = 0;
	size_t banner = strcspn(info->banner, "\n");
	unsigned levels = has_flag(flags, "la57") ? 5 : 4;

	tally_count(&t,
		    version && version->head.len == banner + 1 &&
			    memcmp(info->banner, version->bytes, banner) == 0,
		    "banner \"%s\"", shown(info->banner, banner));
	tally_count(&t, strstr(info->banner, info->release) == info->banner + 14, "release \"%s\"",
		    info->release);
	tally_count(&t, info->paging_levels == levels, "%u levels of page tables, truth %u",
		    info->paging_levels, levels);
	tally_count(&t, info->pti == has_flag(flags, "pti"), "page table isolation: %d", info->pti);
	line_number(frozen_section(f, "iomem", 0, 1), " : Kernel code\n", &code);
	tally_count(&t, info->phys_base.v == code, "the kernel lies at %" PRIx64 ", truth %" PRIx64,
		    info->phys_base.v, code);
	line_number(frozen_section(f, "kallsyms", 0, 1), " _text\n", &text);
	tally_count(&t, info->kaslr_slide == text - TEXT_LINKED_AT,
		    "slide %" PRIx64 ", truth %" PRIx64, info->kaslr_slide, text - TEXT_LINKED_AT);
	return t;
}

// Each line of the truth without a module is one symbol, in this order.
struct tally compare_symbols(const struct frozen *f)
{
	const struct section *s = frozen_section(f, "kallsyms", 0, 1);
	size_t count = gb_kernel_info(f->kernel)->symbols, index = 0;
	struct tally t = {};
	char line[1024];

	for (size_t at = 0; s && at < s->head.len;) {
		const char *truth = (const char *)s->bytes + at;
		const char *end = memchr(truth, '\n', s->head.len - at);
		size_t len = end ? (size_t)(end - truth) + 1 : s->head.len - at;
		struct gb_symbol symbol = {.name = ""};

		at += len;
		if (memchr(truth, '[', len))
			continue;
		if (index < count)
			gb_symbol_at(f->kernel, index++, &symbol);
		int n = snprintf(line, sizeof(line), "%016" PRIx64 " %c %s\n", symbol.address.v,
				 symbol.type, symbol.name);
		tally_count(&t, (size_t)n == len && memcmp(line, truth, len) == 0,
			    "symbol \"%s\", truth \"%s\"", shown(line, strlen(line)),
			    shown(truth, len));
	}
	tally_count(&t, index == count, "%zu symbols, truth %zu", count, index);
	return t;
}

static uint64_t vma_flags(const struct gb_process *p, uint64_t address)
{
	for (size_t i = 0; i < p->vma_count; i++) {
		if (address >= p->vmas[i].start && address < p->vmas[i].end)
			return p->vmas[i].flags;
	}
	return RIGHTS;
}

static struct gb_space space_of(const struct frozen *f, const struct gb_process *p)
{
	return (struct gb_space){p->pgd, gb_kernel_info(f->kernel)->paging_levels};
}

static void compare_page(const struct frozen *f, const struct gb_process *p,
			 const struct gb_truth_mapping *m, struct tally *t)
{
	struct gb_walk walk = {};
	int r = gb_walk(f->ram, space_of(f, p), (gb_gva){m->address}, &walk, NULL);

	// The kernel keeps the frame of a page without rights; for the processor, and for a walk, it is not there.
	if (!(vma_flags(p, m->address) & RIGHTS))
		tally_count(t, r == GB_EFAULT,
			    "pid %d: %" PRIx64 " can be walked to without rights", p->pid,
			    m->address);
	else
		tally_count(t, r == 0 && gb_gpa_pfn(walk.gpa).v == (m->entry & ENTRY_PFN),
			    "pid %d: %" PRIx64 " leads to frame %" PRIx64 " (%d), truth %" PRIx64,
			    p->pid, m->address, gb_gpa_pfn(walk.gpa).v, r, m->entry & ENTRY_PFN);
}

struct tally compare_pages(const struct frozen *f)
{
	struct tally t = {};

	for (size_t i = 0; i < f->processes.count; i++) {
		const struct gb_process *p = &f->processes.list[i];
		const struct section *s = frozen_stable(f, "pagemap", (uint32_t)p->pid);

		if (!s && frozen_section(f, "pagemap", (uint32_t)p->pid, 2))
			t.in_motion++;
		for (size_t at = 0; s && at < s->head.len; at += sizeof(struct gb_truth_mapping)) {
			struct gb_truth_mapping m;

			memcpy(&m, s->bytes + at, sizeof(m));
			if (m.entry & ENTRY_PRESENT)
				compare_page(f, p, &m, &t);
		}
	}
	return t;
}

struct expected {
	const struct section *truth;
	const struct gb_process *p;
	struct tally *tally;
	size_t at; // in the truth: both ascend
};

// Moves on to the address; returns whether the truth has it as present.
static bool is_present(struct expected *e, uint64_t address)
{
	struct gb_truth_mapping m;

	for (; e->at < e->truth->head.len; e->at += sizeof(m)) {
		memcpy(&m, e->truth->bytes + e->at, sizeof(m));
		if (m.address >= address)
			return m.address == address && m.entry & ENTRY_PRESENT;
	}
	return false;
}

static int check_leaf(void *arg, const struct gb_leaf *leaf)
{
	struct expected *e = arg;

	// pagemap leaves out mappings without struct pages (vvar, devices).
	if (vma_flags(e->p, leaf->gva.v) & VM_PFNMAP)
		return 0;
	for (uint64_t at = 0; at < leaf->size; at += GB_PAGE_SIZE)
		tally_count(e->tally, is_present(e, leaf->gva.v + at),
			    "pid %d: page table has %" PRIx64 ", the truth has not", e->p->pid,
			    leaf->gva.v + at);
	return 0;
}

// The other way round: whatever the page tables of a process map, the truth has.
struct tally compare_absent_pages(const struct frozen *f)
{
	unsigned bits = gb_kernel_info(f->kernel)->paging_levels == 5 ? 56 : 47;
	struct tally t = {};

	for (size_t i = 0; i < f->processes.count; i++) {
		const struct gb_process *p = &f->processes.list[i];
		struct expected e = {frozen_stable(f, "pagemap", (uint32_t)p->pid), p, &t, 0};
		struct gb_leaves how = {.last = {(UINT64_C(1) << bits) - 1},
					.budget = TABLES_MAX,
					.leaf = check_leaf,
					.arg = &e};
		struct gb_error err = {};

		if (!e.truth)
			continue;
		int r = gb_space_leaves(f->ram, space_of(f, p), &how, &err);
		tally_count(&t, r == 0, "pid %d: %s", p->pid, err.message);
	}
	return t;
}
