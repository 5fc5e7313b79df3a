// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Is there a QEMU, and is it new enough?
#pragma once

#include "base/error.h"

#define GB_QEMU_MAJOR_MIN 10

// "QEMU emulator version 10.0.2 (Debian ...)". GB_EFORMAT.
int gb_qemu_version_parse(const char *text, unsigned *major_ret, unsigned *minor_ret,
			  struct gb_error *err);
// Ask qemu-system-x86_64 --version. GB_ELACKS when there is none or it is too old, saying how to get
// one; GB_ECANCELLED when interrupt_fd (or -1) became readable.
int gb_qemu_check(int interrupt_fd, struct gb_error *err);
