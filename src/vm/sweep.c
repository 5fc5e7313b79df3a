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

// Our directories are flat; whatever cannot be removed makes the rmdir fail, and stays.
void gb_sweep_remove(const char *path)
{
	DIR *d = open_own(path);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    strcmp(e->d_name, "lock") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	// The lock goes last: it is what tells a later sweep that the directory is ours.
	unlinkat(dirfd(d), "lock", 0);
	closedir(d);
	rmdir(path);
}

static void end_qemu(const struct gb_vm_info *info)
{
	struct gb_host_process qemu = gb_vm_qemu(info);
	GB_CLEANUP(gb_cleanup_fd) int fd = -1;

	if (!info->attached && gb_process_open(&qemu, &fd, NULL) == 0)
		gb_pidfd_end(fd, KILL_GRACE_MS, NULL);
}

static void remove_guest(const char *dir)
{
	struct gb_vm_info info;
	char ram_dir[PATH_MAX];

	if (gb_info_read(dir, &info, NULL) == 0) {
		end_qemu(&info);
		if (gb_place_of(&info, ram_dir))
			gb_sweep_remove(ram_dir);
	}
	gb_sweep_remove(dir);
}

int gb_sweep_root(const char *root, struct gb_error *err)
{
	DIR *d = opendir(root);
	struct dirent *e;
	char dir[2 * PATH_MAX];

	if (!d)
		return gb_fail_os(err, "cannot read %s", root);
	while ((e = readdir(d))) {
		snprintf(dir, sizeof(dir), "%s/%s", root, e->d_name);
		if (!gb_vm_name_valid(e->d_name) || gb_runtime_locked(dir))
			continue;
		if (gb_runtime_has_lock(dir))
			remove_guest(dir);
		else
			rmdir(dir); // empty after a crash before its lock was made; else it is not ours
	}
	closedir(d);
	return 0;
}

// Who takes the lock may remove: a supervisor that is just making the directory then tries another one.
static void remove_ram(const char *dir)
{
	GB_CLEANUP(gb_cleanup_fd) int lock = -1;

	if (!gb_runtime_has_lock(dir))
		rmdir(dir);
	else if (gb_runtime_lock(dir, &lock, NULL) == 0)
		gb_sweep_remove(dir);
}

static unsigned visit_ram(void (*visit)(const char *dir))
{
	DIR *d = opendir(GB_PLACE_SHM);
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d))) {
		char dir[PATH_MAX];
		struct stat st;

		snprintf(dir, sizeof(dir), GB_PLACE_SHM "/%s", e->d_name);
		if (!gb_place_is_private(dir) || lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) ||
		    st.st_uid != geteuid() || gb_runtime_locked(dir))
			continue;
		n += gb_runtime_has_lock(dir);
		if (visit)
			visit(dir);
	}
	if (d)
		closedir(d);
	return n;
}

void gb_sweep_ram(void)
{
	visit_ram(remove_ram);
}

unsigned gb_sweep_ram_count(void)
{
	return visit_ram(NULL);
}
