// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of page walks, on tables built in a small RAM image.
#include "base/cleanup.h"
#include "ram/walk.h"
#include "tests/tap.h"

#include <sys/mman.h>

#define RAM_SIZE ((size_t)4 << 20)

struct image {
	int fd;
	uint64_t *words;
	struct gb_ram *ram;
};

static bool image_make(struct image *i)
{
	struct gb_error err = {};

	i->fd = memfd_create("walk", MFD_CLOEXEC);
	if (i->fd < 0 || ftruncate(i->fd, RAM_SIZE) != 0)
		return false;
	i->words = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, i->fd, 0);
	return i->words != MAP_FAILED && gb_ram_open_fd(i->fd, NULL, &i->ram, &err) == 0;
}

static void image_free(struct image *i)
{
	gb_ram_close(i->ram);
	munmap(i->words, RAM_SIZE);
	close(i->fd);
}

static void set(struct image *i, uint64_t table, unsigned slot, uint64_t entry)
{
	i->words[table / 8 + slot] = entry;
}

// 4 levels: 0x1000 -> 0x2000 -> 0x3000 -> 0x4000 -> page 0x5000 at GVA 0, 2 MiB page at GVA 2 MiB
static void build(struct image *i)
{
	set(i, 0x1000, 0, 0x2000 | 7);
	set(i, 0x2000, 0, 0x3000 | 7);
	set(i, 0x3000, 0, 0x4000 | 7);
	set(i, 0x3000, 1, 0x200000 | 0x83 | GB_PTE_NX);
	set(i, 0x4000, 0, 0x5000 | 5);
	set(i, 0x1000, 511, 0x2000 | 3); // the same tables seen from the top of the address space
	i->words[0x5008 / 8] = 0x1122334455667788;
}

static void walks_pages_of_each_size(void)
{
	const struct gb_space space = {{0x1000 | 0x5}, 4}; // flag bits of CR3 are ignored
	struct gb_error err = {};
	struct gb_walk w;
	struct image i;
	uint64_t v = 0;

	REQUIRE(image_make(&i));
	build(&i);
	CHECK_OK(gb_space_read_u64(i.ram, space, (gb_gva){8}, &v, &err), err);
	CHECK_EQ(v, 0x1122334455667788);
	CHECK_OK(gb_walk(i.ram, space, (gb_gva){0x200123}, &w, &err), err);
	CHECK_EQ(w.gpa.v, 0x200123);
	CHECK_EQ(w.page_size, 2 << 20);
	CHECK_EQ(w.rights & GB_PTE_NX, GB_PTE_NX);
	CHECK_EQ(w.rights & GB_PTE_USER, 0);
	CHECK_OK(gb_walk(i.ram, space, (gb_gva){0xffffff8000000008}, &w, &err), err);
	CHECK_EQ(w.gpa.v, 0x5008);
	CHECK_EQ(w.rights & (GB_PTE_USER | GB_PTE_WRITE), 0);
	CHECK_EQ(gb_walk(i.ram, space, (gb_gva){0x1000}, &w, &err), GB_EFAULT);
	CHECK_EQ(w.depth, 4);
	CHECK_EQ(gb_walk(i.ram, space, (gb_gva){0x800000000000}, &w, &err), GB_EFAULT);
	CHECK_EQ(gb_space_read(i.ram, space, (gb_gva){0xffc}, &v, 8, &err), GB_EFAULT);
	image_free(&i);
}

static int count_leaf(void *arg, const struct gb_leaf *leaf)
{
	size_t *n = arg;

	*n += leaf->size == 4096 ? 1 : 100;
	return 0;
}

static void leaves_end_in_cycles_and_budgets(void)
{
	const struct gb_space space = {{0x1000}, 4};
	struct gb_error err = {};
	struct image i;
	size_t n = 0;
	struct gb_leaves how = {.last = {UINT64_MAX}, .budget = 100, .leaf = count_leaf, .arg = &n};

	REQUIRE(image_make(&i));
	build(&i);
	CHECK_OK(gb_space_leaves(i.ram, space, &how, &err), err);
	CHECK_EQ(n, 202);
	set(&i, 0x3000, 2, 0x1000 | 7);        // back to the root
	set(&i, 0x3000, 3, 0x40000000000 | 7); // outside of RAM
	n = 0;
	CHECK_OK(gb_space_leaves(i.ram, space, &how, &err), err);
	CHECK_EQ(n, 202);
	how.budget = 3;
	CHECK_EQ(gb_space_leaves(i.ram, space, &how, &err), GB_ERANGE);
	how.budget = 100;
	how.first.v = 0xffffff8000000000;
	n = 0;
	CHECK_OK(gb_space_leaves(i.ram, space, &how, &err), err);
	CHECK_EQ(n, 101);
	image_free(&i);
}

TAP_MAIN(TAP_CASE(walks_pages_of_each_size), TAP_CASE(leaves_end_in_cycles_and_budgets))
