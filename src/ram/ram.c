// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Guest RAM, read from outside.
#include "ram/ram.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct gb_ram {
	int fd;
	uint64_t file_size;
	struct gb_layout layout;
};

static int check_layout(struct gb_ram *ram, const struct gb_layout *layout, struct gb_error *err)
{
	if (!layout) {
		gb_layout_identity(ram->file_size, &ram->layout);
		if (ram->file_size % GB_PAGE_SIZE || ram->file_size == 0)
			return gb_fail(err, GB_EFORMAT,
				       "a RAM image is a whole number of 4 KiB pages, this file has "
				       "%llu bytes: is it cut short?",
				       (unsigned long long)ram->file_size);
		return 0;
	}
	for (size_t i = 0; i < layout->count; i++)
		if (layout->segments[i].offset + layout->segments[i].size > ram->file_size)
			return gb_fail(err, GB_EFORMAT,
				       "the RAM file has %llu bytes, its layout needs more",
				       (unsigned long long)ram->file_size);
	ram->layout = *layout;
	return 0;
}

int gb_ram_open_fd(int fd, const struct gb_layout *layout, struct gb_ram **ret,
		   struct gb_error *err)
{
	struct gb_ram *ram = calloc(1, sizeof(*ram));
	struct stat st;
	int r = 0;

	if (!ram)
		return gb_fail(err, GB_ENOMEM, "no memory to open guest RAM");
	ram->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (ram->fd < 0 || fstat(ram->fd, &st) != 0)
		r = gb_fail_os(err, "cannot use the RAM file");
	else
		ram->file_size = (uint64_t)st.st_size;
	if (r == 0)
		r = check_layout(ram, layout, err);
	if (r != 0)
		gb_ram_close(ram);
	else
		*ret = ram;
	return r;
}

int gb_ram_open(const char *path, const struct gb_layout *layout, struct gb_ram **ret,
		struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT)
		return gb_fail(err, GB_ENOTFOUND, "%s: no such file", path);
	if (fd < 0)
		return gb_fail_os(err, "cannot open %s", path);
	r = gb_ram_open_fd(fd, layout, ret, err);
	if (r != 0)
		gb_error_prefix(err, "%s", path);
	return r;
}

void gb_ram_close(struct gb_ram *ram)
{
	if (!ram)
		return;
	if (ram->fd >= 0)
		close(ram->fd);
	free(ram);
}

void gb_ram_cleanup(struct gb_ram **ram)
{
	gb_ram_close(*ram);
}

const struct gb_layout *gb_ram_layout(const struct gb_ram *ram)
{
	return &ram->layout;
}

uint64_t gb_ram_frames(const struct gb_ram *ram)
{
	return gb_layout_size(&ram->layout) >> GB_PAGE_SHIFT;
}

static int read_file(struct gb_ram *ram, uint64_t offset, void *ret, size_t len,
		     struct gb_error *err)
{
	char *p = ret;

	while (len) {
		ssize_t n = pread(ram->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gb_fail_os(err, "cannot read guest RAM");
		if (n == 0)
			return gb_fail(err, GB_EGONE, "the RAM file became shorter while it was read");
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int gb_ram_read(struct gb_ram *ram, gb_gpa gpa, void *ret, size_t len, struct gb_error *err)
{
	char *p = ret;

	while (len) {
		const struct gb_segment *s = gb_layout_find(&ram->layout, gpa);
		uint64_t in, n;
		int r;

		if (!s)
			return gb_fail_at(err, GB_EFAULT, gpa.v, "there is no RAM");
		in = gpa.v - s->gpa.v;
		n = s->size - in < len ? s->size - in : len;
		r = read_file(ram, s->offset + in, p, n, err);
		if (r != 0)
			return r;
		p += n;
		gpa.v += n;
		len -= n;
	}
	return 0;
}

int gb_ram_read_u64(struct gb_ram *ram, gb_gpa gpa, uint64_t *ret, struct gb_error *err)
{
	uint64_t v;
	int r = gb_ram_read(ram, gpa, &v, sizeof(v), err);

	if (r == 0)
		*ret = v;
	return r;
}

#define CHUNK ((size_t)1 << 20)

static int visit_extent(struct gb_ram *ram, const struct gb_segment *s, uint64_t from, uint64_t to,
			uint8_t *chunk, gb_ram_visitor *visit, void *arg, struct gb_error *err)
{
	for (uint64_t at = from; at < to;) {
		size_t n = to - at < CHUNK ? (size_t)(to - at) : CHUNK;
		int r = read_file(ram, at, chunk, n, err);

		if (r == 0)
			r = visit(arg, (gb_gpa){s->gpa.v + (at - s->offset)}, chunk, n);
		if (r != 0)
			return r;
		at += n;
	}
	return 0;
}

int gb_ram_visit(struct gb_ram *ram, gb_gpa gpa, uint64_t len, gb_ram_visitor *visit, void *arg,
		 struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) uint8_t *chunk = malloc(CHUNK);
	uint64_t last = gpa.v + len < gpa.v ? UINT64_MAX : gpa.v + len;

	if (!chunk)
		return gb_fail(err, GB_ENOMEM, "no memory to look at guest RAM");
	for (size_t i = 0; i < ram->layout.count; i++) {
		const struct gb_segment *s = &ram->layout.segments[i];
		uint64_t from = gpa.v > s->gpa.v ? gpa.v - s->gpa.v : 0;
		uint64_t to = last > s->gpa.v ? last - s->gpa.v : 0;
		uint64_t at = s->offset + from;

		to = s->offset + (to < s->size ? to : s->size);
		while (at < to) {
			off_t data = lseek(ram->fd, (off_t)at, SEEK_DATA);
			off_t hole = data < 0 ? -1 : lseek(ram->fd, data, SEEK_HOLE);
			uint64_t end;
			int r;

			if (data < 0 || hole < 0 || (uint64_t)data >= to)
				break;
			end = (uint64_t)hole < to ? (uint64_t)hole : to;
			r = visit_extent(ram, s, (uint64_t)data, end, chunk, visit, arg, err);
			if (r != 0)
				return r;
			at = end;
		}
	}
	return 0;
}
