// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Taking a name in the registry, and giving it back.
#include "vm/claim.h"

#include "base/cleanup.h"
#include "vm/info.h"
#include "vm/place.h"
#include "vm/runtime.h"
#include "vm/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NAME_TRIES 1000
#define RAM_TRIES 8

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

static int dir_of(const char *root, const char *name, char ret[2 * PATH_MAX], struct gb_error *err)
{
	// The longest socket path that the kernel takes has 107 bytes.
	if (snprintf(ret, 2 * PATH_MAX, "%s/%s", root, name) > 107 - GB_VM_SOCKET_ROOM)
		return gb_fail(
			err, GB_ERANGE,
			"%s is too long a path for a socket; take a shorter --name or a shorter "
			"XDG_RUNTIME_DIR",
			ret);
	return 0;
}

static int take_dir(const char *root, const char *name, void *arg, struct gb_error *err)
{
	struct gb_claim c = GB_CLAIM_NONE, *ret = arg;
	char dir[2 * PATH_MAX];
	int r = dir_of(root, name, dir, err);

	if (r != 0)
		return r;
	if (mkdir(dir, 0700) != 0) {
		if (errno != EEXIST)
			return gb_fail_os(err, "cannot make the directory %s", dir);
		return in_use(name, err);
	}
	r = gb_runtime_lock(dir, &c.lock_fd, err);
	if (r != 0) {
		gb_sweep_remove(dir);
		return r;
	}
	snprintf(c.name, sizeof(c.name), "%s", name);
	memcpy(c.dir, dir, strlen(dir) + 1);
	memcpy(c.ram_dir, c.dir, sizeof(c.dir));
	*ret = c;
	return 0;
}

// What take_dir() would take: a directory that is left is swept before.
static int see_dir(const char *root, const char *name, void *arg, struct gb_error *err)
{
	struct gb_vm_info *ret = arg;
	char dir[2 * PATH_MAX];
	struct stat st;
	int r = dir_of(root, name, dir, err);

	if (r != 0)
		return r;
	if (lstat(dir, &st) == 0 && !gb_sweep_is_left(dir))
		return in_use(name, err);
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	memcpy(ret->dir, dir, strlen(dir) + 1);
	return 0;
}

// The name, or the first free of NAME, NAME-2, NAME-3, ...: the first that try() does not call busy.
static int choose_name(const char *root, const char *name, bool exact,
		       int (*try)(const char *, const char *, void *, struct gb_error *), void *arg,
		       struct gb_error *err)
{
	char numbered[GB_VM_NAME_MAX + 16];
	int r = try(root, name, arg, err);

	for (int i = 2; !exact && r == GB_EBUSY && i < NAME_TRIES; i++) {
		snprintf(numbered, sizeof(numbered), "%s-%d", name, i);
		if (!gb_vm_name_valid(numbered))
			break;
		r = try(root, numbered, arg, err);
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
		r = gb_sweep_root(root, err);
	gb_sweep_ram();
	return r == 0 ? choose_name(root, name, exact, take_dir, ret, err) : r;
}

static void set_ram_path(struct gb_vm_info *info, const char *dir)
{
	snprintf(info->ram_path, sizeof(info->ram_path), "%.*s/ram", PATH_MAX - 8, dir);
}

int gb_claim_preview(const char *name, bool exact, uint64_t size, struct gb_vm_info *ret,
		     struct gb_error *err)
{
	char root[PATH_MAX], place[PATH_MAX], chosen[PATH_MAX];
	struct gb_vm_info info = *ret;
	int r = check_valid(name, err);

	if (r == 0)
		r = gb_runtime_place(place, err);
	if (r == 0)
		r = gb_runtime_path(root, err);
	if (r == 0)
		r = choose_name(root, name, exact, see_dir, &info, err);
	if (r == 0)
		r = gb_place_choose(place, size, chosen, err);
	if (r != 0)
		return r;
	set_ram_path(&info, strcmp(chosen, place) == 0 ? info.dir : chosen);
	*ret = info;
	return 0;
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

// GB_EBUSY: another one's sweep found the directory before its lock was held. It is the sweep's then.
static int make_ram_dir(const char *dir, int *lock_fd_ret, struct gb_error *err)
{
	int r;

	if (mkdir(dir, 0700) != 0)
		return gb_fail_os(err, "cannot make the directory %s", dir);
	r = gb_runtime_lock(dir, lock_fd_ret, err);
	if (r != 0)
		rmdir(dir);
	return r;
}

static int try_place(struct gb_claim *claim, uint64_t size, struct gb_vm_info *info,
		     struct gb_error *err)
{
	char dir[PATH_MAX];
	int r = gb_place_choose(claim->dir, size, dir, err);

	if (r != 0)
		return r;
	set_ram_path(info, dir);
	// Written first: after a crash in between, the next sweep still knows of the directory.
	r = gb_info_write(info, err);
	if (r == 0 && strcmp(dir, claim->dir) != 0)
		r = make_ram_dir(dir, &claim->ram_lock_fd, err);
	if (r == 0)
		memcpy(claim->ram_dir, dir, sizeof(dir));
	return r;
}

// Each time under a new name: a sweep may still be at work on the old one.
int gb_claim_place_ram(struct gb_claim *claim, uint64_t size, struct gb_vm_info *info,
		       struct gb_error *err)
{
	int r = GB_EBUSY;

	for (int i = 0; r == GB_EBUSY && i < RAM_TRIES; i++)
		r = try_place(claim, size, info, err);
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
		gb_sweep_remove(claim->ram_dir);
	gb_sweep_remove(claim->dir);
	if (claim->ram_lock_fd >= 0)
		close(claim->ram_lock_fd);
	close(claim->lock_fd);
	*claim = GB_CLAIM_NONE;
}

int gb_claim_sweep(struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int root_lock = -1;
	char root[PATH_MAX];
	int r = gb_runtime_root(false, root, err);

	gb_sweep_ram();
	if (r == GB_ENOTFOUND)
		return 0;
	if (r == 0)
		r = lock_root(root, &root_lock, err);
	return r == 0 ? gb_sweep_root(root, err) : r;
}
