// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Taking a name in the registry, and giving it back.
#include "vm/claim.h"

#include "base/cleanup.h"
#include "vm/info.h"
#include "vm/place.h"
#include "vm/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NAME_TRIES 1000
#define KILL_GRACE_MS 2000

static int lock_root(const char *root, int *fd_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return gb_fail_os(err, "cannot open %s", root);
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return gb_fail_os(err, "cannot lock %s", root);
	*fd_ret = gb_steal_fd(&fd);
	return 0;
}

// Our directories are flat; whatever cannot be removed makes the rmdir fail, and stays.
static void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    strcmp(e->d_name, "lock") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	// The lock goes last: it is what tells a later sweep that the directory is ours.
	if (d) {
		unlinkat(dirfd(d), "lock", 0);
		closedir(d);
	}
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
			remove_dir(ram_dir);
	}
	remove_dir(dir);
}

static bool is_ours(const char *dir)
{
	char path[2 * PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/lock", dir);
	return access(path, F_OK) == 0;
}

static int sweep(const char *root, struct gb_error *err)
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
		if (is_ours(dir))
			remove_guest(dir);
		else
			rmdir(dir); // empty after a crash before its lock was made; else it is not ours
	}
	closedir(d);
	return 0;
}

static int in_use(const char *name, struct gb_error *err)
{
	return gb_fail(
		err, GB_EBUSY,
		"a guest named '%s' runs already; give another --name, or end it with 'glassbox "
		"stop %s'",
		name, name);
}

static int check_valid(const char *name, struct gb_error *err)
{
	if (gb_vm_name_valid(name))
		return 0;
	return gb_fail(
		err, GB_EUSAGE,
		"'%s' is no name for a guest: it takes 1 to 63 of A-Z a-z 0-9 . _ - and begins "
		"with none of . -",
		name);
}

int gb_claim_check(const char *name, struct gb_error *err)
{
	struct gb_vm_info info;
	int r = check_valid(name, err);

	return r == 0 && gb_vm_lookup(name, &info, NULL) == 0 ? in_use(name, err) : r;
}

static int take_dir(const char *root, const char *name, struct gb_claim *ret, struct gb_error *err)
{
	struct gb_claim c = GB_CLAIM_NONE;
	char dir[2 * PATH_MAX];
	int r;

	// The longest socket path that the kernel takes has 107 bytes.
	if (snprintf(dir, sizeof(dir), "%s/%s", root, name) > 107 - GB_VM_SOCKET_ROOM)
		return gb_fail(
			err, GB_ERANGE,
			"%s is too long a path for a socket; take a shorter --name or a shorter "
			"XDG_RUNTIME_DIR",
			dir);
	if (mkdir(dir, 0700) != 0) {
		if (errno != EEXIST)
			return gb_fail_os(err, "cannot make the directory %s", dir);
		return in_use(name, err);
	}
	r = gb_runtime_lock(dir, &c.lock_fd, err);
	if (r != 0) {
		remove_dir(dir);
		return r;
	}
	snprintf(c.name, sizeof(c.name), "%s", name);
	memcpy(c.dir, dir, strlen(dir) + 1);
	memcpy(c.ram_dir, c.dir, sizeof(c.dir));
	*ret = c;
	return 0;
}

static int take_free(const char *root, const char *name, struct gb_claim *ret, struct gb_error *err)
{
	char numbered[GB_VM_NAME_MAX + 16];
	int r = take_dir(root, name, ret, err);

	for (int i = 2; r == GB_EBUSY && i < NAME_TRIES; i++) {
		snprintf(numbered, sizeof(numbered), "%s-%d", name, i);
		if (!gb_vm_name_valid(numbered))
			break;
		r = take_dir(root, numbered, ret, err);
	}
	return r;
}

int gb_claim_take(const char *name, bool exact, struct gb_claim *ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int root_lock = -1;
	char root[PATH_MAX];
	int r;

	r = check_valid(name, err);
	if (r == 0)
		r = gb_runtime_root(true, root, err);
	if (r == 0)
		r = lock_root(root, &root_lock, err);
	if (r == 0)
		r = sweep(root, err);
	if (r != 0)
		return r;
	return exact ? take_dir(root, name, ret, err) : take_free(root, name, ret, err);
}

int gb_claim_sign(const struct gb_claim *claim, struct gb_vm_info *info, struct gb_error *err)
{
	struct gb_host_process self;
	int r = gb_process_identify(getpid(), &self, err);

	if (r != 0)
		return r;
	memcpy(info->name, claim->name, sizeof(info->name));
	memcpy(info->dir, claim->dir, sizeof(info->dir));
	info->supervisor_pid = self.pid;
	info->supervisor_start = self.start;
	return 0;
}

int gb_claim_place_ram(struct gb_claim *claim, uint64_t size, struct gb_vm_info *info,
		       struct gb_error *err)
{
	int r = gb_place_choose(claim->dir, size, claim->ram_dir, err);

	if (r != 0)
		return r;
	snprintf(info->ram_path, sizeof(info->ram_path), "%.*s/ram", PATH_MAX - 8, claim->ram_dir);
	// Written first: after a crash in between, the next sweep still knows of the directory.
	r = gb_info_write(info, err);
	if (r == 0 && strcmp(claim->ram_dir, claim->dir) != 0 && mkdir(claim->ram_dir, 0700) != 0)
		r = gb_fail_os(err, "cannot make the directory %s", claim->ram_dir);
	return r;
}

void gb_claim_release(struct gb_claim *claim)
{
	GB_CLEANUP(gb_cleanup_fd) int root_lock = -1;
	char root[PATH_MAX];

	if (claim->lock_fd < 0)
		return;
	if (gb_runtime_root(false, root, NULL) == 0)
		lock_root(root, &root_lock, NULL);
	if (strcmp(claim->ram_dir, claim->dir) != 0)
		remove_dir(claim->ram_dir);
	remove_dir(claim->dir);
	close(claim->lock_fd);
	*claim = GB_CLAIM_NONE;
}

int gb_claim_sweep(struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int root_lock = -1;
	char root[PATH_MAX];
	int r = gb_runtime_root(false, root, err);

	if (r == GB_ENOTFOUND)
		return 0;
	if (r == 0)
		r = lock_root(root, &root_lock, err);
	return r == 0 ? sweep(root, err) : r;
}
