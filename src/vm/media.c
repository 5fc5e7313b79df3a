// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What kind of disk a file is, and the ports a guest's network passes on.
//
// The format is told to QEMU, never left to its own probing: a guest that may write the first bytes
// of a raw disk could turn it into a qcow2 image whose backing file is any file of the host.
#include "vm/config.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ISO_DESCRIPTOR 0x8001 // ECMA-119: "CD001" in the first volume descriptor, sector 16
#define BOOT_SIGNATURE 510

static bool bytes_at(int fd, off_t offset, const char *want, size_t len)
{
	char got[16];

	return pread(fd, got, len, offset) == (ssize_t)len && memcmp(got, want, len) == 0;
}

// A guest owns its disk, header included: what that names on the host, QEMU would open for it. Offsets as
// in QEMU's docs/interop/qcow2.txt: 4 version, 8 backing file, 72 incompatible features (version 3).
static int check_qcow2(int fd, const char *path, struct gb_error *err)
{
	enum { VERSION = 7, BACKING = 8, FEATURES_LOW = 79, EXTERNAL_DATA = 4 };
	static const uint8_t none[8];
	uint8_t header[80] = {};

	if (pread(fd, header, sizeof(header), 0) < 72)
		return gb_fail(err, GB_EFORMAT, "%s: the qcow2 header is cut short", path);
	if (memcmp(header + BACKING, none, 8) == 0 &&
	    !(header[VERSION] >= 3 && header[FEATURES_LOW] & EXTERNAL_DATA))
		return 0;
	return gb_fail(
		err, GB_EFORMAT,
		"%s names another file of this machine (a backing or data file), which its guest "
		"could then read: flatten it with qemu-img convert -O qcow2",
		path);
}

int gb_media_detect(const char *path, enum gb_media *ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return gb_fail(err, GB_ENOTFOUND,
			       "%s: there is no such file, and no built-in guest of that name "
			       "(debian, tiny, alpine)",
			       path);
	if (fd < 0 || fstat(fd, &st) != 0)
		return gb_fail_os(err, "cannot open %s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return gb_fail(err, GB_EFORMAT, "%s is no file", path);
	if (bytes_at(fd, 0, "QFI\xfb", 4)) {
		*ret = GB_MEDIA_QCOW2;
		return check_qcow2(fd, path, err);
	}
	if (bytes_at(fd, ISO_DESCRIPTOR, "CD001", 5))
		*ret = GB_MEDIA_CD;
	else if (bytes_at(fd, BOOT_SIGNATURE, "\x55\xaa", 2))
		*ret = GB_MEDIA_RAW;
	else
		return gb_fail(
			err, GB_EFORMAT,
			"%s is no disk that a PC boots from: neither qcow2, nor an ISO image, nor "
			"a raw disk with a boot sector; convert others with qemu-img, start a "
			"kernel with --kernel",
			path);
	return 0;
}

static bool parse_port(const char **p, unsigned *ret)
{
	char *end;
	unsigned long v;

	if (**p < '0' || **p > '9')
		return false;
	v = strtoul(*p, &end, 10);
	*p = end;
	*ret = (unsigned)v;
	return v <= 65535;
}

int gb_forwards_parse(const char *text, struct gb_config *c, struct gb_error *err)
{
	const char *p = text;

	for (;;) {
		struct gb_forward f;

		if (!parse_port(&p, &f.host) || *p++ != ':' || !parse_port(&p, &f.guest) ||
		    f.guest == 0 || (*p && *p != ','))
			return gb_fail(
				err, GB_EUSAGE,
				"'%s' are no forwards: write HOSTPORT:GUESTPORT, several with "
				"commas, like 8080:80,2222:22",
				text);
		if (c->forward_count == GB_FORWARDS_MAX)
			return gb_fail(err, GB_EUSAGE, "more than %d forwards", GB_FORWARDS_MAX);
		c->forwards[c->forward_count++] = f;
		if (!*p)
			return 0;
		p++;
	}
}
