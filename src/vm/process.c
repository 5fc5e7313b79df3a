// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Processes by pid and start time.
#include "vm/process.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

// A killed process ends as soon as the kernel schedules it; one that does not is stuck in the kernel.
#define KILL_WAIT_MS 10000

// The comm in field 2 may hold anything, ')' too: the fields are counted from the last ')'.
static bool parse_stat(const char *text, char *state_ret, uint64_t *start_ret)
{
	const char *p = strrchr(text, ')');

	return p && sscanf(p,
			   ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			   "%*s %*s %" SCNu64,
			   state_ret, start_ret) == 2;
}

int gb_process_identify(pid_t pid, struct gb_host_process *ret, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	char path[64], state = 0;
	uint64_t start = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	// Reading the stat of a process that ends in between is ESRCH.
	if (pid <= 0 || gb_file_read(path, 4096, &text, NULL) != 0 || !text.data)
		return gb_fail(err, GB_ENOTFOUND, "there is no process %d", (int)pid);
	if (!parse_stat(text.data, &state, &start))
		return gb_fail(err, GB_EFORMAT, "%s is not understood", path);
	if (state == 'Z' || state == 'X')
		return gb_fail(err, GB_ENOTFOUND, "process %d has ended", (int)pid);
	*ret = (struct gb_host_process){.pid = pid, .start = start};
	return 0;
}

bool gb_process_alive(const struct gb_host_process *p)
{
	struct gb_host_process now;

	return gb_process_identify(p->pid, &now, NULL) == 0 && now.start == p->start;
}

int gb_process_open(const struct gb_host_process *p, int *pidfd_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = p->pid > 0 ? pidfd_open(p->pid, 0) : -1;

	if (fd < 0 && p->pid > 0 && errno != ESRCH)
		return gb_fail_os(err, "cannot watch process %d", (int)p->pid);
	// The pidfd is taken first: if the start time still fits afterwards, it is the right process.
	if (fd < 0 || !gb_process_alive(p))
		return gb_fail(err, GB_EGONE, "process %d has ended", (int)p->pid);
	*pidfd_ret = gb_steal_fd(&fd);
	return 0;
}

int gb_pidfd_wait(int pidfd, int timeout_ms, struct gb_error *err)
{
	uint64_t end = gb_clock_ns() + (uint64_t)timeout_ms * GB_MS;
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	for (;;) {
		uint64_t now = gb_clock_ns();
		int left = now < end ? (int)((end - now + GB_MS - 1) / GB_MS) : 0;
		int n = poll(&p, 1, left);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return gb_fail_os(err, "cannot wait for a process");
		if (n == 0 && left == 0)
			return gb_fail(err, GB_ETIMEOUT, "the process did not end within %d ms",
				       timeout_ms);
	}
}

int gb_pidfd_end(int pidfd, int grace_ms, struct gb_error *err)
{
	if (pidfd_send_signal(pidfd, SIGTERM, NULL, 0) != 0 && errno != ESRCH)
		return gb_fail_os(err, "cannot end the process");
	if (gb_pidfd_wait(pidfd, grace_ms, NULL) == 0)
		return 0;
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) != 0 && errno != ESRCH)
		return gb_fail_os(err, "cannot kill the process");
	return gb_pidfd_wait(pidfd, KILL_WAIT_MS, err);
}
