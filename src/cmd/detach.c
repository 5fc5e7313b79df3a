// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Going to the background once the work has begun well.
#include "cmd/detach.h"

#include "base/cleanup.h"
#include "cmd/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static int wait_status(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// The child is up when a byte comes (the status to end with), and has ended when the pipe does.
static int attend(pid_t child, int ready, int signals, int *status_ret, struct gb_error *err)
{
	struct pollfd p[] = {{.fd = ready, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

	for (;;) {
		uint8_t status;
		int number;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return gb_fail_os(err, "cannot wait for the guest");
		if (p[1].revents && (number = gb_signals_take(signals)) != 0)
			kill(child, number);
		if (!p[0].revents)
			continue;
		*status_ret = read(ready, &status, 1) == 1 ? status : wait_status(child);
		return 0;
	}
}

// What our caller left open is not ours to hold in the background: whoever reads from the other end of
// a pipe would wait for as long as the guest runs.
static void close_all_but(int keep)
{
	if (keep > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)keep - 1, 0);
	close_range(keep > STDERR_FILENO ? (unsigned)keep + 1 : STDERR_FILENO + 1, ~0U, 0);
}

int gb_detach_fork(struct gb_detach *d, bool *parent_ret, int *status_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int ready = -1, signals = -1;
	int ends[2], r = gb_signals_open(&signals, err);
	pid_t child;

	if (r != 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return gb_fail_os(err, "cannot make a pipe");
	fflush(NULL);
	child = fork();
	if (child < 0) {
		close(ends[0]);
		close(ends[1]);
		return gb_fail_os(err, "cannot go to the background");
	}
	*parent_ret = child > 0;
	if (child == 0) {
		signals = -1; // closed with the others
		close_all_but(ends[1]);
		setsid();
		d->ready_fd = ends[1];
		return 0;
	}
	close(ends[1]);
	ready = ends[0];
	return attend(child, ready, signals, status_ret, err);
}

int gb_detach_ready(struct gb_detach *d, int status, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int null = -1;
	uint8_t byte = (uint8_t)status;
	int fd = d->ready_fd;

	if (fd < 0)
		return 0;
	fflush(NULL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || chdir("/") != 0)
		return gb_fail_os(err, "cannot go to the background");
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	d->ready_fd = -1;
	// SIGPIPE is ignored: without a reader this is an error.
	if (write(fd, &byte, 1) != 1) {
		close(fd);
		return gb_fail(err, GB_ECANCELLED, "interrupted");
	}
	close(fd);
	return 0;
}
