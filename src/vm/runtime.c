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

// Without a session there is no directory that is private and goes by itself. Home is private, and
// nobody can be there first, as one could be in /tmp or /dev/shm; RAM goes to a tmpfs in any case (place.h).
static int home_path(char ret[PATH_MAX])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return snprintf(ret, PATH_MAX, "%s/glassbox/run", state);
	return home && *home == '/' ? snprintf(ret, PATH_MAX, "%s/.local/state/glassbox/run", home)
				    : -1;
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
		n = home_path(ret);
	if (n < 0)
		return gb_fail(
			err, GB_ELACKS,
			"there is no directory in which running guests could be registered: set "
			"XDG_RUNTIME_DIR to one of yours that others cannot look into");
	if (n >= PATH_MAX)
		return gb_fail(
			err, GB_ERANGE,
			"the directory in which running guests are registered has a path of %d "
			"bytes, and %d are too many: set XDG_RUNTIME_DIR to one with a shorter path",
			n, PATH_MAX);
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

static bool is_in_home(const char *path)
{
	char home[PATH_MAX];

	return home_path(home) >= 0 && strcmp(home, path) == 0;
}

// The directories above one in home that are not there yet, as the XDG specification wants them.
static void make_above(const char *path)
{
	char above[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(above, sizeof(above), "%.*s", (int)(slash - path), path);
		mkdir(above, 0700);
	}
}

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = 0; // "/" stays
}

// As gb_runtime_root() makes it: in home with all that is above, elsewhere not.
int gb_runtime_place(char ret[PATH_MAX], struct gb_error *err)
{
	bool in_home;
	int r = gb_runtime_root(false, ret, err);

	if (r != GB_ENOTFOUND)
		return r;
	r = gb_runtime_path(ret, err);
	if (r != 0)
		return r;
	in_home = is_in_home(ret);
	do
		cut_last(ret);
	while (in_home && access(ret, F_OK) != 0);
	if (access(ret, W_OK | X_OK) == 0)
		return 0;
	r = gb_fail_os(err, "cannot write in %s", ret);
	gb_error_prefix(err, "running guests cannot be registered (XDG_RUNTIME_DIR)");
	return r;
}

int gb_runtime_root(bool make, char ret[PATH_MAX], struct gb_error *err)
{
	char path[PATH_MAX];
	int r = gb_runtime_path(path, err);

	if (r != 0)
		return r;
	if (make && is_in_home(path))
		make_above(path);
	if (make && mkdir(path, 0700) != 0 && errno != EEXIST) {
		r = gb_fail_os(err, "cannot make the directory %s", path);
		gb_error_prefix(err, "running guests cannot be registered (XDG_RUNTIME_DIR)");
		return r;
	}
	if (!make && access(path, F_OK) != 0 && errno == ENOENT)
		return GB_ENOTFOUND;
	r = check_private(path, err);
	if (r == 0)
		memcpy(ret, path, sizeof(path));
	return r;
}

static int open_lock(int dir_fd, const char *path, int flags)
{
	return openat(dir_fd, path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int just_removed(const char *dir, struct gb_error *err)
{
	return gb_fail(err, GB_EBUSY, "%s was just removed", dir);
}

static int take_lock(int dir_fd, const char *dir, int flags, int *fd_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open_lock(dir_fd, "lock", flags);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return just_removed(dir, err);
	if (fd < 0)
		return gb_fail_os(err, "cannot open %s/lock", dir);
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		if (errno == EAGAIN || errno == EACCES)
			return gb_fail(err, GB_EBUSY, "%s is in use", dir);
		return gb_fail_os(err, "cannot lock %s/lock", dir);
	}
	// Somebody who held it before may have removed it since we opened it.
	if (fstat(fd, &st) != 0 || st.st_nlink == 0)
		return just_removed(dir, err);
	*fd_ret = gb_steal_fd(&fd);
	return 0;
}

int gb_runtime_lock(const char *dir, int *fd_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd)
	int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0 && errno == ENOENT)
		return just_removed(dir, err);
	if (dir_fd < 0)
		return gb_fail_os(err, "cannot open %s", dir);
	return take_lock(dir_fd, dir, O_CREAT, fd_ret, err);
}

int gb_runtime_lock_left(int dir_fd, const char *dir, int *fd_ret, struct gb_error *err)
{
	return take_lock(dir_fd, dir, 0, fd_ret, err);
}

bool gb_runtime_has_lock(const char *dir)
{
	char path[2 * PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/lock", dir);
	return access(path, F_OK) == 0;
}

bool gb_runtime_locked(const char *dir)
{
	char path[2 * PATH_MAX + 8];
	GB_CLEANUP(gb_cleanup_fd) int fd = -1;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open_lock(AT_FDCWD, path, 0);
	if (fd < 0)
		return errno != ENOENT; // not known: then it is left alone
	return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
