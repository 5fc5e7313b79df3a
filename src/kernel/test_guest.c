// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A small guest made by code.
//
// Physical memory: 1 MiB image (text, rodata with kallsyms and BTF, data), 2 MiB page tables of the
// kernel, 3 MiB objects, 4 MiB struct pages, 5 MiB page tables and pages of the process.
#include "kernel/test_guest.h"

#include "base/cleanup.h"
#include "kernel/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void test_btf_deinit(struct test_btf *b)
{
	gb_buf_deinit(&b->types);
	gb_buf_deinit(&b->strings);
}

uint32_t test_btf_string(struct test_btf *b, const char *s)
{
	uint32_t at;

	if (!b->strings.len)
		gb_buf_add(&b->strings, "", 1);
	if (!s || !*s)
		return 0;
	at = (uint32_t)b->strings.len;
	gb_buf_add(&b->strings, s, strlen(s) + 1);
	return at;
}

void test_btf_u32(struct test_btf *b, uint32_t v)
{
	gb_buf_add(&b->types, &v, sizeof(v));
}

uint32_t test_btf_type(struct test_btf *b, const char *name, unsigned kind, unsigned count,
		       uint32_t size_or_type)
{
	test_btf_u32(b, test_btf_string(b, name));
	test_btf_u32(b, kind << 24 | count);
	test_btf_u32(b, size_or_type);
	return ++b->count;
}

uint32_t test_btf_int(struct test_btf *b, const char *name, uint32_t size)
{
	uint32_t id = test_btf_type(b, name, GB_BTF_INT, 0, size);

	test_btf_u32(b, size * 8);
	return id;
}

uint32_t test_btf_array(struct test_btf *b, uint32_t of, uint32_t elements)
{
	uint32_t id = test_btf_type(b, NULL, GB_BTF_ARRAY, 0, 0);

	test_btf_u32(b, of);
	test_btf_u32(b, of);
	test_btf_u32(b, elements);
	return id;
}

uint32_t test_btf_struct(struct test_btf *b, const char *name, uint32_t size,
			 const struct test_member *members, unsigned count)
{
	uint32_t id = test_btf_type(b, name, GB_BTF_STRUCT, count, size);

	for (unsigned i = 0; i < count; i++) {
		test_btf_u32(b, test_btf_string(b, members[i].name));
		test_btf_u32(b, members[i].type);
		test_btf_u32(b, members[i].bit_offset);
	}
	return id;
}

uint32_t test_btf_enum(struct test_btf *b, const char *name, const char *const *names,
		       const int32_t *values, unsigned count)
{
	uint32_t id = test_btf_type(b, name, GB_BTF_ENUM, count, 4);

	for (unsigned i = 0; i < count; i++) {
		test_btf_u32(b, test_btf_string(b, names[i]));
		test_btf_u32(b, (uint32_t)values[i]);
	}
	return id;
}

void test_btf_finish(const struct test_btf *b, struct gb_buf *out)
{
	const uint32_t header[] = {0x0001eb9f,
				   24,
				   0,
				   (uint32_t)b->types.len,
				   (uint32_t)b->types.len,
				   (uint32_t)b->strings.len};

	gb_buf_add(out, header, sizeof(header));
	gb_buf_add(out, b->types.data, b->types.len);
	gb_buf_add(out, b->strings.data, b->strings.len);
}

static void pad(struct gb_buf *b, size_t to)
{
	while (b->len % to && !gb_buf_failed(b))
		gb_buf_add(b, "", 1);
}

// Tokens: each character stands for itself, but three that nobody uses stand for pieces of text.
static const char *token_text(unsigned i, char one[2])
{
	one[0] = i >= 0x20 && i < 0x7f ? (char)i : 0;
	one[1] = 0;
	return i == 0x80 ? "__" : i == 0x81 ? "_start_of_something_long" : i == 0x82 ? "sys_" : one;
}

static void add_name(struct gb_buf *out, const struct test_symbol *s)
{
	uint8_t tokens[600] = {(uint8_t)s->type};
	size_t n = 1;
	uint8_t head[2];

	for (const char *c = s->name; *c && n < sizeof(tokens);) {
		char one[2];
		unsigned best = (uint8_t)*c;

		for (unsigned i = 0x80; i < 0x83; i++)
			if (strncmp(c, token_text(i, one), strlen(token_text(i, one))) == 0)
				best = i;
		c += strlen(token_text(best, one));
		tokens[n++] = (uint8_t)best;
	}
	head[0] = (uint8_t)(n < 0x80 ? n : 0x80 | (n & 0x7f));
	head[1] = (uint8_t)(n >> 7);
	gb_buf_add(out, head, n < 0x80 ? 1 : 2);
	gb_buf_add(out, tokens, n);
}

