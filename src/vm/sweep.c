// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Removing what guests leave.
#include "vm/sweep.h"

#include "base/cleanup.h"
#include "vm/info.h"
#include "vm/place.h"
#include "vm/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define KILL_GRACE_MS 2000

// In /dev/shm everybody may put something under a name of ours once ours is gone.
static DIR *open_own(const char *path)
{
	GB_CLEANUP(gb_cleanup_fd)
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	DIR *d;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_uid != geteuid())
		return NULL;
	d = fdopendir(fd);
	if (d)
		gb_steal_fd(&fd);
	return d;
}

static bool unlink_at(DIR *d, const char *name)
{
	return unlinkat(dirfd(d), name, 0) == 0 || errno == ENOENT;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

// All but the lock. Our directories are flat: what lies deeper cannot be removed.
static bool remove_files(DIR *d)
{
	struct dirent *e;
	bool all = true;

	while ((errno = 0, e = readdir(d)))
		if (!is_dots(e->d_name) && strcmp(e->d_name, "lock") != 0)
			all &= unlink_at(d, e->d_name);
	return all && errno == 0;
}

static bool still_named(DIR *d, const char *path)
{
	struct stat opened, named;

	return fstat(dirfd(d), &opened) == 0 && lstat(path, &named) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// The lock tells a later sweep that the directory is ours: it goes last, and stays with what stays.
static void remove_opened(DIR *d, const char *path)
{
	if (remove_files(d) && unlink_at(d, "lock") && still_named(d, path))
		rmdir(path);
}

void gb_sweep_remove(const char *path)
{
	DIR *d = open_own(path);

	if (!d)
		return;
	remove_opened(d, path);
	closedir(d);
}

static void end_qemu(const struct gb_vm_info *info)
{
	struct gb_host_process qemu = gb_vm_qemu(info);
	GB_CLEANUP(gb_cleanup_fd) int fd = -1;

	if (!info->attached && gb_process_open(&qemu, &fd, NULL) == 0)
		gb_pidfd_end(fd, KILL_GRACE_MS, NULL);
}

// Who holds the lock may remove. It is taken in the directory that was opened: under its name there may
// be another one by now, or its supervisor may have taken it since it was looked at.
static void remove_left(const char *dir)
{
	GB_CLEANUP(gb_cleanup_fd) int lock = -1;
	DIR *d = open_own(dir);

	if (!d)
		return;
	if (gb_runtime_lock_left(dirfd(d), dir, &lock, NULL) == 0)
		remove_opened(d, dir);
	else
		rmdir(dir); // empty after a crash before its lock was made; else it is not ours
	closedir(d);
}

static void remove_guest(const char *dir)
{
	struct gb_vm_info info;
	char ram_dir[PATH_MAX];

	if (gb_runtime_has_lock(dir) && gb_info_read(dir, &info, NULL) == 0) {
		end_qemu(&info);
		if (gb_place_of(&info, ram_dir) && !gb_runtime_locked(ram_dir))
			gb_sweep_remove(ram_dir);
	}
	remove_left(dir);
}

static bool is_empty(const char *dir)
{
	DIR *d = open_own(dir);
	const struct dirent *e;
	bool empty = d != NULL;

	while (empty && (e = readdir(d)))
		empty = is_dots(e->d_name);
	if (d)
		closedir(d);
	return empty;
}

static bool is_own_dir(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

// A directory of ours that nobody holds. Without a lock it is ours only if nothing is in it: after a crash
// before the lock was made.
bool gb_sweep_is_left(const char *dir)
{
	return is_own_dir(dir) && !gb_runtime_locked(dir) &&
	       (gb_runtime_has_lock(dir) || is_empty(dir));
}

static bool is_guest_name(const char *path)
{
	return gb_vm_name_valid(strrchr(path, '/') + 1);
}

// Count what is left below root, of names that are ours, and remove each (NULL: only count).
static unsigned visit(const char *root, DIR *d, bool (*is_ours)(const char *path),
		      void (*remove)(const char *path))
{
	char path[2 * PATH_MAX];
	struct dirent *e;
	unsigned n = 0;

	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", root, e->d_name);
		if (!is_ours(path) || !gb_sweep_is_left(path))
			continue;
		n++;
		if (remove)
			remove(path);
	}
	closedir(d);
	return n;
}

int gb_sweep_root(const char *root, struct gb_error *err)
{
	DIR *d = opendir(root);

	if (!d)
		return gb_fail_os(err, "cannot read %s", root);
	visit(root, d, is_guest_name, remove_guest);
	return 0;
}

unsigned gb_sweep_root_count(const char *root)
{
	DIR *d = opendir(root);

	return d ? visit(root, d, is_guest_name, NULL) : 0;
}

void gb_sweep_ram(void)
{
	DIR *d = opendir(GB_PLACE_SHM);

	if (d)
		visit(GB_PLACE_SHM, d, gb_place_is_private, remove_left);
}

unsigned gb_sweep_ram_count(void)
{
	DIR *d = opendir(GB_PLACE_SHM);

	return d ? visit(GB_PLACE_SHM, d, gb_place_is_private, NULL) : 0;
}
