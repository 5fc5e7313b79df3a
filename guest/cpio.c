// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Writes an initramfs from a list, without root and always the same bytes from the same content.
//
// usage: cpio <LIST >ARCHIVE
//
// The list has the form of the kernel's own usr/gen_init_cpio (no variables, owner and group are
// one number):
//	dir NAME MODE OWNER          file NAME SOURCE MODE OWNER
//	slink NAME TARGET            nod NAME MODE MAJOR MINOR      a character device of root
// Names and sources hold no blanks. The archive is cpio "newc"
// (Documentation/driver-api/early-userspace/buffer-format.rst): a header of 110 characters, the
// name with its zero, the content, both padded to 4 bytes. Other writers put the inode and device
// numbers of the source files into the header; here inodes count up and all times are zero. The end
// is padded to 512 bytes, so that archives can be put one after the other.

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FIELD_MAX 4096

struct entry {
	const char *name;
	unsigned mode, owner, major, minor;
	size_t size;
};

static unsigned long line_number;
static unsigned inode;
static size_t written;

static _Noreturn void die(const char *what, const char *name)
{
	fprintf(stderr, "cpio: line %lu: %s: %s\n", line_number, name, what);
	exit(1);
}

static void put(const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, stdout) != len)
		die("cannot write: is the disk full?", "archive");
	written += len;
}

static void pad(size_t to)
{
	static const char zeros[512];

	put(zeros, -written & (to - 1));
}

static void put_header(const struct entry *e)
{
	char header[111];

	if (e->size > UINT32_MAX)
		die("larger than 4 GiB", e->name);
	snprintf(header, sizeof(header),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ++inode, e->mode,
		 e->owner, e->owner, 1U, 0U, (unsigned)e->size, 0U, 0U, e->major, e->minor,
		 (unsigned)strlen(e->name) + 1, 0U);
	put(header, 110);
	put(e->name, strlen(e->name) + 1);
	pad(4);
}

static void put_file(struct entry *e, const char *source)
{
	static char bytes[65536];
	struct stat st;
	FILE *in = fopen(source, "rbe");

	if (!in || fstat(fileno(in), &st) < 0)
		die(strerror(errno), source);
	if (!S_ISREG(st.st_mode))
		die("not a regular file", source);
	e->size = (size_t)st.st_size;
	put_header(e);
	size_t left = e->size;
	while (left > 0) {
		size_t n = fread(bytes, 1, left < sizeof(bytes) ? left : sizeof(bytes), in);

		if (n == 0)
			die("became shorter while it was read", source);
		put(bytes, n);
		left -= n;
	}
	fclose(in);
	pad(4);
}

static void put_line(const char *line)
{
	static char name[FIELD_MAX], other[FIELD_MAX];
	struct entry e = {.name = name};

	if (sscanf(line, "dir %4095s %o %u", name, &e.mode, &e.owner) == 3) {
		e.mode |= S_IFDIR;
		put_header(&e);
	} else if (sscanf(line, "file %4095s %4095s %o %u", name, other, &e.mode, &e.owner) == 4) {
		e.mode |= S_IFREG;
		put_file(&e, other);
	} else if (sscanf(line, "slink %4095s %4095s", name, other) == 2) {
		e.mode = S_IFLNK | 0777;
		e.size = strlen(other);
		put_header(&e);
		put(other, e.size);
		pad(4);
	} else if (sscanf(line, "nod %4095s %o %u %u", name, &e.mode, &e.major, &e.minor) == 4) {
		e.mode |= S_IFCHR;
		put_header(&e);
	} else {
		die("not a line of dir, file, slink or nod", line);
	}
}

int main(void)
{
	static char line[3 * FIELD_MAX];
	static const struct entry trailer = {.name = "TRAILER!!!"};

	while (fgets(line, sizeof(line), stdin)) {
		line_number++;
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			put_line(line);
	}
	inode = UINT32_MAX; // the trailer's is 0
	put_header(&trailer);
	pad(512);
	if (ferror(stdin) || fflush(stdout) != 0)
		die("cannot write: is the disk full?", "archive");
	return 0;
}
