// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Running a helper program to its end: a guest's script, ssh-keygen, qemu --version.
#pragma once

#include "base/buf.h"

#define GB_CHILD_OUT_MAX ((size_t)1 << 20)

struct gb_child {
	const char *const *argv; // argv[0] is looked up in PATH
	int interrupt_fd;        // becomes readable when the user wants to stop; -1: none
	int timeout_ms;          // -1: none
	struct gb_buf *out; // takes its standard output, at most GB_CHILD_OUT_MAX; NULL: /dev/null
	bool quiet;         // its standard error goes to /dev/null, else to ours
};

// Run it, with its standard input at /dev/null, in a process group of its own that ends with it.
// *status_ret is its exit status, or 128 + signal. GB_ENOTFOUND: no such program; GB_ECANCELLED;
// GB_ETIMEOUT; GB_ERANGE: too much output.
int gb_child_run(const struct gb_child *c, int *status_ret, struct gb_error *err);

// Where a program is in PATH. GB_ENOTFOUND.
int gb_child_find(const char *program, char *ret, size_t size, struct gb_error *err);
