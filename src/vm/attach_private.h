// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Words of somebody else's QEMU command line, for attach.c and its helpers.
#pragma once

#include "vm/attach.h"
#include "vm/monitor.h"

// As in /proc/PID/cmdline: words ended by NUL bytes.
struct gb_line {
	const char *words;
	size_t len;
};

// The next word, or NULL; *at goes behind it.
const char *gb_line_next(const struct gb_line *l, size_t *at);
// The value of the next option of this name (-name or --name), from *at on, or NULL.
const char *gb_line_option(const struct gb_line *l, const char *name, size_t *at);
// The value of key in "first,key=value,..."; a doubled comma in it is one, and of several the last counts, as
// for QEMU. false when it is not there, empty or too long.
bool gb_line_value(const char *options, const char *key, char *ret, size_t size);
// The same for what comes first, without a key.
bool gb_line_first(const char *options, char *ret, size_t size);

// What the command line alone tells of a QEMU whose monitor is not to be had: its RAM and where that
// lies, and into info name, machine, accelerator and CPUs. GB_ELACKS with what to do: private RAM, or a
// layout that is not certain.
int gb_attach_line(const struct gb_line *l, struct gb_backend *backend_ret, struct gb_vm_info *info,
		   struct gb_error *err);
