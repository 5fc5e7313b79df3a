// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Finding the kernel in RAM.
//
// Types (BTF) and symbols (kallsyms) are found by their shape. They fit together when the symbol
// __start_BTF lies where BTF was found; the difference of the two is that of virtual and physical
// addresses for the whole image, because the loader puts it into physical memory in one piece. The
// page tables at init_top_pgt must then lead back to the same place, and init_task must be named
// "swapper/0". RAM also holds copies that are old or of another kernel: they fail one of these.
#include "kernel/find.h"

#include "base/cleanup.h"
#include "kernel/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BTF_MIN ((size_t)4096)           // a kernel has megabytes; modules have less
#define BTF_BUDGET ((uint64_t)512 << 20) // bytes of BTF that are looked at in all
#define PROBES_BUDGET 20000              // places where digits stand
#define DECODES_BUDGET 16                // places that look like kallsyms
#define CANDIDATES_MAX 8 // a guest may hold old kernels, and the kernels of its own guests
#define MAPPING_TEXT 0xffffffff81000000ull

struct types {
	struct gb_btf *btf;
	gb_gpa at;
	size_t size;
};

struct finder {
	struct gb_kernel *k;
	const struct gb_kernel_options *options;
	struct types types[CANDIDATES_MAX];
	struct gb_kallsyms *symbols[CANDIDATES_MAX];
	size_t types_count, symbols_count;
	uint64_t btf_budget;
	unsigned probes_budget, decodes_budget;
	bool done;
	struct gb_error why_btf, why_symbols, why; // why the last candidates were refused
};

static const char *const symbol_names[] = {
#define X(id, name, need) name,
	GB_SYMBOLS(X)
#undef X
};

static const bool symbol_needed[] = {
#define X(id, name, need) need,
	GB_SYMBOLS(X)
#undef X
};

static int resolve_symbols(struct gb_kernel *k, const struct gb_kallsyms *s, struct gb_error *err)
{
	for (int i = 0; i < GB_SYMBOL_COUNT; i++) {
		size_t at = gb_kallsyms_find(s, symbol_names[i], SIZE_MAX);

		k->symbol[i] = at == SIZE_MAX ? 0 : s->addresses[at];
		if (at == SIZE_MAX && symbol_needed[i])
			return gb_fail(
				err, GB_EUNKNOWN,
				"the kernel's symbols have no '%s' (it needs CONFIG_KALLSYMS_ALL)",
				symbol_names[i]);
	}
	return 0;
}

// The image's VA - PA, where symbols are physical: init_task is its own parent and holds its own
// VA.
static int delta_from_init_task(struct gb_kernel *k, struct gb_error *err)
{
	uint64_t pa = k->symbol[GB_Y_INIT_TASK], va;
	int r = gb_ram_read_u64(k->ram, (gb_gpa){pa + gb_offset(k, GB_M_TASK_REAL_PARENT)}, &va,
				err);

	if (r != 0)
		return r;
	if (va < 0xffffffff80000000)
		return gb_fail(err, GB_EUNKNOWN, "init_task is not where the symbols say");
	k->image_delta = va - pa;
	for (int i = 0; i < GB_SYMBOL_COUNT; i++)
		if (k->symbol[i])
			k->symbol[i] += k->image_delta;
	return 0;
}

static int find_delta(struct gb_kernel *k, const struct types *t, const struct gb_kallsyms *s,
		      struct gb_error *err)
{
	uint64_t start = k->symbol[GB_Y_START_BTF], stop = k->symbol[GB_Y_STOP_BTF];

	if (!start || stop - start < t->size || stop - start > t->size + 64 ||
	    (s->physical && start != t->at.v))
		return gb_fail(err, GB_EUNKNOWN,
			       "types and symbols were found, but belong to different kernels");
	k->image_delta = start - t->at.v;
	return s->physical ? delta_from_init_task(k, err) : 0;
}

