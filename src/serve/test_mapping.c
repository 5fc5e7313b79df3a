// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of which frames a process maps, on a small guest with page tables of an attacker's.
#include "serve/mapping.h"

#include "base/cleanup.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#include <unistd.h>

#define FRAMES (TEST_GUEST_SIZE / GB_PAGE_SIZE)
// Page tables of the tests lie behind all that the guest made by code has.
#define TABLES (TEST_GUEST_SIZE - 0x10000)
#define TABLE(n) (TABLES + (n)*GB_PAGE_SIZE)
#define PRESENT 0x7u
#define LARGE 0x80u

struct guest {
	struct test_guest base;
	struct gb_guest_kernel *shared;
	struct gb_census *census;
	struct gb_buf out;
};

static bool guest_make(struct guest *g)
{
	*g = (struct guest){};
	return test_guest_open(&g->base) &&
	       gb_guest_kernel_borrow(g->base.kernel, &g->shared, &g->base.err) == 0 &&
	       gb_census_take(g->shared, FRAMES, NULL, &g->census, &g->base.err) == 0;
}

static void guest_free(struct guest *g)
{
	gb_buf_deinit(&g->out);
	gb_census_unref(&g->census);
	gb_guest_kernel_unref(&g->shared);
	test_guest_free(&g->base);
}

static void put_entry(struct guest *g, uint64_t table, unsigned slot, uint64_t entry)
{
	test_guest_put(&g->base, table + 8 * slot, entry);
}

static const char *ask(struct guest *g)
{
	struct gb_process p = {.pid = 1, .pgd = {TABLE(0)}};

	g->out.len = 0;
	if (gb_mapping_process(g->census, g->base.ram, &p, &g->out, &g->base.err) != 0)
		return g->base.err.message;
	return g->out.data;
}

static void a_large_page_that_is_hardly_ram(void)
{
	struct guest g;

	REQUIRE(guest_make(&g));
	put_entry(&g, TABLE(0), 0, TABLE(1) | PRESENT);
	put_entry(&g, TABLE(1), 5, ((uint64_t)1 << 30) | PRESENT | LARGE); // no RAM at all
	CHECK_STR(ask(&g), "{\"pid\":1,\"runs\":[],\"torn\":false}");
	put_entry(&g, TABLE(1), 6, 0 | PRESENT | LARGE); // 8 MiB of its 1 GiB
	CHECK_STR(ask(&g), "{\"pid\":1,\"runs\":[[0,2048]],\"torn\":false}");
	guest_free(&g);
}

// 131,072 large pages of 1 GiB, by two tables: an answer in time, that says that it is not whole.
static void large_pages_without_end(void)
{
	struct guest g;

	REQUIRE(guest_make(&g));
	for (unsigned i = 0; i < 256; i++)
		put_entry(&g, TABLE(0), i, TABLE(1) | PRESENT);
	for (unsigned i = 0; i < 512; i++)
		put_entry(&g, TABLE(1), i, 0 | PRESENT | LARGE);
	alarm(10);
	CHECK_STR(ask(&g), "{\"pid\":1,\"runs\":[[0,2048]],\"torn\":true}");
	alarm(0);
	guest_free(&g);
}

TAP_MAIN(TAP_CASE(a_large_page_that_is_hardly_ram), TAP_CASE(large_pages_without_end))
