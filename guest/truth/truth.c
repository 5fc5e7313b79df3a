// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Gathers the truth out of a frozen guest's RAM image, and prints it. See truth.h.
//
// usage: truth unpack RAM-IMAGE TRUTH-FILE
//        truth dump TRUTH-FILE                        one line per section: name, number, reading, bytes
//        truth dump TRUTH-FILE NAME [NUMBER [READING]]    what the sections of that name hold (of the last reading, all numbers)

#include "truth.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what, const char *path)
{
	fprintf(stderr, "truth: %s: %s\n", path, what);
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

static const struct gb_truth_page **gather(int fd, const uint8_t *ram, size_t size,
					   uint32_t *total_ret)
{
	const struct gb_truth_page **found = NULL;
	uint32_t total = 0, have = 0;
	size_t data_end = 0;

	for (size_t at = next_page(fd, 0, &data_end); at + 4096 <= size;
	     at = next_page(fd, at + 4096, &data_end)) {
		const struct gb_truth_page *page = (const void *)(ram + at);

		if (memcmp(page->magic, GB_TRUTH_MAGIC, sizeof(page->magic)) ||
		    page->used > GB_TRUTH_PAYLOAD ||
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

static const uint8_t *map_file(const char *path, int *fd_ret, size_t *size_ret)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return NULL;
	const uint8_t *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	*fd_ret = fd;
	*size_ret = (size_t)st.st_size;
	return bytes == MAP_FAILED ? NULL : bytes;
}

static int unpack(const char *image, const char *truth)
{
	uint32_t total;
	size_t size;
	int fd;
	const uint8_t *ram = map_file(image, &fd, &size);

	if (!ram)
		return fail("cannot be read", image);
	const struct gb_truth_page **pages = gather(fd, ram, size, &total);
	if (!pages)
		return fail("holds no truth, or not all of it: did the guest's freeze program run?",
			    image);
	FILE *out = fopen(truth, "wbe");
	if (!out)
		return fail("cannot be written", truth);
	for (uint32_t i = 0; i < total; i++)
		fwrite(pages[i]->payload, 1, pages[i]->used, out);
	if (ferror(out) | fclose(out))
		return fail("cannot be written: is the disk full?", truth);
	return 0;
}

static void print_mappings(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + sizeof(struct gb_truth_mapping) <= len;
	     i += sizeof(struct gb_truth_mapping)) {
		struct gb_truth_mapping m;

		memcpy(&m, bytes + i, sizeof(m));
		printf("%012" PRIx64 " %016" PRIx64 "\n", m.address, m.entry);
	}
}

// One line per run of equal values.
static void print_frames(const uint8_t *bytes, size_t len)
{
	uint64_t run = 0, value = 0, next;

	for (uint64_t pfn = 0; pfn <= len / 8; pfn++) {
		if (pfn < len / 8)
			memcpy(&next, bytes + pfn * 8, 8);
		if (pfn > 0 && (pfn == len / 8 || next != value)) {
			printf("%" PRIx64 "-%" PRIx64 " %" PRIx64 "\n", run, pfn - 1, value);
			run = pfn;
		}
		value = next;
	}
}

static void print_content(const struct gb_truth_section *head, const uint8_t *bytes)
{
	if (!strcmp(head->name, "pagemap"))
		print_mappings(bytes, head->len);
	else if (!strncmp(head->name, "kpage", 5))
		print_frames(bytes, head->len);
	else if (!strcmp(head->name, "threads"))
		for (size_t i = 0; i + 4 <= head->len; i += 4)
			printf("%u\n", (unsigned)bytes[i] | (unsigned)bytes[i + 1] << 8 |
					       (unsigned)bytes[i + 2] << 16);
	else
		fwrite(bytes, 1, head->len, stdout);
}

// The constants have reading 1 only; asked for no reading, the last is meant.
static int wanted(const struct gb_truth_section *head, char **selector)
{
	if (!selector[0])
		return 1;
	if (strcmp(head->name, selector[0]) ||
	    (selector[1] && head->pid != strtoul(selector[1], NULL, 10)))
		return 0;
	if (selector[1] && selector[2])
		return head->reading == strtoul(selector[2], NULL, 10);
	return head->reading == 2 || head->pid == 0;
}

static int dump(const char *path, char **selector)
{
	struct gb_truth_section head;
	const uint8_t *bytes;
	size_t size, at = 0;
	int fd, more;
	const uint8_t *file = map_file(path, &fd, &size);

	if (!file)
		return fail("cannot be read", path);
	while ((more = gb_truth_next(file, size, &at, &head, &bytes)) > 0) {
		if (!wanted(&head, selector))
			continue;
		if (selector[0])
			print_content(&head, bytes);
		else
			printf("%s %" PRIu32 " %" PRIu32 " %" PRIu64 "\n", head.name, head.pid,
			       head.reading, head.len);
	}
	return more < 0 ? fail("is damaged", path) : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "unpack"))
		return unpack(argv[2], argv[3]);
	if (argc >= 3 && argc <= 6 && !strcmp(argv[1], "dump"))
		return dump(argv[2], argv + 3);
	fputs("usage: truth unpack RAM-IMAGE TRUTH-FILE\n       truth dump TRUTH-FILE [NAME [NUMBER [READING]]]\n",
	      stderr);
	return 2;
}
