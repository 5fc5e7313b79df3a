// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The frame of the libFuzzer targets: seeds, and images that are patched.
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEED_MAX ((size_t)1 << 16)

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_seeds(const char *dir)
{
	static uint8_t seed[SEED_MAX];
	char path[4096];
	unsigned n = 0;

	for (size_t len; (len = fuzz_seed(n, seed, sizeof(seed))) != 0; n++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/seed-%u", dir, n);
		f = fopen(path, "wb");
		if (!f || fwrite(seed, 1, len, f) != len || fclose(f) != 0)
			die(path);
	}
	printf("%u seeds\n", n);
}

// Called by libFuzzer before it looks at its options.
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char option[] = "--write-seeds=";

	for (int i = 1; i < *argc; i++)
		if (strncmp((*argv)[i], option, sizeof(option) - 1) == 0) {
			write_seeds((*argv)[i] + sizeof(option) - 1);
			exit(0);
		}
	return 0;
}

void fuzz_image_open(struct fuzz_image *image, size_t size, const struct gb_layout *layout,
		     void (*build)(uint8_t *bytes, size_t size))
{
	struct gb_error err = {};

	if (image->done)
		return;
	image->size = size;
	image->fd = memfd_create("fuzz-image", MFD_CLOEXEC);
	if (image->fd < 0 || ftruncate(image->fd, (off_t)size) != 0)
		die("memfd");
	image->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, image->fd, 0);
	image->original = malloc(size);
	if (image->bytes == MAP_FAILED || !image->original)
		die("memory for the image");
	build(image->bytes, size);
	if (gb_ram_open_fd(image->fd, layout, &image->ram, &err) != 0 ||
	    gb_ram_read(image->ram, (gb_gpa){0}, image->original, size, &err) != 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	image->done = true;
}

static bool next_patch(struct fuzz_image *image, struct gb_cursor *c, size_t *at_ret,
		       const uint8_t **bytes_ret, size_t *len_ret)
{
	uint32_t offset;
	uint8_t len;

	if (gb_cursor_u32(c, &offset, NULL) != 0 || gb_cursor_u8(c, &len, NULL) != 0)
		return false;
	*len_ret = len < gb_cursor_left(c) ? len : gb_cursor_left(c);
	*at_ret = offset % (image->size - 255);
	return gb_cursor_span(c, *len_ret, bytes_ret, NULL) == 0;
}

void fuzz_image_patch(struct fuzz_image *image, struct gb_cursor *patches)
{
	struct gb_cursor c = *patches;
	const uint8_t *bytes;
	size_t at, len;

	while (next_patch(image, &c, &at, &bytes, &len))
		memcpy(image->bytes + at, bytes, len);
}

void fuzz_image_restore(struct fuzz_image *image, struct gb_cursor *patches)
{
	struct gb_cursor c = *patches;
	const uint8_t *bytes;
	size_t at, len;

	while (next_patch(image, &c, &at, &bytes, &len))
		memcpy(image->bytes + at, image->original + at, len);
}

size_t fuzz_seed_patch(uint8_t *buf, size_t cap, size_t len, uint32_t offset, const void *bytes,
		       uint8_t count)
{
	if (cap - len < sizeof(offset) + 1 + count)
		die("a seed is too long");
	memcpy(buf + len, &offset, sizeof(offset));
	buf[len + sizeof(offset)] = count;
	memcpy(buf + len + sizeof(offset) + 1, bytes, count);
	return len + sizeof(offset) + 1 + count;
}
