// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The directory of running guests, and its locks.
#include "vm/runtime.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

int gb_runtime_path(char ret[PATH_MAX], struct gb_error *err)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	char user[64];
	int n;

	snprintf(user, sizeof(user), "/run/user/%u", (unsigned)geteuid());
	if (base && *base == '/')
		n = snprintf(ret, PATH_MAX, "%s/glassbox", base);
	else if (is_directory(user))
		n = snprintf(ret, PATH_MAX, "%s/glassbox", user);
	else
		n = snprintf(ret, PATH_MAX, "/dev/shm/glassbox-%u", (unsigned)geteuid());
	if (n >= PATH_MAX)
		return gb_fail(err, GB_ERANGE, "XDG_RUNTIME_DIR is too long");
	return 0;
}

// In a directory that others can write, somebody may have been there first.
static int check_private(const char *path, struct gb_error *err)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return gb_fail_os(err, "cannot look at %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return gb_fail(err, GB_ELACKS,
			       "%s is not a directory of yours; set XDG_RUNTIME_DIR to one that is",
			       path);
	if (st.st_mode & 077)
		return gb_fail(err, GB_ELACKS, "others may look into %s; run: chmod 700 %s", path,
			       path);
	return 0;
}

int gb_runtime_root(bool make, char ret[PATH_MAX], struct gb_error *err)
{
	char path[PATH_MAX];
	int r = gb_runtime_path(path, err);

	if (r != 0)
		return r;
	if (make && mkdir(path, 0700) != 0 && errno != EEXIST) {
		r = gb_fail_os(err, "cannot make the directory %s", path);
		gb_error_prefix(err, "there is no place for running guests (XDG_RUNTIME_DIR)");
		return r;
	}
	if (!make && access(path, F_OK) != 0 && errno == ENOENT)
		return GB_ENOTFOUND;
	r = check_private(path, err);
	if (r == 0)
		memcpy(ret, path, sizeof(path));
	return r;
}

static int open_lock(const char *dir, int flags)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/lock", dir);
	return open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int gb_runtime_lock(const char *dir, int *fd_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open_lock(dir, O_CREAT);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fd < 0)
		return gb_fail_os(err, "cannot open %s/lock", dir);
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		if (errno == EAGAIN || errno == EACCES)
			return gb_fail(err, GB_EBUSY, "%s is in use", dir);
		return gb_fail_os(err, "cannot lock %s/lock", dir);
	}
	*fd_ret = gb_steal_fd(&fd);
	return 0;
}

bool gb_runtime_locked(const char *dir)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open_lock(dir, 0);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fd < 0)
		return errno != ENOENT; // not known: then it is left alone
	return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