static size_t add_tokens(struct gb_buf *out)
{
	size_t start = out->len, digits = 0;
	uint16_t index[256];

	for (unsigned i = 0; i < 256; i++) {
		char one[2];
		const char *text = token_text(i, one);

		index[i] = (uint16_t)(out->len - start);
		if (i == '0')
			digits = out->len;
		gb_buf_add(out, text, strlen(text) + 1);
	}
	pad(out, 8);
	gb_buf_add(out, index, sizeof(index));
	return digits;
}

static void add_offsets(struct gb_buf *out, enum test_order order, const struct test_symbol *s,
			uint32_t count, uint64_t base, uint64_t at)
{
	for (uint32_t i = 0; i < count; i++) {
		int32_t off;

		if (order == TEST_ORDER_C)
			off = (int32_t)(s[i].address - (at + out->len));
		else if (order == TEST_ORDER_B_POSITIVE)
			off = (int32_t)(s[i].address - base);
		else if (s[i].address >= base)
			off = (int32_t)(base - 1 - s[i].address);
		else
			off = (int32_t)s[i].address;
		gb_buf_add(out, &off, sizeof(off));
	}
	if (order == TEST_ORDER_C)
		return;
	pad(out, 8);
	gb_buf_add(out, &base, sizeof(base));
}

static void add_sequence(struct gb_buf *out, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t three[3] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

		gb_buf_add(out, three, 3);
	}
	pad(out, 8);
}

size_t test_kallsyms(enum test_order order, const struct test_symbol *symbols, uint32_t count,
		     uint64_t base, uint64_t at, struct gb_buf *out)
{
	bool first = order == TEST_ORDER_A || order == TEST_ORDER_A_SEQ;
	uint32_t markers[64] = {};
	size_t names, digits;

	if (first)
		add_offsets(out, order, symbols, count, base, at);
	gb_buf_add(out, &count, sizeof(count));
	pad(out, order == TEST_ORDER_C ? 4 : 8);
	names = out->len;
	for (uint32_t i = 0; i < count; i++) {
		if (i % 256 == 0)
			markers[i / 256] = (uint32_t)(out->len - names);
		add_name(out, &symbols[i]);
	}
	pad(out, order == TEST_ORDER_C ? 4 : 8);
	gb_buf_add(out, markers, (count + 255) / 256 * 4);
	pad(out, 8);
	if (order == TEST_ORDER_A_SEQ)
		add_sequence(out, count);
	digits = add_tokens(out);
	if (!first)
		add_offsets(out, order, symbols, count, base, at);
	if (!first)
		add_sequence(out, count);
	return digits;
}

// The guest.

#define IMAGE_VA 0xffffffff81000000ull
#define IMAGE_PA 0x100000ull
#define IMAGE_SIZE 0x100000ull
#define DIRECT 0xffff888000000000ull
#define VMEMMAP 0xffffea0000000000ull
#define TABLES_AT 0x200000u
#define OBJECTS_AT 0x300000u
#define PAGES_AT 0x400000u
#define USER_AT TEST_USER_AT
#define RODATA 0x10000u // offsets in the image
#define SYMBOLS_IN_IMAGE 0x12000u
#define BTF_IN_IMAGE 0x40000u
#define DATA 0x80000u
#define ROOT 0x90000u
#define VARIABLES 0xa0000u
#define BANNER 0x11000u

static struct gb_offsets layout; // of the structures, as the guest's BTF tells them

static void put64(uint8_t *ram, uint64_t at, uint64_t v)
{
	memcpy(ram + at, &v, 8);
}

static void put32(uint8_t *ram, uint64_t at, uint32_t v)
{
	memcpy(ram + at, &v, 4);
}

static uint64_t place(uint64_t object, enum gb_member_id m)
{
	return object + (uint64_t)(int64_t)layout.members[m].at;
}

static void set(uint8_t *ram, uint64_t object, enum gb_member_id m, uint64_t v)
{
	uint64_t at = place(object, m);

	memcpy(ram + at, &v, layout.members[m].size < 8 ? layout.members[m].size : 8);
}

static uint64_t va(uint64_t pa)
{
	return DIRECT + pa;
}

