// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Writes another value into a byte of a file all the time, until it is killed: what a reader of the file must notice.
//
// usage: flip FILE OFFSET MASK     only the bits of the mask change
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	int fd = argc == 4 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		fprintf(stderr, "usage: flip FILE OFFSET MASK\n");
		return 2;
	}
	uint8_t *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint64_t at = strtoull(argv[2], NULL, 0);
	uint8_t mask = (uint8_t)strtoul(argv[3], NULL, 0);

	if (bytes == MAP_FAILED || at >= (uint64_t)st.st_size)
		return 1;
	volatile uint8_t *byte = bytes + at;
	const uint8_t rest = *byte & (uint8_t)~mask;

	for (uint8_t value = 0;; value++)
		*byte = rest | (value & mask);
}
