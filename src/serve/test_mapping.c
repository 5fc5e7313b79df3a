// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of which frames a process maps, on a small guest with page tables of an attacker's.
#include "serve/mapping.h"

#include "base/cleanup.h"
#include "kernel/test_guest.h"
#include "tests/tap.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAMES (TEST_GUEST_SIZE / GB_PAGE_SIZE)
// Page tables of the tests lie behind all that the guest made by code has.
#define TABLES (TEST_GUEST_SIZE - 0x10000)
#define TABLE(n) (TABLES + (n)*GB_PAGE_SIZE)
#define PRESENT 0x7u
#define LARGE 0x80u

struct guest {
	int fd;
	uint8_t *bytes;
	struct gb_ram *ram;
	struct gb_kernel *kernel;
	struct gb_guest_kernel *shared;
	struct gb_census *census;
	struct gb_buf out;
	struct gb_error err;
};

static bool guest_make(struct guest *g)
{
	*g = (struct guest){.fd = memfd_create("guest", MFD_CLOEXEC)};
	if (g->fd < 0 || ftruncate(g->fd, TEST_GUEST_SIZE) != 0)
		return false;
	g->bytes = mmap(NULL, TEST_GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
	if (g->bytes == MAP_FAILED)
		return false;
	test_guest_build(g->bytes, TEST_GUEST_SIZE, TEST_ORDER_B);
	return gb_ram_open_fd(g->fd, NULL, &g->ram, &g->err) == 0 &&
	       gb_kernel_open(g->ram, NULL, &g->kernel, &g->err) == 0 &&
	       gb_guest_kernel_borrow(g->kernel, &g->shared, &g->err) == 0 &&
	       gb_census_take(g->shared, FRAMES, NULL, &g->census, &g->err) == 0;
}

static void guest_free(struct guest *g)
{
	gb_buf_deinit(&g->out);
	gb_census_unref(&g->census);
	gb_guest_kernel_unref(&g->shared);
	gb_kernel_close(g->kernel);
	gb_ram_close(g->ram);
	munmap(g->bytes, TEST_GUEST_SIZE);
	close(g->fd);
}

static void put_entry(struct guest *g, uint64_t table, unsigned slot, uint64_t entry)
{
	memcpy(g->bytes + table + 8 * slot, &entry, sizeof(entry));
}

static const char *ask(struct guest *g)
{
	struct gb_process p = {.pid = 1, .pgd = {TABLE(0)}};

	g->out.len = 0;
	if (gb_mapping_process(g->census, g->ram, &p, &g->out, &g->err) != 0)
		return g->err.message;
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