static uint32_t member_size(const char *path)
{
	static const struct {
		const char *path;
		uint32_t size;
	} sizes[] = {
		{"comm", 16},        {"pivot", 15 * 8},  {"slot", 16 * 8},   {"tasks", 16},
		{"thread_node", 16}, {"lists", 14 * 16}, {"desc", 32},       {"name", 64},
		{"thread_head", 16}, {"list", 16},       {"lru", 16},        {"pid", 4},
		{"tgid", 4},         {"flags", 8},       {"map_count", 4},   {"page_type", 4},
		{"_refcount", 4},    {"exit_state", 4},  {"__state", 4},     {"euid", 4},
		{"nr_threads", 4},   {"d_name.len", 4},  {"node_zones", 24}, {"mem", 64},
		{"source_list", 16},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (strcmp(path, sizes[i].path) == 0)
			return sizes[i].size;
	return 8;
}

struct maker {
	struct test_btf btf;
	uint32_t bytes[256]; // array types by size in bytes; the element is a char
	uint32_t char_type;
};

static uint32_t type_of_size(struct maker *m, uint32_t size)
{
	if (!m->char_type)
		m->char_type = test_btf_int(&m->btf, "char", 1);
	if (!m->bytes[size])
		m->bytes[size] = test_btf_array(&m->btf, m->char_type, size);
	return m->bytes[size];
}

struct made {
	char first[32]; // component of the path before a dot
	struct test_member subs[8];
	char names[8][32];
	unsigned sub_count;
	uint32_t size, type;
};

struct struct_maker {
	struct maker *maker;
	const char *name;
	struct made made[32];
	unsigned count;
};

static void add_path(struct struct_maker *s, const char *paths)
{
	char path[64];
	size_t len = strcspn(paths, "|"), first;
	uint32_t size;
	struct made *made = NULL;

	memcpy(path, paths, len);
	path[len] = 0;
	first = strcspn(path, ".");
	size = member_size(path);
	for (unsigned i = 0; i < s->count; i++)
		if (strlen(s->made[i].first) == first && memcmp(s->made[i].first, path, first) == 0)
			made = &s->made[i];
	if (!made) {
		made = &s->made[s->count++];
		memcpy(made->first, path, first);
		made->size = size;
	}
	if (!path[first])
		return;
	snprintf(made->names[made->sub_count], 32, "%.31s", path + first + 1);
	made->subs[made->sub_count] =
		(struct test_member){made->names[made->sub_count], type_of_size(s->maker, size),
				     made->sub_count * 64};
	made->sub_count++;
	made->size = made->sub_count * 8;
}

static void finish_struct(struct struct_maker *s)
{
	struct test_member members[32];
	bool is_page = s->name && strcmp(s->name, "page") == 0;
	uint32_t at = is_page ? 0 : 8;

	for (unsigned i = 0; i < s->count; i++) {
		struct made *made = &s->made[i];

		if (made->sub_count) {
			char nested[64];

			// a path may go through one more level
			for (unsigned j = 0; j < made->sub_count; j++) {
				char *dot = strchr(made->names[j], '.');
				struct test_member inner = {dot ? dot + 1 : NULL,
							    made->subs[j].type, 0};

				if (!dot)
					continue;
				*dot = 0;
				snprintf(nested, sizeof(nested), "in_%s", made->names[j]);
				made->subs[j].type =
					test_btf_struct(&s->maker->btf, nested, 8, &inner, 1);
			}
			made->type = test_btf_struct(&s->maker->btf, NULL, made->size, made->subs,
						     made->sub_count);
		} else {
			made->type = type_of_size(s->maker, made->size);
		}
		members[i] = (struct test_member){made->first, made->type, at * 8};
		at += (made->size + 7) & ~7u;
	}
	if (s->count)
		test_btf_struct(&s->maker->btf, s->name, is_page ? (at + 63) & ~63u : at + 8,
				members, s->count);
}

static void make_types(struct gb_buf *out)
{
	static const char *const flags[] = {"PG_locked", "PG_lru", "PG_reserved"};
	static const int32_t flag_values[] = {0, 5, 13};
	static const char *const types[] = {"PGTY_buddy", "PGTY_table", "PGTY_slab"};
	static const int32_t type_values[] = {240, 242, 245};
	static const struct {
		const char *name, *path; // name: begins a structure
	} rows[] = {
#define S(id, text) {text, NULL},
#define M(id, in, text, need) {NULL, text},
		GB_MEMBERS(S, M)
#undef S
#undef M
	};
	struct maker m = {};
	struct struct_maker s = {.maker = &m};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].name) {
			finish_struct(&s);
			s = (struct struct_maker){.maker = &m, .name = rows[i].name};
		} else {
			add_path(&s, rows[i].path);
		}
	}
	finish_struct(&s);
	test_btf_enum(&m.btf, "pageflags", flags, flag_values, 3);
	test_btf_enum(&m.btf, "pagetype", types, type_values, 3);
	for (unsigned i = 0; i < 100; i++) { // a kernel has more types than we need
		char name[32];

		snprintf(name, sizeof(name), "filler_%u", i);
		test_btf_int(&m.btf, name, 8);
	}
	test_btf_finish(&m.btf, out);
	test_btf_deinit(&m.btf);
}

