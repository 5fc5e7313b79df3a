// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Whole files, read with a limit and written atomically.
#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

int gb_file_read(const char *path, size_t limit, struct gb_buf *out, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t start = out->len;
	char chunk[16384];
	ssize_t n;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return gb_fail(err, GB_ENOTFOUND, "%s: no such file", path);
	if (fd < 0)
		return gb_fail_os(err, "cannot open %s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gb_fail_os(err, "cannot read %s", path);
		if (out->len - start + (size_t)n > limit)
			return gb_fail(err, GB_ERANGE, "%s: larger than %zu bytes", path, limit);
		gb_buf_add(out, chunk, (size_t)n);
	}
	return gb_buf_failed(out) ? gb_fail(err, GB_ENOMEM, "no memory to read %s", path) : 0;
}

int gb_write_all(int fd, const void *data, size_t len, struct gb_error *err)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gb_fail_os(err, "cannot write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_beside(const char *temporary, const void *data, size_t len, unsigned mode,
			struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd)
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return gb_fail_os(err, "cannot create %s", temporary);
	r = gb_write_all(fd, data, len, err);
	if (r == 0 && fsync(fd) != 0)
		r = gb_fail_os(err, "cannot write %s", temporary);
	return r;
}

int gb_file_write(const char *path, const void *data, size_t len, unsigned mode,
		  struct gb_error *err)
{
	char temporary[PATH_MAX];
	int r, n = snprintf(temporary, sizeof(temporary), "%s.new.%d", path, (int)getpid());

	if (n < 0 || (size_t)n >= sizeof(temporary))
		return gb_fail(err, GB_ERANGE, "%s: the path is too long", path);
	r = write_beside(temporary, data, len, mode, err);
	if (r == 0 && rename(temporary, path) != 0)
		r = gb_fail_os(err, "cannot rename to %s", path);
	if (r != 0)
		unlink(temporary);
	return r;
}

static int check_dir(const char *path, struct gb_error *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return gb_fail_os(err, "cannot use the directory %s", path);
	if (S_ISDIR(st.st_mode))
		return 0;
	errno = ENOTDIR;
	return gb_fail_os(err, "cannot make the directory %s", path);
}

int gb_mkdir_all(const char *path, unsigned mode, struct gb_error *err)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return gb_fail(err, GB_ERANGE, "%s: the path is empty or too long", path);
	memcpy(part, path, len + 1);
	for (char *p = part + 1;; p++) {
		char c = *p;

		if (c != '/' && c != 0)
			continue;
		*p = 0;
		if (mkdir(part, mode) != 0 && errno != EEXIST)
			return gb_fail_os(err, "cannot make the directory %s", part);
		if (c == 0)
			return check_dir(path, err);
		*p = c;
	}
}
