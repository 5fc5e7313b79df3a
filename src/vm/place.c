// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Where the RAM file of a guest goes.
#include "vm/place.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PRIVATE_PREFIX GB_PLACE_SHM "/glassbox-ram-"
#define PRIVATE_DIGITS 16
#define MIB ((uint64_t)1 << 20)

// A RAM file is sparse: what the guest did not touch yet is taken nevertheless.
static uint64_t promised_on(dev_t device)
{
	GB_CLEANUP(gb_cleanup_free) struct gb_vm_info *vms = NULL;
	uint64_t promised = 0;
	size_t n = 0;
	struct stat st;

	if (gb_vm_list(&vms, &n, NULL) != 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (vms[i].attached || stat(vms[i].ram_path, &st) != 0 || st.st_dev != device)
			continue;
		if ((uint64_t)st.st_size > (uint64_t)st.st_blocks * 512)
			promised += (uint64_t)st.st_size - (uint64_t)st.st_blocks * 512;
	}
	return promised;
}

int gb_place_free(const char *path, uint64_t *free_ret, bool *tmpfs_ret, struct gb_error *err)
{
	uint64_t promised, available;
	struct statfs fs;
	struct stat st;

	if (statfs(path, &fs) != 0 || stat(path, &st) != 0)
		return gb_fail_os(err, "cannot look at %s", path);
	// A tmpfs without a limit reports no blocks at all.
	available = fs.f_blocks ? (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize : UINT64_MAX;
	promised = promised_on(st.st_dev);
	*free_ret = available > promised ? available - promised : 0;
	*tmpfs_ret = fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
	return 0;
}

bool gb_place_full(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_blocks &&
	       (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize < MIB;
}

static int private_name(char ret[PATH_MAX], struct gb_error *err)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return gb_fail_os(err, "no random numbers");
	snprintf(ret, PATH_MAX, PRIVATE_PREFIX "%016" PRIx64, random);
	return 0;
}

static int no_room(const char *dir, uint64_t room, uint64_t size, struct gb_error *err)
{
	return gb_fail(
		err, GB_ELACKS,
		"no tmpfs has room for %" PRIu64 " MiB of guest RAM (%" PRIu64
		" MiB free for it at %s): give less --mem, stop another guest, or enlarge it "
		"with: mount -o remount,size=%" PRIu64 "M " GB_PLACE_SHM,
		size / MIB, room / MIB, dir, (size + size / 4) / MIB);
}

// A file larger than the limit would end us, or the scripts, with SIGXFSZ.
static int check_limit(uint64_t size, struct gb_error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < size)
		return gb_fail(err, GB_ELACKS,
			       "files may have %" PRIu64 " MiB here, and %" PRIu64
			       " MiB are needed for guest RAM: run 'ulimit -f unlimited' first",
			       (uint64_t)limit.rlim_cur / MIB, size / MIB);
	return 0;
}

int gb_place_choose(const char *dir, uint64_t size, char ret[PATH_MAX], struct gb_error *err)
{
	uint64_t room = 0, shm_room = 0;
	bool tmpfs = false, shm_tmpfs = false;
	int r = check_limit(size, err);

	if (r == 0)
		r = gb_place_free(dir, &room, &tmpfs, err);
	if (r != 0)
		return r;
	if (tmpfs && room >= size) {
		snprintf(ret, PATH_MAX, "%s", dir);
		return 0;
	}
	if (gb_place_free(GB_PLACE_SHM, &shm_room, &shm_tmpfs, NULL) == 0 && shm_tmpfs &&
	    shm_room >= size)
		return private_name(ret, err);
	if (shm_tmpfs && shm_room >= room)
		return no_room(GB_PLACE_SHM, shm_room, size, err);
	return no_room(dir, tmpfs ? room : 0, size, err);
}

bool gb_place_is_private(const char *dir)
{
	size_t prefix = strlen(PRIVATE_PREFIX);

	return strncmp(dir, PRIVATE_PREFIX, prefix) == 0 &&
	       strlen(dir) == prefix + PRIVATE_DIGITS &&
	       strspn(dir + prefix, "0123456789abcdef") == PRIVATE_DIGITS;
}

bool gb_place_of(const struct gb_vm_info *info, char ret[PATH_MAX])
{
	const char *slash = strrchr(info->ram_path, '/');
	char dir[PATH_MAX];

	if (!slash)
		return false;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - info->ram_path), info->ram_path);
	if (!gb_place_is_private(dir))
		return false;
	memcpy(ret, dir, sizeof(dir));
	return true;
}