// init_task and the root are in the image; variables follow one another.
static uint64_t symbol_offset(enum gb_symbol_id id, size_t btf_size)
{
	switch (id) {
	case GB_Y_TEXT:
		return 0;
	case GB_Y_ETEXT:
	case GB_Y_START_RODATA:
		return RODATA;
	case GB_Y_BANNER:
		return BANNER;
	case GB_Y_START_BTF:
		return BTF_IN_IMAGE;
	case GB_Y_STOP_BTF:
		return BTF_IN_IMAGE + btf_size;
	case GB_Y_END_RODATA:
	case GB_Y_INIT_TASK:
		return DATA;
	case GB_Y_INIT_TOP_PGT:
		return ROOT;
	case GB_Y_BSS_STOP:
	case GB_Y_END:
		return IMAGE_SIZE;
	default:
		return VARIABLES + 64u * (unsigned)id;
	}
}

static int by_address(const void *a, const void *b)
{
	const struct test_symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static void make_symbols(uint8_t *ram, enum test_order order, size_t btf_size)
{
	static const char *const names[] = {
#define X(id, name, need) name,
		GB_SYMBOLS(X)
#undef X
	};
	static struct test_symbol symbols[GB_SYMBOL_COUNT + 400];
	static char fillers[400][400];
	GB_CLEANUP(gb_buf_deinit) struct gb_buf out = {};
	uint64_t at = order == TEST_ORDER_C ? IMAGE_PA : IMAGE_VA;
	uint32_t n = 0;

	for (int i = 0; i < GB_SYMBOL_COUNT; i++)
		if (i != GB_Y_NODE_DATA && i != GB_Y_L5_ENABLED)
			symbols[n++] = (struct test_symbol){at + symbol_offset(i, btf_size), 'D',
							    names[i]};
	for (int i = 0; i < 400; i++) {
		snprintf(fillers[i], sizeof(fillers[i]), "sys__start_of_something_long%d", i);
		if (i % 100 == 50) // a name of more than 127 tokens
			memset(fillers[i], 'a' + i % 26, 300);
		symbols[n++] = (struct test_symbol){at + 16 * (unsigned)i, 't', fillers[i]};
	}
	qsort(symbols, n, sizeof(symbols[0]), by_address);
	test_kallsyms(order, symbols, n, IMAGE_VA, IMAGE_PA + SYMBOLS_IN_IMAGE, &out);
	memcpy(ram + IMAGE_PA + SYMBOLS_IN_IMAGE, out.data, out.len);
}

static void make_tables(uint8_t *ram)
{
	uint64_t root = IMAGE_PA + ROOT, t = TABLES_AT;

	put64(ram, root + 8 * 273, (t + 0x0000) | 0x63); // direct map: four pages of 2 MiB
	put64(ram, t + 0x0000, (t + 0x1000) | 0x63);
	for (unsigned i = 0; i < 4; i++)
		put64(ram, t + 0x1000 + 8 * i, (uint64_t)i << 21 | 0xe3);
	put64(ram, root + 8 * 511, (t + 0x2000) | 0x63); // the image
	put64(ram, t + 0x2000 + 8 * 510, (t + 0x3000) | 0x63);
	put64(ram, t + 0x3000 + 8 * 8, (t + 0x4000) | 0x63);
	for (unsigned i = 0; i < IMAGE_SIZE >> 12; i++)
		put64(ram, t + 0x4000 + 8 * i, (IMAGE_PA + i * 4096) | 0x63);
	put64(ram, root + 8 * 468, (t + 0x5000) | 0x63); // struct pages
	put64(ram, t + 0x5000, (t + 0x6000) | 0x63);
	put64(ram, t + 0x6000, (uint64_t)PAGES_AT | 0xe3 | GB_PTE_NX);
}

static uint64_t object(unsigned n)
{
	return OBJECTS_AT + 0x2000 * n;
}

// A circular list of one head and n entries, each a list_head at that physical address.
static void link_list(uint8_t *ram, uint64_t head_va, uint64_t head_pa, const uint64_t *pas,
		      unsigned n)
{
	uint64_t at = head_pa, at_va = head_va;

	for (unsigned i = 0; i < n; i++) {
		put64(ram, at, va(pas[i]));
		at = pas[i];
		put64(ram, at + 8, at_va);
		at_va = va(at);
	}
	put64(ram, at, head_va);
	put64(ram, head_pa + 8, at_va);
}

static void make_task(uint8_t *ram, uint64_t task, uint32_t pid, uint32_t tgid, const char *comm,
		      unsigned signal)
{
	set(ram, task, GB_M_TASK_PID, pid);
	set(ram, task, GB_M_TASK_TGID, tgid);
	memcpy(ram + place(task, GB_M_TASK_COMM), comm, strlen(comm) + 1);
	set(ram, task, GB_M_TASK_REAL_PARENT, IMAGE_VA + DATA);
	set(ram, task, GB_M_TASK_SIGNAL, va(object(signal)));
	set(ram, task, GB_M_TASK_REAL_CRED, va(object(TEST_CRED)));
	set(ram, task, GB_M_TASK_FS, va(object(TEST_FS)));
	set(ram, task, GB_M_TASK_STATE, 1);
}

static void make_tasks(uint8_t *ram)
{
	uint64_t init = IMAGE_PA + DATA, leader = object(TEST_TASK), thread = object(TEST_THREAD),
		 kthread = object(TEST_KTHREAD);
	const uint64_t all[] = {place(leader, GB_M_TASK_TASKS), place(kthread, GB_M_TASK_TASKS)};
	const uint64_t threads[] = {place(leader, GB_M_TASK_THREAD_NODE),
				    place(thread, GB_M_TASK_THREAD_NODE)};
	const uint64_t one[] = {place(kthread, GB_M_TASK_THREAD_NODE)};

	make_task(ram, init, 0, 0, "swapper/0", TEST_KSIGNAL);
	make_task(ram, leader, TEST_PID, TEST_PID, "one", TEST_SIGNAL);
	make_task(ram, thread, TEST_TID, TEST_PID, "thread", TEST_SIGNAL);
	make_task(ram, kthread, TEST_KTHREAD_PID, TEST_KTHREAD_PID, "kthread", TEST_KSIGNAL);
	set(ram, kthread, GB_M_TASK_FLAGS, 0x200000);
	set(ram, leader, GB_M_TASK_MM, va(object(TEST_MM)));
	set(ram, thread, GB_M_TASK_MM, va(object(TEST_MM)));
	link_list(ram, IMAGE_VA + (place(init, GB_M_TASK_TASKS) - IMAGE_PA),
		  place(init, GB_M_TASK_TASKS), all, 2);
	set(ram, object(TEST_SIGNAL), GB_M_SIGNAL_NR_THREADS, 2);
	link_list(ram, va(place(object(TEST_SIGNAL), GB_M_SIGNAL_THREAD_HEAD)),
		  place(object(TEST_SIGNAL), GB_M_SIGNAL_THREAD_HEAD), threads, 2);
	set(ram, object(TEST_KSIGNAL), GB_M_SIGNAL_NR_THREADS, 1);
	link_list(ram, va(place(object(TEST_KSIGNAL), GB_M_SIGNAL_THREAD_HEAD)),
		  place(object(TEST_KSIGNAL), GB_M_SIGNAL_THREAD_HEAD), one, 1);
	set(ram, object(TEST_CRED), GB_M_CRED_EUID, 1000);
}

static void make_vma(uint8_t *ram, uint64_t vma, uint64_t start, uint64_t end, uint64_t flags)
{
	set(ram, vma, GB_M_VMA_START, start);
	set(ram, vma, GB_M_VMA_END, end);
	set(ram, vma, GB_M_VMA_FLAGS, flags);
	set(ram, vma, GB_M_VMA_MM, va(object(TEST_MM)));
}

static void make_memory(uint8_t *ram)
{
	uint64_t mm = object(TEST_MM), node = object(TEST_MAPLE),
		 pivot = place(node, GB_M_MAPLE_RANGE_PIVOT),
		 slot = place(node, GB_M_MAPLE_RANGE_SLOT);

	set(ram, mm, GB_M_MM_MT, va(node) | 1 << 3 | 2);
	set(ram, mm, GB_M_MM_MAP_COUNT, 2);
	set(ram, mm, GB_M_MM_PGD, va(USER_AT));
	set(ram, mm, GB_M_MM_START_BRK, 0x600000);
	set(ram, mm, GB_M_MM_BRK, 0x602000);
	set(ram, mm, GB_M_MM_START_STACK, 0x7fff0000);
	set(ram, mm, GB_M_MM_ARG_START, 0x600100);
	set(ram, mm, GB_M_MM_ARG_END, 0x60010a);
	make_vma(ram, object(TEST_VMA1), 0x400000, 0x402000, 5);
	make_vma(ram, object(TEST_VMA2), 0x600000, 0x602000, 3);
	set(ram, object(TEST_VMA1), GB_M_VMA_FILE, va(object(TEST_FILE)));
	put64(ram, pivot, 0x3fffff);
	put64(ram, pivot + 8, 0x401fff);
	put64(ram, slot + 8, va(object(TEST_VMA1)));
	put64(ram, pivot + 16, 0x5fffff);
	put64(ram, pivot + 24, 0x601fff);
	put64(ram, slot + 24, va(object(TEST_VMA2)));
	put64(ram, USER_AT, (USER_AT + 0x1000) | 7); // its page tables
	put64(ram, USER_AT + 0x1000, (USER_AT + 0x2000) | 7);
	put64(ram, USER_AT + 0x2000 + 16, (USER_AT + 0x3000) | 7); // 4 MiB
	put64(ram, USER_AT + 0x2000 + 24, (USER_AT + 0x4000) | 7); // 6 MiB
	put64(ram, USER_AT + 0x3000, (USER_AT + 0x5000) | 5);
	put64(ram, USER_AT + 0x4000, (USER_AT + 0x6000) | 7 | GB_PTE_NX);
	memcpy(ram + USER_AT + 0x6000 + 0x100, "one\0--two", 10);
}

static void make_files(uint8_t *ram)
{
	uint64_t dentry = object(TEST_DENTRY), root = object(TEST_ROOT_DENTRY),
		 mount = object(TEST_MOUNT);
	uint64_t mnt = va(place(mount, GB_M_MOUNT_MNT));

	set(ram, object(TEST_FILE), GB_M_FILE_MNT, mnt);
	set(ram, object(TEST_FILE), GB_M_FILE_DENTRY, va(dentry));
	set(ram, object(TEST_FILE), GB_M_FILE_INODE, va(object(TEST_INODE)));
	set(ram, object(TEST_INODE), GB_M_INODE_INO, 4711);
	set(ram, object(TEST_INODE), GB_M_INODE_SB, va(object(TEST_SUPER)));
	set(ram, object(TEST_SUPER), GB_M_SUPER_DEV, 8 << 20 | 1);
	set(ram, object(TEST_SUPER), GB_M_SUPER_TYPE, va(object(TEST_TYPE)));
	put64(ram, place(object(TEST_TYPE), GB_M_FS_TYPE_NAME), va(object(TEST_TYPE) + 0x400));
	memcpy(ram + object(TEST_TYPE) + 0x400, "testfs", 7);
	set(ram, dentry, GB_M_DENTRY_PARENT, va(root));
	set(ram, dentry, GB_M_DENTRY_NAME, va(dentry + 0x400));
	set(ram, dentry, GB_M_DENTRY_LEN, 5);
	set(ram, dentry, GB_M_DENTRY_HASH, va(dentry));
	memcpy(ram + dentry + 0x400, "a\nexe", 5);
	set(ram, root, GB_M_DENTRY_PARENT, va(root));
	set(ram, mount, GB_M_MOUNT_ROOT, va(root));
	set(ram, mount, GB_M_MOUNT_PARENT, va(mount));
	set(ram, object(TEST_FS), GB_M_FS_ROOT_MNT, mnt);
	set(ram, object(TEST_FS), GB_M_FS_ROOT_DENTRY, va(root));
}

static void make_pages(uint8_t *ram)
{
	uint32_t size = layout.structs[GB_S_PAGE].size;

	for (uint64_t pfn = 0; pfn < TEST_GUEST_SIZE >> 12; pfn++) {
		uint64_t page = PAGES_AT + pfn * size;
		bool image = pfn >= IMAGE_PA >> 12 && pfn < (IMAGE_PA + IMAGE_SIZE) >> 12;

		set(ram, page, GB_M_PAGE_FLAGS, image || pfn < 16 ? 1 << 13 : 1);
		set(ram, page, GB_M_PAGE_TYPE, 0xffffffff);
		set(ram, page, GB_M_PAGE_REFCOUNT, 1);
	}
	// the last MiB is one free block of 256 frames
	for (uint64_t pfn = 0x700; pfn < 0x800; pfn++)
		set(ram, PAGES_AT + pfn * size, GB_M_PAGE_REFCOUNT, 0);
	set(ram, PAGES_AT + 0x700 * size, GB_M_PAGE_TYPE, 0xf0000000);
	set(ram, PAGES_AT + 0x700 * size, GB_M_PAGE_PRIVATE, 8);
	set(ram, PAGES_AT + 0x505 * size, GB_M_PAGE_MAPPING, va(object(TEST_MAPPING)));
	set(ram, PAGES_AT + 0x506 * size, GB_M_PAGE_MAPPING, va(object(TEST_MAPPING)) | 1);
	for (uint64_t pfn = 0x300; pfn < 0x330; pfn++) { // the objects
		set(ram, PAGES_AT + pfn * size, GB_M_PAGE_TYPE, 0xf5000000);
		set(ram, PAGES_AT + pfn * size, GB_M_SLAB_CACHE, va(object(TEST_CACHE)));
	}
}

static void make_descriptors(uint8_t *ram)
{
	uint64_t table = object(TEST_FDTABLE) + TEST_NAME_AT;

	set(ram, object(TEST_TASK), GB_M_TASK_FILES, va(object(TEST_FILES)));
	set(ram, object(TEST_FILES), GB_M_FILES_FDT, va(object(TEST_FDTABLE)));
	set(ram, object(TEST_FDTABLE), GB_M_FDTABLE_MAX, 4);
	set(ram, object(TEST_FDTABLE), GB_M_FDTABLE_FD, va(table));
	set(ram, object(TEST_FILE), GB_M_FILE_FLAGS, 2);
	put64(ram, table + 16, va(object(TEST_FILE)));
}

static void make_log(uint8_t *ram)
{
	uint64_t ring = object(TEST_PRB), desc = object(TEST_PRB_DESCS),
		 info = object(TEST_PRB_INFOS), text = object(TEST_PRB_TEXT);

	put64(ram, IMAGE_PA + symbol_offset(GB_Y_PRB, 0), va(ring));
	set(ram, ring, GB_M_PRB_COUNT_BITS, 4);
	set(ram, ring, GB_M_PRB_SIZE_BITS, 8);
	set(ram, ring, GB_M_PRB_DESCS, va(desc));
	set(ram, ring, GB_M_PRB_INFOS, va(info));
	set(ram, ring, GB_M_PRB_DATA, va(text));
	set(ram, desc, GB_M_PRB_DESC_STATE, (uint64_t)2 << 62); // final
	set(ram, desc, GB_M_PRB_DESC_NEXT, 16);
	set(ram, info, GB_M_PRINTK_LEN, 5);
	set(ram, info, GB_M_PRINTK_FACILITY, 6 << 13); // level 6
	memcpy(ram + text + 8, "hello", 5);
}

void test_guest_build(uint8_t *ram, size_t size, enum test_order order)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf btf = {};
	GB_CLEANUP(gb_btf_cleanup) struct gb_btf *parsed = NULL;
	struct gb_error err = {};
	uint8_t *copy;

	gb_assert(size >= TEST_GUEST_SIZE);
	make_types(&btf);
	copy = malloc(btf.len);
	gb_assert(copy && btf.len < DATA - BTF_IN_IMAGE);
	memcpy(copy, btf.data, btf.len);
	gb_assert(gb_btf_parse(copy, btf.len, &parsed, &err) == 0);
	gb_assert(gb_offsets_resolve(parsed, &layout, &err) == 0);
	memcpy(ram + IMAGE_PA + BTF_IN_IMAGE, btf.data, btf.len);
	make_symbols(ram, order, btf.len);
	memcpy(ram + IMAGE_PA + BANNER, TEST_GUEST_BANNER "\n", sizeof(TEST_GUEST_BANNER) + 1);
	make_tables(ram);
	put64(ram, IMAGE_PA + symbol_offset(GB_Y_PAGE_OFFSET_BASE, 0), DIRECT);
	put64(ram, IMAGE_PA + symbol_offset(GB_Y_VMEMMAP_BASE, 0), VMEMMAP);
	put64(ram, IMAGE_PA + symbol_offset(GB_Y_VMALLOC_BASE, 0), 0xffffc90000000000);
	put32(ram, IMAGE_PA + symbol_offset(GB_Y_NR_CPU_IDS, 0), 1);
	put32(ram, IMAGE_PA + symbol_offset(GB_Y_VSYSCALL_MODE, 0), 2); // none
	make_tasks(ram);
	make_memory(ram);
	make_files(ram);
	make_pages(ram);
	make_log(ram);
	make_descriptors(ram);
}

