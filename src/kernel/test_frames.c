// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the owners of frames against a guest whose lists and page tables have no end. Each
// classification ends, counts every frame once, and says when page tables were cut.
#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/owners.h"
#include "kernel/test_guest.h"
#include "ram/walk.h"
#include "tests/tap.h"

#define FRAMES (TEST_GUEST_SIZE >> GB_PAGE_SHIFT)
#define LIMIT (60 * GB_SECOND) // a hang would be hours; sanitizers and a busy machine take seconds

struct answer {
	struct test_guest g;
	struct gb_processes p;
	struct gb_frames f;
};

static bool answer_open(struct answer *a)
{
	*a = (struct answer){};
	return test_guest_open(&a->g);
}

static void answer_free(struct answer *a)
{
	gb_frames_deinit(&a->f);
	test_guest_free(&a->g);
}

// Classify, and check what holds of every guest.
static void classify(struct answer *a)
{
	uint64_t start = gb_clock_ns(), sum = 0;
	struct gb_error *err = &a->g.err;

	REQUIRE_OK(test_guest_list(&a->g, &a->p), *err);
	REQUIRE_OK(gb_frames_classify(a->g.kernel, &a->p, &a->f, err), *err);
	CHECK(gb_clock_ns() - start < LIMIT);
	CHECK_EQ(a->f.count, FRAMES);
	for (int c = 0; c < GB_FRAME_CLASS_COUNT; c++)
		sum += a->f.by_class[c];
	CHECK_EQ(sum, FRAMES);
	// what no list or table leads to is what it was
	CHECK_EQ(a->f.classes[0x110], GB_FRAME_KERNEL_RODATA);
}

static void describe_all(struct answer *a)
{
	for (size_t i = 0; i < a->f.count; i++) {
		GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};

		gb_frame_describe(a->g.kernel, &a->p, &a->f, i, &text);
		CHECK(text.len < 2048);
	}
}

// Of a struct page.
static uint32_t page_size(void)
{
	return (test_guest_offset(GB_M_PAGE_SLAB_CACHE) + 8 + 63) & ~63u;
}

// n structures of 128 bytes in memory that nobody uses, linked through a member; the last leads
// back to the one at `back`, not to the head.
static uint64_t make_circle(struct test_guest *g, enum gb_member_id link, unsigned n, unsigned back)
{
	uint64_t at = TEST_SCRATCH_AT + test_guest_offset(link);

	for (unsigned i = 0; i < n; i++)
		test_guest_put(g, at + 128 * i,
			       test_guest_va(at + 128 * (i + 1 < n ? i + 1 : back)));
	return test_guest_va(at);
}

static void lists_of_areas_end(void)
{
	for (int empty = 0; empty < 2; empty++) {
		struct answer a;
		uint64_t first;

		REQUIRE(answer_open(&a));
		first = make_circle(&a.g, GB_M_VMAP_LIST, 10, 3);
		for (unsigned i = 0; i < 10 && !empty; i++) {
			uint64_t area = TEST_SCRATCH_AT + 128 * i;

			test_guest_put(&a.g, area + test_guest_offset(GB_M_VMAP_START),
				       0xffffc90000000000 + 0x2000 * i);
			test_guest_put(&a.g, area + test_guest_offset(GB_M_VMAP_END),
				       0xffffc90000001000 + 0x2000 * i);
		}
		test_guest_put(&a.g, test_guest_symbol(GB_Y_VMAP_LIST), first);
		classify(&a);
		answer_free(&a);
	}
}

// As many lists as a number of 32 bits allows, each of them empty.
static void lists_of_areas_are_counted(void)
{
	struct answer a;

	REQUIRE(answer_open(&a));
	test_guest_put(&a.g, test_guest_symbol(GB_Y_VMAP_NODES), test_guest_va(TEST_SCRATCH_AT));
	test_guest_put(&a.g, test_guest_symbol(GB_Y_NR_VMAP_NODES), UINT32_MAX);
	classify(&a);
	answer_free(&a);
}

static void lists_of_modules_end(void)
{
	struct answer a;

	REQUIRE(answer_open(&a));
	test_guest_put(&a.g, test_guest_symbol(GB_Y_MODULES),
		       make_circle(&a.g, GB_M_MODULE_LIST, 4, 1));
	classify(&a);
	answer_free(&a);
}

