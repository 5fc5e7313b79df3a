// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Guest RAM, read from outside: opening, closing, copying.
#include "ram/ram_internal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static int check_layout(struct gb_ram *ram, const struct gb_layout *layout, struct gb_error *err)
{
	if (!layout) {
		gb_layout_identity(ram->file_size, &ram->layout);
		if (ram->file_size % GB_PAGE_SIZE || ram->file_size == 0)
			return gb_fail(
				err, GB_EFORMAT,
				"a RAM image is a whole number of 4 KiB pages, this file has "
				"%llu bytes: is it cut short?",
				(unsigned long long)ram->file_size);
		return 0;
	}
	if (layout->count == 0)
		return gb_fail(err, GB_EFORMAT, "the layout of the RAM file has no segment");
	for (size_t i = 0; i < layout->count; i++)
		if (layout->segments[i].offset + layout->segments[i].size > ram->file_size)
			return gb_fail(
				err, GB_EFORMAT,
				"the RAM file has %llu bytes, its layout needs more: is it cut "
				"short?",
				(unsigned long long)ram->file_size);
	ram->layout = *layout;
	return 0;
}

static int check_file(struct gb_ram *ram, struct gb_error *err)
{
	struct stat st;

	if (ram->fd < 0 || fstat(ram->fd, &st) != 0)
		return gb_fail_os(err, "cannot use the RAM file");
	if (!S_ISREG(st.st_mode))
		return gb_fail(err, GB_EFORMAT,
			       "guest RAM must be a regular file or a memfd, this is a %s",
			       S_ISDIR(st.st_mode) ? "directory" : "device, pipe or socket");
	ram->file_size = (uint64_t)st.st_size;
	return 0;
}

// hugetlbfs does not tell its holes apart, and touching one takes a huge page: it is read, not
// mapped.
static bool may_map(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type != HUGETLBFS_MAGIC;
}

static int set_up(struct gb_ram *ram, const struct gb_layout *layout, struct gb_error *err)
{
	int r = check_file(ram, err);

	if (r == 0)
		r = check_layout(ram, layout, err);
	if (r == 0)
		r = gb_extents_init(&ram->extents, ram->file_size >> GB_PAGE_SHIFT, err);
	if (r != 0)
		return r;
	if (may_map(ram->fd))
		gb_map_open(ram->fd, ram->extents.pages << GB_PAGE_SHIFT, &ram->map);
	gb_extents_probe(&ram->extents, ram->fd, &ram->map);
	return 0;
}

int gb_ram_open_fd(int fd, const struct gb_layout *layout, struct gb_ram **ret,
		   struct gb_error *err)
{
	struct gb_ram *ram = calloc(1, sizeof(*ram));
	int r;

	if (!ram)
		return gb_fail(err, GB_ENOMEM, "no memory to open guest RAM");
	ram->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	r = set_up(ram, layout, err);
	if (r != 0)
		gb_ram_close(ram);
	else
		*ret = ram;
	return r;
}

int gb_ram_open(const char *path, const struct gb_layout *layout, struct gb_ram **ret,
		struct gb_error *err)
{
	// O_NONBLOCK: a FIFO is to be refused, not waited for
	GB_CLEANUP(gb_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0 && errno == ENOENT)
		return gb_fail(err, GB_ENOTFOUND, "%s: no such file", path);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return gb_fail(
			err, GB_ELACKS,
			"%s: no permission to read it; the RAM of a guest belongs to the user "
			"who runs it",
			path);
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
	gb_map_close(&ram->map);
	gb_extents_deinit(&ram->extents);
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

int gb_ram_refresh(struct gb_ram *ram, uint64_t from, uint64_t to, struct gb_error *err)
{
	if (ram->fd < 0)
		return 0;
	return gb_extents_refresh(&ram->extents, ram->fd, &ram->map, from, to, err);
}

static bool is_zero(const char *p, size_t len)
{
	return *p == 0 && memcmp(p, p + 1, len - 1) == 0;
}

// A page that gave something else than zeros is no hole: from now on it is read through the map.
static void learn(struct gb_ram *ram, uint64_t offset, const char *p, size_t len)
{
	while (len) {
		uint64_t page = offset >> GB_PAGE_SHIFT;
		size_t n = GB_PAGE_SIZE - offset % GB_PAGE_SIZE;

		n = n < len ? n : len;
		if (!is_zero(p, n))
			gb_extents_set(&ram->extents, page, page + 1, true);
		offset += n;
		p += n;
		len -= n;
	}
}

static int read_by_call(struct gb_ram *ram, uint64_t offset, char *ret, size_t len,
			struct gb_error *err)
{
	size_t done = 0;

