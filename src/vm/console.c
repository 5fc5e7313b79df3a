// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A guest's console, kept in a file of limited size.
#include "vm/console.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static int open_log(int dir_fd)
{
	return openat(dir_fd, "console.log", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		      0600);
}

int gb_console_open(const char *dir, struct gb_console *ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = dir_fd >= 0 ? open_log(dir_fd) : -1;

	if (fd < 0)
		return gb_fail_os(err, "cannot make %s/console.log", dir);
	*ret = (struct gb_console){.dir_fd = gb_steal_fd(&dir_fd), .fd = fd};
	return 0;
}

void gb_console_close(struct gb_console *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->dir_fd >= 0)
		close(c->dir_fd);
	c->fd = c->dir_fd = -1;
}

static void turn_over(struct gb_console *c)
{
	int fd;

	if (renameat(c->dir_fd, "console.log", c->dir_fd, "console.old") != 0)
		return;
	fd = open_log(c->dir_fd);
	if (fd < 0)
		return;
	close(c->fd);
	c->fd = fd;
	c->size = 0;
}

void gb_console_write(struct gb_console *c, const char *bytes, size_t len)
{
	if (c->fd < 0)
		return;
	if (c->size + len > GB_CONSOLE_MAX)
		turn_over(c);
	// Still full: the files could not be turned over, and more would break the limit.
	if (c->size + len > GB_CONSOLE_MAX || gb_write_all(c->fd, bytes, len, NULL) != 0)
		return;
	c->size += len;
}

void gb_console_tail(const char *dir, size_t max, struct gb_buf *out)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	char path[PATH_MAX + 16];
	const char *start, *newline;

	snprintf(path, sizeof(path), "%s/console.log", dir);
	if (gb_file_read(path, 2 * GB_CONSOLE_MAX, &text, NULL) != 0 || !text.len)
		return;
	start = text.len > max ? text.data + text.len - max : text.data;
	newline = start > text.data ? strchr(start, '\n') : NULL;
	gb_buf_add_str(out, newline ? newline + 1 : start);
}