size_t test_guest_places(const uint32_t **ret)
{
	static uint32_t places[64];
	size_t n = 0;

	places[n++] = IMAGE_PA + DATA;
	places[n++] = IMAGE_PA + ROOT;
	places[n++] = IMAGE_PA + VARIABLES;
	places[n++] = IMAGE_PA + SYMBOLS_IN_IMAGE;
	places[n++] = IMAGE_PA + BTF_IN_IMAGE;
	places[n++] = TABLES_AT;
	places[n++] = PAGES_AT;
	places[n++] = USER_AT;
	for (unsigned i = TEST_TASK; i < TEST_OBJECTS_END; i++)
		places[n++] = (uint32_t)object(i);
	*ret = places;
	return n;
}

uint64_t test_guest_object(enum test_object o)
{
	return object(o);
}

uint64_t test_guest_at(enum test_object o, enum gb_member_id m)
{
	return place(object(o), m);
}

uint64_t test_guest_symbol(enum gb_symbol_id id)
{
	return IMAGE_PA + symbol_offset(id, 0);
}

uint64_t test_guest_va(uint64_t pa)
{
	return va(pa);
}

uint32_t test_guest_offset(enum gb_member_id m)
{
	return (uint32_t)layout.members[m].at;
}

void test_guest_plant_rb_tree(uint8_t *ram)
{
	static const char maple[] = "mm_mt";
	uint8_t *name =
		memmem(ram + IMAGE_PA + BTF_IN_IMAGE, DATA - BTF_IN_IMAGE, maple, sizeof(maple));
	uint64_t first = place(object(TEST_VMA1), GB_M_VMA_RB),
		 second = place(object(TEST_VMA2), GB_M_VMA_RB);

	gb_assert(name);
	memcpy(name, "mm_no", 5); // a type without the one is a kernel with the other
	set(ram, object(TEST_MM), GB_M_MM_RB, va(second));
	put64(ram, second + test_guest_offset(GB_M_RB_LEFT), va(first));
}