	if (ram->fd < 0) {
		memset(ret, 0, len);
		return 0;
	}
	while (done < len) {
		ssize_t n = pread(ram->fd, ret + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gb_fail_os(err, "cannot read guest RAM");
		if (n == 0)
			return gb_fail(err, GB_EGONE,
				       "the RAM file became shorter while it was in use");
		done += (size_t)n;
	}
	learn(ram, offset, ret, len);
	return 0;
}

#define CACHE_LINE 64

// The processor does not look ahead across a page, and the pages of a RAM file are scattered: while
// one is copied, the next is asked for. A prefetch of what is not there does nothing.
static void copy_ahead(char *to, const uint8_t *from, size_t len)
{
	for (; len > GB_PAGE_SIZE; len -= GB_PAGE_SIZE) {
		for (size_t i = 0; i < GB_PAGE_SIZE; i += CACHE_LINE)
			__builtin_prefetch(from + GB_PAGE_SIZE + i);
		memcpy(to, from, GB_PAGE_SIZE);
		to += GB_PAGE_SIZE;
		from += GB_PAGE_SIZE;
	}
	memcpy(to, from, len);
}

int gb_ram_read_file(struct gb_ram *ram, uint64_t offset, void *ret, size_t len,
		     struct gb_error *err)
{
	char *p = ret;

	while (len) {
		uint64_t page = offset >> GB_PAGE_SHIFT;
		uint64_t last = (offset + len - 1) >> GB_PAGE_SHIFT;
		bool data;
		uint64_t pages = gb_extents_run(&ram->extents, page, last + 1, &data);
		size_t n = (pages << GB_PAGE_SHIFT) - offset % GB_PAGE_SIZE;
		int r = 0;

		n = n < len ? n : len;
		if (data && ram->map.base)
			copy_ahead(p, ram->map.base + offset, n);
		if (!data || gb_map_broken(&ram->map))
			r = read_by_call(ram, offset, p, n, err);
		if (r != 0)
			return r;
		p += n;
		offset += n;
		len -= n;
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
		r = gb_ram_read_file(ram, s->offset + in, p, n, err);
		if (r != 0)
			return r;
		p += n;
		gpa.v += n;
		len -= n;
	}
	return 0;
}

// The bytes from here to the end of the page through the map; NULL when they must be read some other
// way.
static inline const uint8_t *mapped(struct gb_ram *ram, gb_gpa gpa)
{
	const struct gb_segment *s = gb_layout_find(&ram->layout, gpa);
	uint64_t offset;

	if (!s || !ram->map.base)
		return NULL;
	offset = s->offset + (gpa.v - s->gpa.v);
	return gb_extents_has(&ram->extents, offset >> GB_PAGE_SHIFT) ? ram->map.base + offset
								      : NULL;
}

static int compare_copies(struct gb_ram *ram, gb_gpa gpa, const char *want, size_t len,
			  bool *equal_ret, struct gb_error *err)
{
	bool equal = true;
	char now[4096];

	while (len && equal) {
		size_t n = len < sizeof(now) ? len : sizeof(now);
		int r = gb_ram_read(ram, gpa, now, n, err);

		if (r != 0)
			return r;
		equal = memcmp(now, want, n) == 0;
		want += n;
		gpa.v += n;
		len -= n;
	}
	*equal_ret = equal;
	return 0;
}

int gb_ram_equals(struct gb_ram *ram, gb_gpa gpa, const void *bytes, size_t len, bool *equal_ret,
		  struct gb_error *err)
{
	bool in_a_page = gpa.v % GB_PAGE_SIZE + len <= GB_PAGE_SIZE;
	const uint8_t *there = in_a_page ? mapped(ram, gpa) : NULL;

	if (there) {
		bool equal = memcmp(there, bytes, len) == 0;

		if (!gb_map_broken(&ram->map))
			return *equal_ret = equal, 0;
	}
	return compare_copies(ram, gpa, bytes, len, equal_ret, err);
}

int gb_ram_read_u64(struct gb_ram *ram, gb_gpa gpa, uint64_t *ret, struct gb_error *err)
{
	const uint8_t *there = gpa.v % sizeof(uint64_t) == 0 ? mapped(ram, gpa) : NULL;
	uint64_t v;
	int r;

	if (there) {
		v = *(const volatile uint64_t *)(const void *)there;
		if (!gb_map_broken(&ram->map))
			return *ret = v, 0;
	}
	r = gb_ram_read(ram, gpa, &v, sizeof(v), err);
	if (r == 0)
		*ret = v;
	return r;
}