static int check_image(struct gb_kernel *k, struct gb_error *err)
{
	uint64_t text = k->symbol[GB_Y_TEXT], end = k->symbol[GB_Y_END];
	gb_gpa pa = {text - k->image_delta};
	const struct gb_segment *s = gb_layout_find(gb_ram_layout(k->ram), pa);

	if (text < 0xffffffff80000000 || end <= text || end - text > (1u << 30))
		return gb_fail(err, GB_EUNKNOWN, "the kernel's image has no sensible size");
	if (text % GB_PAGE_SIZE || k->image_delta % GB_PAGE_SIZE || !s ||
	    end - text > s->size - (pa.v - s->gpa.v))
		return gb_fail_at(err, GB_EUNKNOWN, pa.v, "the kernel's image does not lie in RAM");
	k->image_start = text;
	k->image_end = end;
	k->info.phys_base = pa;
	k->info.kaslr_slide = text - MAPPING_TEXT;
	return 0;
}

static uint64_t image_u64(const struct gb_kernel *k, uint64_t va, uint64_t otherwise)
{
	uint64_t v;

	if (va < k->image_start || va >= k->image_end ||
	    gb_ram_read_u64(k->ram, (gb_gpa){va - k->image_delta}, &v, NULL) != 0)
		return otherwise;
	return v;
}

static bool space_fits(const struct gb_kernel *k, unsigned levels)
{
	uint64_t banner = k->symbol[GB_Y_BANNER];
	struct gb_space space = {{k->symbol[GB_Y_INIT_TOP_PGT] - k->image_delta}, levels};
	struct gb_walk walk;

	return gb_walk(k->ram, space, (gb_gva){banner}, &walk, NULL) == 0 &&
	       walk.gpa.v == banner - k->image_delta;
}

// 4 or 5 levels: what the kernel says, proved by a walk; in a stale copy the tables are not filled.
static int find_space(struct gb_kernel *k, struct gb_error *err)
{
	bool five = k->symbol[GB_Y_L5_ENABLED] &&
		    (uint32_t)image_u64(k, k->symbol[GB_Y_L5_ENABLED], 0) != 0;
	unsigned levels = five ? 5 : 4;

	if (!space_fits(k, levels)) {
		levels = 9 - levels;
		if (!space_fits(k, levels))
			return gb_fail(
				err, GB_EUNKNOWN,
				"the kernel's page tables do not map its own image: it has "
				"hardly started, or parts of its RAM are missing or lie elsewhere");
	}
	k->info.space = (struct gb_space){{k->symbol[GB_Y_INIT_TOP_PGT] - k->image_delta}, levels};
	k->info.paging_levels = levels;
	return 0;
}

// Without RANDOMIZE_MEMORY the bases are constants (Documentation/arch/x86/x86_64/mm.rst).
static void find_bases(struct gb_kernel *k)
{
	bool five = k->info.paging_levels == 5;
	uint64_t map = five ? 0xff11000000000000 : 0xffff888000000000;
	uint64_t vmemmap = five ? 0xffd4000000000000 : 0xffffea0000000000;
	uint64_t vmalloc = five ? 0xffa0000000000000 : 0xffffc90000000000;

	k->info.page_offset.v = image_u64(k, k->symbol[GB_Y_PAGE_OFFSET_BASE], map);
	k->info.vmemmap.v = image_u64(k, k->symbol[GB_Y_VMEMMAP_BASE], vmemmap);
	k->info.vmalloc.v = image_u64(k, k->symbol[GB_Y_VMALLOC_BASE], vmalloc);
	k->direct_end = k->info.page_offset.v + gb_layout_end(gb_ram_layout(k->ram)).v;
	if (k->direct_end < k->info.page_offset.v)
		k->direct_end = k->info.page_offset.v;
}

static int check_init_task(struct gb_kernel *k, struct gb_error *err)
{
	char comm[16] = "";
	int r = gb_read_va(k, k->symbol[GB_Y_INIT_TASK] + gb_offset(k, GB_M_TASK_COMM), comm, 16);

	if (r == 0 && strncmp(comm, "swapper", 7) == 0)
		return 0;
	return gb_fail(err, GB_EUNKNOWN,
		       "init_task is not named swapper (has the kernel started already?)");
}