bool test_guest_make(struct test_guest *g, enum test_order order)
{
	*g = (struct test_guest){.fd = memfd_create("guest", MFD_CLOEXEC)};
	if (g->fd < 0 || ftruncate(g->fd, TEST_GUEST_SIZE) != 0)
		return false;
	g->bytes = mmap(NULL, TEST_GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
	if (g->bytes == MAP_FAILED)
		return false;
	test_guest_build(g->bytes, TEST_GUEST_SIZE, order);
	return gb_ram_open_fd(g->fd, NULL, &g->ram, &g->err) == 0;
}

bool test_guest_open(struct test_guest *g)
{
	return test_guest_make(g, TEST_ORDER_B) &&
	       gb_kernel_open(g->ram, NULL, &g->kernel, &g->err) == 0;
}

int test_guest_list(struct test_guest *g, struct gb_processes *p)
{
	gb_arena_reset(&g->arena);
	return gb_process_list(g->kernel, GB_PROCESS_NAMES | GB_PROCESS_ARGS | GB_PROCESS_FILES,
			       &g->arena, p, &g->err);
}

void test_guest_free(struct test_guest *g)
{
	gb_arena_deinit(&g->arena);
	gb_kernel_close(g->kernel);
	gb_ram_close(g->ram);
	munmap(g->bytes, TEST_GUEST_SIZE);
	close(g->fd);
}

void test_guest_put(struct test_guest *g, uint64_t pa, uint64_t v)
{
	put64(g->bytes, pa, v);
}

void test_guest_set(struct test_guest *g, enum test_object o, enum gb_member_id m, uint64_t v)
{
	set(g->bytes, object(o), m, v);
}

uint64_t test_guest_get(const struct test_guest *g, uint64_t pa)
{
	uint64_t v;

	memcpy(&v, g->bytes + pa, 8);
	return v;
}

void test_guest_put_name(struct test_guest *g, uint64_t dentry, const char *name, size_t len)
{
	test_guest_put(g, dentry + test_guest_offset(GB_M_DENTRY_NAME),
		       test_guest_va(dentry + 0x100));
	memcpy(g->bytes + dentry + test_guest_offset(GB_M_DENTRY_LEN), &(uint32_t){(uint32_t)len},
	       4);
	test_guest_put(g, dentry + test_guest_offset(GB_M_DENTRY_HASH), 1);
	memcpy(g->bytes + dentry + 0x100, name, len);
}

void test_guest_put_parent(struct test_guest *g, uint64_t dentry, uint64_t parent)
{
	test_guest_put(g, dentry + test_guest_offset(GB_M_DENTRY_PARENT), test_guest_va(parent));
}

void test_guest_put_path(struct test_guest *g, unsigned n, size_t len)
{
	char name[255];

	memset(name, 'd', sizeof(name));
	for (unsigned i = 0; i < n; i++) {
		test_guest_put_name(g, TEST_DENTRY_AT(i), name, len);
		test_guest_put_parent(g, TEST_DENTRY_AT(i),
				      i + 1 < n ? TEST_DENTRY_AT(i + 1)
						: test_guest_object(TEST_ROOT_DENTRY));
	}
}
