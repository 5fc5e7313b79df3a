// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What `glassbox doctor` looks at: the guests that were made, and what makes them.
#include "cmd/doctor.h"
#include "cmd/output.h"

#include "base/data_dir.h"
#include "vm/child.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
// What the scripts need while they work: guest/debian.sh little, guest/tiny.sh a kernel's source.
#define ROOM_MIN (300 * MIB)
#define ROOM_TINY (2560 * MIB)

void gb_doctor_install(const char *group, struct gb_finding *ret)
{
	char data[PATH_MAX], script[PATH_MAX + 32];
	bool source = gb_data_dir(data, NULL) == 0;

	snprintf(script, sizeof(script), "%s/tools/deps.sh", source ? data : "");
	if (access(script, X_OK) == 0)
		snprintf(ret->fix, sizeof(ret->fix), "%.400s %s", script, group);
	else
		snprintf(
			ret->fix, sizeof(ret->fix),
			"'make deps' in the source directory of Glass Box: it names and installs the "
			"Debian packages (QEMU from bookworm-backports on Debian 12)");
}

void gb_doctor_data(const struct gb_checkup *row, struct gb_finding *ret)
{
	char data[PATH_MAX], script[PATH_MAX + 32];
	struct gb_error err = {};

	(void)row;
	if (gb_data_dir(data, &err) != 0) {
		snprintf(ret->detail, sizeof(ret->detail), "%s", err.message);
	} else {
		snprintf(script, sizeof(script), "%s/guest/initramfs.sh", data);
		ret->ok = access(script, R_OK) == 0;
		snprintf(ret->detail, sizeof(ret->detail), "%.450s%s", data,
			 ret->ok ? "" : " has no guest/initramfs.sh");
	}
	if (!ret->ok)
		snprintf(
			ret->fix, sizeof(ret->fix),
			"unset GLASSBOX_DATA, or set it to the directory that holds guest/; or 'make "
			"install' again");
}

// The same place as in guest/lib.sh. False where neither variable is set.
static bool cache_dir(char *ret, size_t size)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && *xdg)
		snprintf(ret, size, "%s/glassbox/guests", xdg);
	else if (home && *home)
		snprintf(ret, size, "%s/.cache/glassbox/guests", home);
	else
		return false;
	return true;
}

// How often the guest was made. A directory that bears a guest's name and hash is complete.
static size_t count_guest(const char *name, const char *file, char *newest, size_t size)
{
	static const char hash[] =
		"[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]";
	char dir[PATH_MAX], pattern[2 * PATH_MAX];
	glob_t found = {};
	size_t n = 0;

	if (!cache_dir(dir, sizeof(dir)))
		return 0;
	snprintf(pattern, sizeof(pattern), "%s/%s-%s%s/%s", dir, name, hash, hash, file);
	if (glob(pattern, 0, NULL, &found) == 0) {
		n = found.gl_pathc;
		snprintf(newest, size, "%s", found.gl_pathv[n - 1]);
		if (strrchr(newest, '/'))
			*strrchr(newest, '/') = 0;
	}
	globfree(&found);
	return n;
}

void gb_doctor_programs(const struct gb_checkup *row, struct gb_finding *ret)
{
	char words[256], path[PATH_MAX], *save, *group, *program;

	snprintf(words, sizeof(words), "%s", row->arg);
	group = strtok_r(words, " ", &save);
	while ((program = strtok_r(NULL, " ", &save))) {
		size_t used = strlen(ret->detail);

		// The scripts look into the administrator's directories, too.
		if (gb_child_find(program, path, sizeof(path), NULL) == 0)
			continue;
		snprintf(path, sizeof(path), "/usr/sbin/%s", program);
		if (access(path, X_OK) != 0)
			snprintf(ret->detail + used, sizeof(ret->detail) - used, "%s%s",
				 used ? " " : "not installed: ", program);
	}
	ret->ok = !*ret->detail;
	if (ret->ok)
		snprintf(ret->detail, sizeof(ret->detail), "%s", strchr(row->arg, ' ') + 1);
	else
		gb_doctor_install(group, ret);
}

void gb_doctor_guest_programs(const struct gb_checkup *row, struct gb_finding *ret)
{
	char newest[PATH_MAX];

	gb_doctor_programs(row, ret);
	ret->needed = count_guest("debian", "vmlinux", newest, sizeof(newest)) == 0 ||
		      count_guest("initramfs", "initramfs.cpio", newest, sizeof(newest)) == 0;
}

void gb_doctor_guest(const struct gb_checkup *row, struct gb_finding *ret)
{
	char words[64], dir[PATH_MAX], *save, *name, *file;
	bool is_guest;
	size_t n;

	snprintf(words, sizeof(words), "%s", row->arg);
	name = strtok_r(words, " ", &save);
	file = strtok_r(NULL, " ", &save);
	is_guest = strcmp(name, "initramfs") != 0;
	n = count_guest(name, file, dir, sizeof(dir));
	ret->ok = n != 0;
	if (n == 1) {
		snprintf(ret->detail, sizeof(ret->detail), "%.450s", dir);
	} else if (n) {
		snprintf(ret->detail, sizeof(ret->detail), "made, in %zu versions", n);
	} else {
		snprintf(ret->detail, sizeof(ret->detail),
			 "not made yet: its first start does that%s",
			 strcmp(name, "tiny") == 0 ? ", in about 10 minutes" : "");
		snprintf(ret->fix, sizeof(ret->fix), "glassbox run%s%s", is_guest ? " " : "",
			 is_guest ? name : "");
	}
}

// Free space of the cache's file system: of the nearest directory above it that is there.
static bool cache_room(char *dir, uint64_t *ret)
{
	struct statvfs fs;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", dir);
	while (statvfs(path, &fs) != 0) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return false;
		*slash = 0;
	}
	*ret = (uint64_t)fs.f_bavail * fs.f_frsize;
	return true;
}

void gb_doctor_cache(const struct gb_checkup *row, struct gb_finding *ret)
{
	char dir[PATH_MAX], newest[PATH_MAX], size[24];
	bool tiny, usable;
	uint64_t room;

	(void)row;
	if (!cache_dir(dir, sizeof(dir)) || !cache_room(dir, &room)) {
		snprintf(ret->detail, sizeof(ret->detail), "there is no place: HOME is not set");
		snprintf(ret->fix, sizeof(ret->fix), "export XDG_CACHE_HOME=/var/tmp/$USER");
		ret->needed = true;
		return;
	}
	tiny = count_guest("tiny", "vmlinux", newest, sizeof(newest)) != 0;
	usable = tiny || count_guest("debian", "vmlinux", newest, sizeof(newest)) != 0;
	ret->ok = room >= (tiny ? ROOM_MIN : ROOM_TINY);
	ret->needed = !usable && room < ROOM_MIN;
	snprintf(ret->detail, sizeof(ret->detail), "%.400s, %s free", dir,
		 gb_format_size(room, size));
	if (!ret->ok)
		snprintf(ret->fix, sizeof(ret->fix),
			 "make room (%s), or set XDG_CACHE_HOME to a place on another disk",
			 room < ROOM_MIN ? "300 MiB for the debian guest"
					 : "2.5 GiB to make the tiny guest");
}