static void read_banner(struct gb_kernel *k)
{
	const char *release;
	size_t len;

	gb_kernel_read_string(k, (gb_gva){k->symbol[GB_Y_BANNER]}, k->info.banner,
			      sizeof(k->info.banner), NULL);
	k->info.banner[strcspn(k->info.banner, "\n")] = 0;
	release = strncmp(k->info.banner, "Linux version ", 14) == 0 ? k->info.banner + 14 : "";
	len = strcspn(release, " ");
	if (len >= sizeof(k->info.release))
		len = sizeof(k->info.release) - 1;
	memcpy(k->info.release, release, len);
	k->info.release[len] = 0;
}

// vma_is_initial_heap() became strict about its ends in about 6.8, when struct ma_state got its
// status.
static void find_habits(struct gb_kernel *k, const struct gb_btf *btf)
{
	struct gb_btf_member m;
	uint32_t id;

	k->strict_heap = gb_btf_find(btf, "ma_state", 1 << GB_BTF_STRUCT, &id) == 0 &&
			 gb_btf_member(btf, id, "status", &m) == 0;
}

static void read_cpus(struct gb_kernel *k)
{
	uint64_t table = k->symbol[GB_Y_PER_CPU_OFFSET];
	uint32_t n = (uint32_t)image_u64(k, k->symbol[GB_Y_NR_CPU_IDS], 1);
	uint64_t boot = k->symbol[GB_Y_BOOT_CPU], words[4] = {};

	k->cpus = n < 1 ? 1 : n > 64 ? 64 : n;
	for (unsigned i = 0; i < k->cpus; i++)
		k->per_cpu[i] = table ? image_u64(k, table + 8 * i, 0) : 0;
	// X86_FEATURE_PTI is bit 11 of word 7 in every kernel that has it
	if (boot && gb_has(k, GB_M_CPU_CAPABILITY) &&
	    gb_read_va(k, boot + gb_offset(k, GB_M_CPU_CAPABILITY), words, 32) == 0)
		k->info.pti = words[3] >> (32 + 11) & 1;
}

static uint64_t read_frames(const struct gb_kernel *k, enum gb_symbol_id symbol)
{
	uint64_t frames = image_u64(k, k->symbol[symbol], 0);

	return frames >> (52 - GB_PAGE_SHIFT) ? 0 : frames << GB_PAGE_SHIFT;
}

// Before the page tables are asked: where the layout is wrong they lead astray, and this is what tells.
static void read_reach(const struct gb_kernel *k, struct gb_kernel_reach *ret)
{
	if (!ret)
		return;
	ret->end = read_frames(k, GB_Y_MAX_PFN);
	ret->low_end = read_frames(k, GB_Y_MAX_LOW_PFN_MAPPED);
	ret->mapped = false;
}

// Do these types and symbols make a kernel?
static int assemble(struct gb_kernel *k, const struct types *t, const struct gb_kallsyms *s,
		    struct gb_kernel_reach *reach_ret, struct gb_error *err)
{
	int r;

	*k = (struct gb_kernel){.ram = k->ram}; // nothing of a pair that did not fit stays behind
	r = gb_offsets_resolve(t->btf, &k->offsets, err);
	if (r == 0)
		r = resolve_symbols(k, s, err);
	if (r == 0)
		r = find_delta(k, t, s, err);
	if (r == 0)
		r = check_image(k, err);
	if (r == 0)
		read_reach(k, reach_ret);
	if (r == 0)
		r = find_space(k, err);
	if (r != 0)
		return r;
	if (reach_ret)
		reach_ret->mapped = true;
	find_bases(k);
	r = check_init_task(k, err);
	if (r != 0)
		return r;
	read_banner(k);
	read_cpus(k);
	find_habits(k, t->btf);
	return gb_page_rules_find(t->btf, k, err);
}

