// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A guest's console, kept in a file of limited size: console.log, and before it console.old.
#pragma once

#include "base/buf.h"

#define GB_CONSOLE_MAX ((size_t)512 << 10) // of each of the two files

struct gb_console {
	int dir_fd, fd;
	size_t size;
};

int gb_console_open(const char *dir, struct gb_console *ret, struct gb_error *err);
void gb_console_close(struct gb_console *c);
// What cannot be written (a full tmpfs) is lost: the guest goes on.
void gb_console_write(struct gb_console *c, const char *bytes, size_t len);
// Append the last lines (at most max bytes) to out.
void gb_console_tail(const char *dir, size_t max, struct gb_buf *out);