// The lists of free frames that a CPU keeps: circles of pages of the largest order.
static void lists_of_free_frames_end(void)
{
	uint32_t page;
	struct answer a;
	uint64_t zone, sets, lru;

	REQUIRE(answer_open(&a));
	page = page_size();
	zone = test_guest_symbol(GB_Y_CONTIG_PGDAT) + test_guest_offset(GB_M_PGDAT_ZONES);
	sets = TEST_SCRATCH_AT;
	test_guest_put(&a.g, zone + test_guest_offset(GB_M_ZONE_PAGESETS), test_guest_va(sets));
	lru = 0xffffea0000000000 + 0x600 * page + test_guest_offset(GB_M_PAGE_LRU);
	for (unsigned i = 0; i < 14; i++)
		test_guest_put(&a.g, sets + test_guest_offset(GB_M_PAGESET_LISTS) + 16 * i, lru);
	test_guest_put(&a.g, 0x400000 + 0x600 * page + test_guest_offset(GB_M_PAGE_LRU), lru);
	classify(&a);
	CHECK(a.f.by_class[GB_FRAME_FREE] >= 256);
	answer_free(&a);
}

// Every entry of a table leads to the next one: 512^3 tables by count, four by place.
static void fill_table(struct test_guest *g, uint64_t table, uint64_t entry)
{
	for (unsigned i = 0; i < 512; i++)
		test_guest_put(g, table + 8 * i, entry);
}

static void page_tables_without_end_are_cut(void)
{
	struct answer a;

	REQUIRE(answer_open(&a));
	for (uint64_t t = TEST_USER_AT; t < TEST_USER_AT + 0x3000; t += 0x1000)
		fill_table(&a.g, t, (t + 0x1000) | 7);
	fill_table(&a.g, TEST_USER_AT + 0x3000, (TEST_USER_AT + 0x5000) | 5);
	classify(&a);
	CHECK(a.f.cut);
	CHECK_EQ(a.f.mappers[0x505], 1); // once for a process, however often
	answer_free(&a);
}

// Large pages that all cover all RAM: two tables, and 2^28 times a frame for each of two processes.
static void large_pages_without_end_are_cut(void)
{
	struct answer a;

	REQUIRE(answer_open(&a));
	fill_table(&a.g, TEST_USER_AT, (TEST_USER_AT + 0x1000) | 7);
	fill_table(&a.g, TEST_USER_AT + 0x1000, 0x87);
	test_guest_set(&a.g, TEST_KTHREAD, GB_M_TASK_FLAGS, 0);
	test_guest_set(&a.g, TEST_KTHREAD, GB_M_TASK_MM, test_guest_va(test_guest_object(TEST_MM)));
	classify(&a);
	CHECK(a.f.cut);
	answer_free(&a);
}

static void page_tables_that_lead_back_are_not_followed(void)
{
	for (uint64_t t = 0; t < 4; t++) {
		struct answer a;

		REQUIRE(answer_open(&a));
		fill_table(&a.g, TEST_USER_AT + 0x1000 * t, TEST_USER_AT | 7);
		classify(&a);
		answer_free(&a);
	}
}

// With processes that no listing has made.
static void classify_list(struct answer *a, struct gb_process *list, size_t count)
{
	a->p.list = list;
	a->p.count = count;
	REQUIRE_OK(gb_frames_classify(a->g.kernel, &a->p, &a->f, &a->g.err), a->g.err);
	CHECK(a->f.cut);
}

// What all tables may cost is 4 times the frames, and a little; what one process's, the frames.
static void tables_of_all_processes_have_a_budget(void)
{
	enum { MANY = 20000 };
	struct gb_process *many = calloc(MANY, sizeof(*many));
	uint64_t at = TEST_SCRATCH_AT;
	struct answer a;

	REQUIRE(many && answer_open(&a));
	for (uint64_t t = at; t < at + 0x3000; t += 0x1000)
		fill_table(&a.g, t, (t + 0x1000) | 7);
	for (int i = 0; i < MANY; i++)
		many[i] = (struct gb_process){.pid = i + 1, .pgd = {at}, .args = ""};
	many[1].pgd.v = TEST_USER_AT;
	classify_list(&a, many, 2);
	CHECK_EQ(a.f.pids[0x506], 2); // the first leaves enough to the second
	classify_list(&a, many, MANY);
	free(many);
	answer_free(&a);
}

// vmalloc areas, said to reach as far as they can, in tables of many ways.
static void kernel_tables_without_end_are_cut(void)
{
	uint64_t root = test_guest_symbol(GB_Y_INIT_TOP_PGT), at = TEST_SCRATCH_AT;
	uint64_t area = at + 0x8000;
	struct answer a;

	REQUIRE(answer_open(&a));
	for (uint64_t t = at; t < at + 0x2000; t += 0x1000)
		fill_table(&a.g, t, (t + 0x1000) | 0x63);
	fill_table(&a.g, at + 0x2000, 0x506063);
	test_guest_put(&a.g, root + 8 * 402, at | 0x63);
	test_guest_put(&a.g, area + test_guest_offset(GB_M_VMAP_START), 0xffffc90000000000);
	test_guest_put(&a.g, area + test_guest_offset(GB_M_VMAP_END), 0xffffe90000000000);
	test_guest_put(&a.g, test_guest_symbol(GB_Y_VMAP_LIST),
		       test_guest_va(area + test_guest_offset(GB_M_VMAP_LIST)));
	classify(&a);
	CHECK(a.f.cut);
	describe_all(&a);
	answer_free(&a);
}

