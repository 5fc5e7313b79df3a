// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Log: a sink that the program passes down.
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void gb_log(const struct gb_log *log, enum gb_log_level level, const char *format, ...)
{
	char message[1024];
	va_list args;

	if (!log || !log->fn || level < log->level)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	log->fn(log->arg, level, message);
}
