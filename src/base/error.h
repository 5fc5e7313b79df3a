// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Errors: the whole contract on one page.
//
// A function that can fail returns int: 0, or a negative enum gb_code. Its last parameter is a
// caller-owned struct gb_error *, which may be NULL. The failing leaf fills it once, through
// gb_fail(), with what went wrong, where (a guest address, a path) and what to do about it; everyone
// above only forwards the code, or adds a prefix with gb_error_prefix().
//
// - Results leave through trailing *_ret parameters, which are untouched on failure.
// - A caller may test only the codes that a function's header documents; all others it forwards.
// - "Absent" in a look-up is GB_ENOTFOUND with no message needed.
// - Nothing is allocated, nothing must be destroyed, nothing is global: safe in any thread.
// - Libraries never print and never exit. Programming errors are gb_assert(), active in release.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum gb_code {
	GB_OK = 0,
	GB_ENOMEM = -1,      // host memory
	GB_EOS = -2,         // a system call failed; os_errno says why
	GB_EFAULT = -3,      // guest address not mapped, or outside of RAM
	GB_EFORMAT = -4,     // foreign bytes are not what they must be
	GB_ENOTFOUND = -5,   // no such VM, symbol, type, process, file
	GB_EUNKNOWN = -6,    // the guest is not understood (no Linux, no BTF, ...)
	GB_ERANGE = -7,      // a number outside of what is allowed
	GB_EBUSY = -8,       // in use: name, port, lock
	GB_ETORN = -9,       // changed while it was read, after all retries
	GB_ETIMEOUT = -10,   // an answer did not come in time
	GB_EUSAGE = -11,     // the user's words are off
	GB_EVERIFY = -12,    // a check of ours said no
	GB_ELACKS = -13,     // this machine lacks something (program, permission, feature)
	GB_EGONE = -14,      // the guest, QEMU or its RAM file went away
	GB_ECANCELLED = -15, // the user or the caller stopped it
	GB_EBUG = -16,       // our own fault
};

struct gb_error {
	int code;         // enum gb_code
	int os_errno;     // errno of the failing call, or 0
	uint64_t address; // guest address it is about; valid if has_address
	bool has_address;
	char message[400];
};

// Fill err (if not NULL) and return code: `return gb_fail(err, GB_EFORMAT, "...", ...)`.
int gb_fail(struct gb_error *err, enum gb_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// The same for a failed system call: appends ": strerror(errno)" and keeps errno.
int gb_fail_os(struct gb_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The same about a guest address (appended as "at 0x...").
int gb_fail_at(struct gb_error *err, enum gb_code code, uint64_t address, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
// Put "prefix: " before the message of an error that is passing through (nothing if err is NULL).
void gb_error_prefix(struct gb_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

// Short lower-case name of a code ("not-found"), as it stands in JSON.
const char *gb_code_name(int code);
// The exit status that the command line promises for a code: 1, 2, 3, 4, 5, 6, 77, 124.
int gb_code_exit(int code);

__attribute__((noreturn)) void gb_assert_failed(const char *expr, const char *file, int line);
#define gb_assert(expr) ((expr) ? (void)0 : gb_assert_failed(#expr, __FILE__, __LINE__))