// Numbers out of all proportion, each of which is how often a loop runs or how far it looks.
static void numbers_are_bounded(void)
{
	static const enum gb_symbol_id numbers[] = {GB_Y_NR_CPU_IDS, GB_Y_PCPU_UNIT_SIZE,
						    GB_Y_NR_VMAP_NODES};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct answer a = {};

		REQUIRE(test_guest_make(&a.g, TEST_ORDER_B));
		memset(a.g.bytes + test_guest_symbol(numbers[i]), 0xff, 4);
		REQUIRE_OK(gb_kernel_open(a.g.ram, NULL, &a.g.kernel, &a.g.err), a.g.err);
		classify(&a);
		answer_free(&a);
	}
}

static void blocks_have_an_order(void)
{
	static const uint64_t orders[] = {0, 8, 19, 20, 63, 64, UINT64_MAX};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		uint32_t page = page_size();
		struct answer a;

		REQUIRE(answer_open(&a));
		test_guest_put(&a.g, 0x400000 + 0x700 * page + test_guest_offset(GB_M_PAGE_PRIVATE),
			       orders[i]);
		classify(&a);
		CHECK_EQ(a.f.classes[0x700], GB_FRAME_FREE);
		CHECK_EQ(a.f.classes[0x7ff] == GB_FRAME_FREE, orders[i] >= 8 && orders[i] < 20);
		answer_free(&a);
	}
}

// Directories of a file in the page cache that lead to themselves; names as long as they can be.
static void words_end(void)
{
	struct answer a;
	uint64_t alias;

	REQUIRE(answer_open(&a));
	test_guest_put(&a.g, 0x400000 + 0x600 * page_size() + test_guest_offset(GB_M_PAGE_MAPPING),
		       test_guest_va(test_guest_object(TEST_MAPPING)));
	test_guest_put(&a.g, test_guest_at(TEST_MAPPING, GB_M_ADDRESS_SPACE_HOST),
		       test_guest_va(test_guest_object(TEST_INODE)));
	alias = test_guest_at(TEST_DENTRY, GB_M_DENTRY_ALIAS);
	test_guest_set(&a.g, TEST_INODE, GB_M_INODE_ALIAS, test_guest_va(alias));
	test_guest_set(&a.g, TEST_ROOT_DENTRY, GB_M_DENTRY_PARENT,
		       test_guest_va(test_guest_object(TEST_DENTRY)));
	for (uint32_t len = 1; len <= 256; len += 51) {
		test_guest_set(&a.g, TEST_DENTRY, GB_M_DENTRY_LEN, len);
		test_guest_set(&a.g, TEST_ROOT_DENTRY, GB_M_DENTRY_LEN, len);
		test_guest_set(&a.g, TEST_ROOT_DENTRY, GB_M_DENTRY_NAME,
			       test_guest_va(test_guest_object(TEST_DENTRY) + TEST_NAME_AT));
		memset(a.g.bytes + test_guest_object(TEST_TYPE) + TEST_NAME_AT, 't', 1024);
		memset(a.g.bytes + test_guest_object(TEST_CACHE), 'c', 1024);
		classify(&a);
		CHECK_EQ(a.f.classes[0x600], GB_FRAME_PAGE_CACHE);
		describe_all(&a);
	}
	answer_free(&a);
}

// Two looks; a change between them is made to the second.
struct looks {
	struct answer a;
	struct gb_frames before;
	struct gb_processes processes;
};

static void look(struct looks *l)
{
	*l = (struct looks){};
	REQUIRE(answer_open(&l->a));
	REQUIRE_OK(test_guest_list(&l->a.g, &l->processes), l->a.g.err);
	REQUIRE_OK(gb_frames_classify(l->a.g.kernel, &l->processes, &l->before, &l->a.g.err),
		   l->a.g.err);
	classify(&l->a);
}

static uint64_t moved(const struct looks *l)
{
	return gb_frames_moved(&l->before, &l->processes, &l->a.f, &l->a.p);
}

static void looks_free(struct looks *l)
{
	gb_frames_deinit(&l->before);
	answer_free(&l->a);
}

