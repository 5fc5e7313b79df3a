// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Is there a QEMU, and is it new enough?
#include "vm/qemu_version.h"

#include "base/cleanup.h"
#include "vm/child.h"

#include <stdio.h>
#include <string.h>

#define HOW "run 'make deps', or install qemu-system-x86 (Debian 12: from bookworm-backports)"
#define TIMEOUT_MS 20000

int gb_qemu_version_parse(const char *text, unsigned *major_ret, unsigned *minor_ret,
			  struct gb_error *err)
{
	unsigned major, minor;

	if (sscanf(text, "QEMU emulator version %u.%u", &major, &minor) != 2)
		return gb_fail(err, GB_EFORMAT,
			       "the answer to qemu-system-x86_64 --version is not "
			       "understood");
	*major_ret = major;
	*minor_ret = minor;
	return 0;
}

int gb_qemu_check(int interrupt_fd, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf out = {};
	const char *argv[] = {"qemu-system-x86_64", "--version", NULL};
	struct gb_child child = {.argv = argv,
				 .interrupt_fd = interrupt_fd,
				 .timeout_ms = TIMEOUT_MS,
				 .out = &out};
	unsigned major = 0, minor = 0;
	int status = 0, r = gb_child_run(&child, &status, err);

	if (r == GB_ENOTFOUND)
		return gb_fail(err, GB_ELACKS,
			       "there is no QEMU (qemu-system-x86_64) in PATH: " HOW);
	if (r == 0 && status != 0)
		return gb_fail(err, GB_ELACKS, "qemu-system-x86_64 --version failed: " HOW);
	if (r == 0)
		r = gb_qemu_version_parse(out.data ? out.data : "", &major, &minor, err);
	if (r == 0 && major < GB_QEMU_MAJOR_MIN)
		return gb_fail(err, GB_ELACKS, "QEMU %u.%u is too old, version %d is needed: " HOW,
			       major, minor, GB_QEMU_MAJOR_MIN);
	return r;
}