static void try_pair(struct finder *f, struct types *t, struct gb_kallsyms **s)
{
	if (f->done)
		return;
	if (assemble(f->k, t, *s, f->options->reach, &f->why) != 0) {
		gb_log(f->options->log, GB_LOG_DEBUG, "kernel: refused: %s", f->why.message);
		return;
	}
	if ((*s)->physical)
		gb_kallsyms_rebase(*s, f->k->image_delta);
	f->k->btf = gb_steal(&t->btf);
	f->k->symbols = gb_steal(s);
	f->done = true;
}

// Memory for a copy of megabytes. Large pages, made at once, take a tenth of the time of a fault
// for each small one; a host that cannot do so still has the memory.
static uint8_t *alloc_large(size_t size)
{
	const size_t large = (size_t)2 << 20;
	size_t align = size < large ? GB_PAGE_SIZE : large,
	       whole = (size + align - 1) & ~(align - 1);
	uint8_t *p = aligned_alloc(align, whole);

	if (p && align == large)
		madvise(p, whole, MADV_HUGEPAGE);
	if (p)
		madvise(p, size, MADV_POPULATE_WRITE);
	return p;
}

static void try_btf(struct finder *f, gb_gpa at)
{
	struct types *t = &f->types[f->types_count];
	uint8_t header[24], *data;
	size_t size;

	if (gb_ram_read(f->k->ram, at, header, sizeof(header), NULL) != 0)
		return;
	size = gb_btf_blob_size(header);
	if (size < BTF_MIN || size > f->btf_budget || f->types_count == CANDIDATES_MAX)
		return;
	f->btf_budget -= size;
	data = alloc_large(size);
	if (!data)
		return;
	if (gb_ram_read(f->k->ram, at, data, size, NULL) != 0) {
		free(data);
		return;
	}
	if (gb_btf_parse(data, size, &t->btf, &f->why_btf) != 0)
		return;
	gb_log(f->options->log, GB_LOG_DEBUG, "kernel: BTF at 0x%" PRIx64 ", %zu bytes", at.v,
	       size);
	t->at = at;
	t->size = size;
	f->types_count++;
	for (size_t i = 0; i < f->symbols_count; i++)
		try_pair(f, t, &f->symbols[i]);
}

// A copy of RAM around a place, cut at the ends of its segment. NULL: no memory, or no RAM there.
static uint8_t *copy_window(struct finder *f, gb_gpa at, uint64_t before, uint64_t behind,
			    struct gb_window *w)
{
	const struct gb_segment *s = gb_layout_find(gb_ram_layout(f->k->ram), at);
	uint8_t *bytes;
	uint64_t end;

	if (!s)
		return NULL;
	w->start.v = at.v - s->gpa.v > before ? (at.v - before) & ~(GB_PAGE_SIZE - 1) : s->gpa.v;
	end = s->gpa.v + s->size - at.v > behind ? at.v + behind : s->gpa.v + s->size;
	w->size = (size_t)(end - w->start.v);
	w->bytes = bytes = alloc_large(w->size);
	if (bytes && gb_ram_read(f->k->ram, w->start, bytes, w->size, NULL) != 0) {
		free(bytes);
		bytes = NULL;
	}
	return bytes;
}

static bool probe_symbols(struct finder *f, gb_gpa at)
{
	struct gb_window w;
	GB_CLEANUP(gb_cleanup_free)
	uint8_t *bytes = copy_window(f, at, GB_KALLSYMS_PROBE, GB_KALLSYMS_PROBE, &w);

	return bytes && gb_kallsyms_probe(&w, at.v - w.start.v);
}

static int decode_window(struct finder *f, gb_gpa at, uint64_t before, uint64_t behind,
			 struct gb_kallsyms **ret)
{
	struct gb_window w;
	GB_CLEANUP(gb_cleanup_free) uint8_t *bytes = copy_window(f, at, before, behind, &w);

	if (!bytes)
		return gb_fail(&f->why_symbols, GB_ENOMEM, "no memory for a copy of kallsyms");
	return gb_kallsyms_decode(&w, at.v - w.start.v, ret, &f->why_symbols);
}