// A frame that another process has got is another one's, though its class is what it was.
static void frames_that_change_hands_have_moved(void)
{
	struct looks l;
	uint64_t owned = 0;

	look(&l);
	CHECK_EQ(moved(&l), 0);
	l.a.f.mappers[0x505]++;
	CHECK_EQ(moved(&l), 1);
	for (size_t i = 0; i < FRAMES; i++)
		owned += l.before.pids[i] != 0;
	CHECK(owned > 1);
	for (enum test_object o = TEST_TASK; o <= TEST_THREAD; o++)
		test_guest_set(&l.a.g, o, GB_M_TASK_TGID, TEST_PID + 8);
	test_guest_set(&l.a.g, TEST_TASK, GB_M_TASK_PID, TEST_PID + 8);
	classify(&l.a);
	CHECK_EQ(memcmp(l.before.classes, l.a.f.classes, FRAMES), 0);
	CHECK(moved(&l) >= owned); // and its page tables
	looks_free(&l);
}

// Neither class nor process tells of these.
static void frames_that_change_owners_have_moved(void)
{
	static const struct gb_owner owners[] = {
		{GB_OWNER_FILE, 0, 0, 8},   {GB_OWNER_SLAB, 0, 0, 8},    {GB_OWNER_STACK, 8, 0, 0},
		{GB_OWNER_TABLE, 8, 0, 0},  {GB_OWNER_VMALLOC, 0, 0, 8}, {GB_OWNER_MODULE, 0, 0, 8},
		{GB_OWNER_PERCPU, 0, 8, 0}, {GB_OWNER_PCP, 0, 0, 0},
	};
	struct gb_owner *before, *after;
	struct looks l;

	look(&l);
	before = &l.before.owners->list[l.before.owner_of[0x110]];
	after = &l.a.f.owners->list[l.a.f.owner_of[0x110]];
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		*before = *after = owners[i];
		CHECK_EQ(moved(&l), 0);
		if (owners[i].kind == GB_OWNER_PCP)
			after->kind = GB_OWNER_BUDDY;
		else
			*after = (struct gb_owner){owners[i].kind, owners[i].pid / 2,
						   owners[i].index / 2, owners[i].at / 2};
		CHECK(moved(&l) > 0);
	}
	looks_free(&l);
}

// A frame of the page cache that goes from one file to another.
static void files_that_change_have_moved(void)
{
	uint64_t at = 0x400000 + 0x600 * page_size() + test_guest_offset(GB_M_PAGE_MAPPING);
	struct looks l;

	look(&l);
	for (enum test_object o = TEST_MAPPING; o <= TEST_CACHE; o++) {
		gb_frames_deinit(&l.before);
		l.before = l.a.f;
		l.a.f = (struct gb_frames){};
		test_guest_put(&l.a.g, at, test_guest_va(test_guest_object(o)));
		classify(&l.a);
	}
	CHECK_EQ(l.before.classes[0x600], GB_FRAME_PAGE_CACHE);
	CHECK_EQ(l.a.f.classes[0x600], GB_FRAME_PAGE_CACHE);
	CHECK_EQ(moved(&l), 1);
	looks_free(&l);
}

// A process of which another one stands before it in the list has the same VMAs as ever.
static void vmas_are_not_their_numbers(void)
{
	struct gb_process *list;
	struct looks l;

	look(&l);
	list = calloc(l.a.p.count + 1, sizeof(*list));
	REQUIRE(list);
	list[0] = (struct gb_process){.args = ""};
	memcpy(list + 1, l.a.p.list, l.a.p.count * sizeof(*list));
	l.a.p.list = list;
	l.a.p.count++;
	REQUIRE_OK(gb_frames_classify(l.a.g.kernel, &l.a.p, &l.a.f, &l.a.g.err), l.a.g.err);
	CHECK_EQ(moved(&l), 0);
	free(list);
	looks_free(&l);
}

TAP_MAIN(TAP_CASE(lists_of_areas_end), TAP_CASE(lists_of_areas_are_counted),
	 TAP_CASE(lists_of_modules_end), TAP_CASE(lists_of_free_frames_end),
	 TAP_CASE(page_tables_without_end_are_cut), TAP_CASE(large_pages_without_end_are_cut),
	 TAP_CASE(page_tables_that_lead_back_are_not_followed),
	 TAP_CASE(tables_of_all_processes_have_a_budget),
	 TAP_CASE(kernel_tables_without_end_are_cut), TAP_CASE(numbers_are_bounded),
	 TAP_CASE(blocks_have_an_order), TAP_CASE(words_end),
	 TAP_CASE(frames_that_change_hands_have_moved),
	 TAP_CASE(frames_that_change_owners_have_moved), TAP_CASE(files_that_change_have_moved),
	 TAP_CASE(vmas_are_not_their_numbers))
