// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Running a helper program to its end.
#include "vm/child.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define END_GRACE_MS 3000

int gb_child_find(const char *program, char *ret, size_t size, struct gb_error *err)
{
	const char *path = getenv("PATH");

	if (strchr(program, '/')) {
		snprintf(ret, size, "%s", program);
		return access(program, X_OK) == 0
			       ? 0
			       : gb_fail(err, GB_ENOTFOUND, "%s cannot be run", program);
	}
	while (path && *path) {
		size_t len = strcspn(path, ":");
		int n = snprintf(ret, size, "%.*s/%s", (int)len, path, program);

		if (len && n > 0 && (size_t)n < size && access(ret, X_OK) == 0)
			return 0;
		path += len + (path[len] == ':');
	}
	return gb_fail(err, GB_ENOTFOUND, "there is no program %s in PATH", program);
}

__attribute__((noreturn)) static void become(const struct gb_child *c, const char *path, int out)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	dup2(out >= 0 ? out : null, STDOUT_FILENO);
	if (c->quiet)
		dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	execv(path, (char *const *)(uintptr_t)c->argv);
	_exit(errno == ENOENT ? 127 : 126);
}

// 1: more may come; 0: its end.
static int take_output(int fd, struct gb_buf *out, struct gb_error *err)
{
	char chunk[4096];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : gb_fail_os(err, "cannot read");
	if (out->len + (size_t)n > GB_CHILD_OUT_MAX)
		return gb_fail(err, GB_ERANGE, "it wrote more than %zu bytes", GB_CHILD_OUT_MAX);
	gb_buf_add(out, chunk, (size_t)n);
	return n > 0;
}

// Wait for the end of the process, taking its output meanwhile.
static int attend(const struct gb_child *c, int pidfd, int out, struct gb_error *err)
{
	uint64_t end = c->timeout_ms >= 0 ? gb_clock_ns() + (uint64_t)c->timeout_ms * GB_MS : 0;
	struct pollfd p[] = {{.fd = out, .events = POLLIN},
			     {.fd = pidfd, .events = POLLIN},
			     {.fd = c->interrupt_fd, .events = POLLIN}};

	for (;;) {
		uint64_t now = gb_clock_ns();
		int n = poll(p, 3, !end ? -1 : now < end ? (int)((end - now) / GB_MS) + 1 : 0);
		int r = 1;

		if (n < 0 && errno != EINTR)
			return gb_fail_os(err, "cannot wait");
		if (n == 0)
			return gb_fail(err, GB_ETIMEOUT, "it took more than %d ms", c->timeout_ms);
		if (n < 0)
			continue;
		if (p[2].revents)
			return gb_fail(err, GB_ECANCELLED, "interrupted");
		// All output first: the end of the process is seen when nothing is left to read.
		if (p[0].revents)
			r = take_output(out, c->out, err);
		else if (p[1].revents)
			return 0;
		if (r < 0)
			return r;
		if (r == 0)
			p[0].fd = -1;
	}
}

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int watch(const struct gb_child *c, pid_t pid, int out, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int pidfd = pidfd_open(pid, 0);
	int r = pidfd >= 0 ? attend(c, pidfd, out, err) : gb_fail_os(err, "cannot watch it");

	if (r == 0)
		return 0;
	// What it started is in its process group.
	kill(-pid, SIGTERM);
	if (pidfd < 0 || gb_pidfd_wait(pidfd, END_GRACE_MS, NULL) != 0)
		kill(-pid, SIGKILL);
	return r;
}

int gb_child_run(const struct gb_child *c, int *status_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int out = -1, theirs = -1;
	char path[4096];
	int ends[2], status, r;
	pid_t pid;

	r = gb_child_find(c->argv[0], path, sizeof(path), err);
	if (r != 0)
		return r;
	if (c->out) {
		if (pipe2(ends, O_CLOEXEC) != 0)
			return gb_fail_os(err, "cannot make a pipe");
		out = ends[0];
		theirs = ends[1];
	}
	pid = fork();
	if (pid == 0)
		become(c, path, theirs);
	if (pid < 0)
		return gb_fail_os(err, "cannot start %s", path);
	setpgid(pid, pid); // in the child too: whoever comes first
	if (theirs >= 0)
		close(gb_steal_fd(&theirs));
	r = watch(c, pid, out, err);
	status = reap(pid);
	if (r != 0) {
		gb_error_prefix(err, "%s", c->argv[0]);
		return r;
	}
	if (c->out && gb_buf_failed(c->out))
		return gb_fail(err, GB_ENOMEM, "no memory for the output of %s", c->argv[0]);
	*status_ret = status;
	return 0;
}
