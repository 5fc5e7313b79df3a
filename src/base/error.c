// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Errors: filling, prefixing and naming struct gb_error.
#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	int code;
	const char *name;
	int exit;
} codes[] = {
	{GB_OK, "ok", 0},
	{GB_ENOMEM, "no-memory", 1},
	{GB_EOS, "os", 1},
	{GB_EFAULT, "fault", 1},
	{GB_EFORMAT, "format", 1},
	{GB_ENOTFOUND, "not-found", 3},
	{GB_EUNKNOWN, "not-understood", 4},
	{GB_ERANGE, "range", 2},
	{GB_EBUSY, "busy", 1},
	{GB_ETORN, "torn", 5},
	{GB_ETIMEOUT, "time-out", 124},
	{GB_EUSAGE, "usage", 2},
	{GB_EVERIFY, "verification", 6},
	{GB_ELACKS, "lacks", 77},
	{GB_EGONE, "gone", 1},
	{GB_ECANCELLED, "cancelled", 1},
	{GB_EBUG, "bug", 1},
};

const char *gb_code_name(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].name;
	return "unknown";
}

int gb_code_exit(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].exit;
	return 1;
}

__attribute__((format(printf, 3, 0))) static void fill(struct gb_error *err, enum gb_code code,
						       const char *format, va_list args)
{
	*err = (struct gb_error){.code = code};
	vsnprintf(err->message, sizeof(err->message), format, args);
}

__attribute__((format(printf, 2, 3))) static void append(struct gb_error *err, const char *format,
							 ...)
{
	size_t used = strlen(err->message);
	va_list args;

	va_start(args, format);
	vsnprintf(err->message + used, sizeof(err->message) - used, format, args);
	va_end(args);
}

int gb_fail(struct gb_error *err, enum gb_code code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	return code;
}

int gb_fail_os(struct gb_error *err, const char *format, ...)
{
	int saved = errno;
	va_list args;

	if (!err)
		return GB_EOS;
	va_start(args, format);
	fill(err, GB_EOS, format, args);
	va_end(args);
	err->os_errno = saved;
	append(err, ": %s", strerror(saved));
	errno = saved;
	return GB_EOS;
}

int gb_fail_at(struct gb_error *err, enum gb_code code, uint64_t address, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	err->address = address;
	err->has_address = true;
	append(err, " at 0x%" PRIx64, address);
	return code;
}

void gb_error_prefix(struct gb_error *err, const char *format, ...)
{
	char message[sizeof(err->message)];
	va_list args;

	if (!err)
		return;
	memcpy(message, err->message, sizeof(message));
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	append(err, ": %s", message);
}

void gb_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "glassbox: %s:%d: this must hold and does not: %s\n", file, line, expr);
	abort();
}
