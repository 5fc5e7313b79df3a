// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Processes by pid and start time, so that a reused pid is never taken for the old process.
#pragma once

#include "base/error.h"

#include <sys/types.h>

struct gb_host_process {
	pid_t pid;
	uint64_t start; // clock ticks after the host's boot, field 22 of /proc/PID/stat
};

// GB_ENOTFOUND when there is no such process, or it has ended and only waits to be reaped.
int gb_process_identify(pid_t pid, struct gb_host_process *ret, struct gb_error *err);
bool gb_process_alive(const struct gb_host_process *p);
// A pidfd of exactly this process, the caller's to close. GB_EGONE when it ended.
int gb_process_open(const struct gb_host_process *p, int *pidfd_ret, struct gb_error *err);
// Wait until the process of a pidfd has ended. GB_ETIMEOUT.
int gb_pidfd_wait(int pidfd, int timeout_ms, struct gb_error *err);
// SIGTERM, then SIGKILL after grace_ms, and wait for the end. A process that has ended is fine.
int gb_pidfd_end(int pidfd, int grace_ms, struct gb_error *err);
