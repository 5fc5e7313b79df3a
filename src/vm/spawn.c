// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Starting QEMU as a child that dies with us.
#include "vm/spawn.h"

#include "base/cleanup.h"
#include "vm/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

__attribute__((noreturn)) static void become(const char *path, const char *const *argv, int errors,
					     pid_t parent)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	// We may have died before the line above.
	if (getppid() != parent)
		_exit(1);
	// A Ctrl-C of the terminal is ours to handle.
	setsid();
	umask(077);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); // nor what our caller left open
	execv(path, (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

int gb_spawn(const char *const *argv, pid_t *pid_ret, int *errors_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int ours = -1, theirs = -1;
	char path[PATH_MAX];
	int ends[2];
	pid_t pid, self = getpid();

	if (gb_child_find(argv[0], path, sizeof(path), NULL) != 0)
		return gb_fail(err, GB_ELACKS,
			       "there is no %s in PATH; 'glassbox doctor' says how to "
			       "get it",
			       argv[0]);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return gb_fail_os(err, "cannot make a pipe");
	ours = ends[0];
	theirs = ends[1];
	fcntl(ours, F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0)
		become(path, argv, theirs, self);
	if (pid < 0)
		return gb_fail_os(err, "cannot start %s", path);
	*pid_ret = pid;
	*errors_ret = gb_steal_fd(&ours);
	return 0;
}

int gb_spawn_listen(const char *path, int *fd_ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (fd < 0)
		return gb_fail_os(err, "cannot make a socket");
	if (strlen(path) >= sizeof(addr.sun_path))
		return gb_fail(err, GB_ERANGE, "%s: too long for the path of a socket", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 1) != 0)
		return gb_fail_os(err, "cannot listen on %s", path);
	*fd_ret = gb_steal_fd(&fd);
	return 0;
}