static void try_symbols(struct finder *f, gb_gpa at)
{
	struct gb_kallsyms *s = NULL;

	if (f->probes_budget == 0 || f->symbols_count == CANDIDATES_MAX)
		return;
	f->probes_budget--;
	if (!probe_symbols(f, at) || f->decodes_budget == 0)
		return;
	f->decodes_budget--;
	// what most kernels need first: copying more takes longer than decoding it
	if (decode_window(f, at, 2560 << 10, 1 << 20, &s) != 0 &&
	    decode_window(f, at, 6 << 20, 3 << 20, &s) != 0 &&
	    decode_window(f, at, 64 << 20, 32 << 20, &s) != 0)
		return;
	gb_log(f->options->log, GB_LOG_DEBUG, "kernel: kallsyms at 0x%" PRIx64 ", %zu symbols",
	       at.v, s->count);
	f->symbols[f->symbols_count++] = s;
	for (size_t i = 0; i < f->types_count; i++)
		try_pair(f, &f->types[i], &f->symbols[f->symbols_count - 1]);
}

struct span {
	struct finder *f;
	gb_gpa gpa;
};

static int on_hit(void *arg, enum gb_scan_mark mark, size_t offset)
{
	struct span *span = arg;
	gb_gpa at = {span->gpa.v + offset};

	if (mark == GB_SCAN_BTF)
		try_btf(span->f, at);
	else
		try_symbols(span->f, at);
	return span->f->done;
}

static int on_span(void *arg, gb_gpa gpa, const uint8_t *bytes, size_t len)
{
	struct span span = {arg, gpa};

	return gb_scan(bytes, len, on_hit, &span);
}

static int count_banners(void *arg, gb_gpa gpa, const uint8_t *bytes, size_t len)
{
	unsigned *n = arg;
	const uint8_t *at = bytes, *end = bytes + len;

	(void)gpa;
	while ((at = memmem(at, (size_t)(end - at), "Linux version ", 14)) && ++*n < 100)
		at += 14;
	return *n >= 100;
}

static const char *verdict(size_t found, const struct gb_error *why)
{
	if (found)
		return "found";
	return why->code ? why->message : "not found";
}

static int say_what_was_found(struct finder *f, struct gb_error *err)
{
	unsigned banners = 0;
	int r = gb_ram_visit(f->k->ram, (gb_gpa){0}, UINT64_MAX, count_banners, &banners, err);

	if (r < 0)
		return r;
	if (f->types_count && f->symbols_count)
		return gb_fail(err, GB_EUNKNOWN, "a Linux kernel is there but not understood: %s",
			       f->why.message);
	if (!f->types_count && !f->symbols_count && !banners)
		return gb_fail(
			err, GB_EUNKNOWN,
			"no Linux kernel was found: no types (BTF), no symbols (kallsyms) and no "
			"'Linux version' in RAM; the guest runs something else, or has not started it "
			"yet");
	return gb_fail(err, GB_EUNKNOWN,
		       "no Linux kernel that can be read was found: 'Linux version' %u times, "
		       "types (BTF) %s, symbols (kallsyms) %s; it needs CONFIG_DEBUG_INFO_BTF and "
		       "CONFIG_KALLSYMS_ALL, and all of its RAM",
		       banners, verdict(f->types_count, &f->why_btf),
		       verdict(f->symbols_count, &f->why_symbols));
}

int gb_find_kernel(struct gb_kernel *k, const struct gb_kernel_options *options,
		   struct gb_error *err)
{
	struct finder f = {
		.k = k,
		.options = options,
		.btf_budget = BTF_BUDGET,
		.probes_budget = PROBES_BUDGET,
		.decodes_budget = DECODES_BUDGET,
	};
	int r = gb_ram_visit(k->ram, (gb_gpa){0}, UINT64_MAX, on_span, &f, err);

	if (r >= 0 && !f.done)
		r = say_what_was_found(&f, err);
	for (size_t i = 0; i < CANDIDATES_MAX; i++) {
		gb_btf_destroy(f.types[i].btf);
		gb_kallsyms_destroy(f.symbols[i]);
	}
	return r < 0 ? r : 0;
}
