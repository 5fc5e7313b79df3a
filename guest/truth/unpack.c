// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Gathers the truth out of a frozen guest's RAM image. See truth.h.
//
// usage: unpack RAM-IMAGE TRUTH-FILE

#include "truth.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what, const char *path)
{
	fprintf(stderr, "unpack: %s: %s\n", path, what);
	return 1;
}

// The next page at or after `at` that is no hole: reading a hole of a file on tmpfs would fill it.
static size_t next_page(int fd, size_t at, size_t *data_end)
{
	if (at >= *data_end) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

		if (hole < 0)
			return SIZE_MAX - 4096;
		at = (size_t)data & ~(size_t)4095;
		*data_end = (size_t)hole;
	}
	return at;
}

static const struct gb_truth_page **gather(int fd, const uint8_t *ram, size_t size, uint32_t *total_ret)
{
	const struct gb_truth_page **found = NULL;
	uint32_t total = 0, have = 0;
	size_t data_end = 0;

	for (size_t at = next_page(fd, 0, &data_end); at + 4096 <= size; at = next_page(fd, at + 4096, &data_end)) {
		const struct gb_truth_page *page = (const void *)(ram + at);

		if (memcmp(page->magic, GB_TRUTH_MAGIC, sizeof(page->magic)) || page->used > GB_TRUTH_PAYLOAD ||
		    gb_truth_hash(page->payload, page->used) != page->hash)
			continue;
		if (!found) {
			total = page->total;
			found = calloc(total, sizeof(*found));
		}
		if (!found || page->total != total || page->index >= total || found[page->index])
			break;
		found[page->index] = page;
		have++;
	}
	if (have == total && total > 0) {
		*total_ret = total;
		return found;
	}
	free(found);
	return NULL;
}

int main(int argc, char **argv)
{
	struct stat st;
	uint32_t total;

	if (argc != 3) {
		fputs("usage: unpack RAM-IMAGE TRUTH-FILE\n", stderr);
		return 2;
	}
	int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 4096)
		return fail("cannot be read", argv[1]);
	size_t size = (size_t)st.st_size;
	const uint8_t *ram = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (ram == MAP_FAILED)
		return fail("cannot be mapped", argv[1]);
	const struct gb_truth_page **pages = gather(fd, ram, size, &total);
	if (!pages)
		return fail("holds no truth, or not all of it: did the guest's freeze program run?", argv[1]);
	FILE *out = fopen(argv[2], "wbe");
	if (!out)
		return fail("cannot be written", argv[2]);
	for (uint32_t i = 0; i < total; i++)
		fwrite(pages[i]->payload, 1, pages[i]->used, out);
	if (ferror(out) | fclose(out))
		return fail("cannot be written: is the disk full?", argv[2]);
	return 0;
}
