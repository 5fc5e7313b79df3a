// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Log: a sink that the program passes down. NULL is silent. Libraries log at debug level only.
#pragma once

enum gb_log_level { GB_LOG_DEBUG, GB_LOG_INFO, GB_LOG_WARN, GB_LOG_ERROR };

struct gb_log {
	enum gb_log_level level; // messages below are dropped
	void (*fn)(void *arg, enum gb_log_level level, const char *message);
	void *arg;
};

void gb_log(const struct gb_log *log, enum gb_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
