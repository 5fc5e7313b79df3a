// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The frame of the libFuzzer targets: see README.md in this folder.
#pragma once

#include "base/cursor.h"
#include "ram/ram.h"

// Each target defines these two.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
// Write seed number n (0, 1, 2, ...) into buf and return its length; 0 when there is no such seed.
size_t fuzz_seed(unsigned n, uint8_t *buf, size_t cap);

// A RAM image that inputs patch. Mutating megabytes of image blindly finds nothing; so an input is
// a list of patches of an image that the target builds once: u32 offset, u8 length, bytes.
struct fuzz_image {
	int fd;
	size_t size;
	uint8_t *bytes;    // the patched image, shared with ram
	uint8_t *original; // as build() left it
	struct gb_ram *ram;
	bool done;
};
// Make a sparse image of size bytes, let build() fill it, open it. Once: later calls do nothing.
void fuzz_image_open(struct fuzz_image *image, size_t size, const struct gb_layout *layout,
		     void (*build)(uint8_t *bytes, size_t size));
// Patch the image with what is left in the cursor, until it ends.
void fuzz_image_patch(struct fuzz_image *image, struct gb_cursor *patches);
// Undo what the same patches did.
void fuzz_image_restore(struct fuzz_image *image, struct gb_cursor *patches);
// Add a patch to a seed; returns the new length.
size_t fuzz_seed_patch(uint8_t *buf, size_t cap, size_t len, uint32_t offset, const void *bytes,
		       uint8_t count);
