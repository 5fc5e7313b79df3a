// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A small sparse RAM file for tests: a memfd, a writable map of it (the guest's side) and a gb_ram.
#pragma once

#include "ram/ram.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_image {
	int fd;
	size_t size;
	uint8_t *bytes; // touching them allocates, as the guest does
	struct gb_ram *ram;
};

static inline bool test_image_make(struct test_image *i, size_t size,
				   const struct gb_layout *layout)
{
	struct gb_error err = {};

	*i = (struct test_image){.size = size};
	i->fd = memfd_create("test-image", MFD_CLOEXEC);
	if (i->fd < 0 || ftruncate(i->fd, (off_t)size) != 0)
		return false;
	i->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, i->fd, 0);
	return i->bytes != MAP_FAILED && gb_ram_open_fd(i->fd, layout, &i->ram, &err) == 0;
}

static inline void test_image_free(struct test_image *i)
{
	gb_ram_close(i->ram);
	munmap(i->bytes, i->size);
	close(i->fd);
}

static inline uint64_t test_image_blocks(const struct test_image *i)
{
	struct stat st = {};

	fstat(i->fd, &st);
	return (uint64_t)st.st_blocks;
}

static inline bool test_image_punch(struct test_image *i, uint64_t offset, uint64_t len)
{
	return fallocate(i->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			 (off_t)len) == 0;
}
