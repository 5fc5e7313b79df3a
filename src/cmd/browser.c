// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Showing the page on the desktop.
#include "cmd/browser.h"

#include "vm/child.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

__attribute__((noreturn)) static void become(const char *path, const char *url)
{
	const char *argv[] = {"xdg-open", url, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	// The browser is nobody's child of ours: it outlives us, and we need not wait for it.
	if (fork() != 0)
		_exit(0);
	setsid();
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

bool gb_browser_open(const char *url)
{
	char path[PATH_MAX];
	pid_t pid;

	if ((!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")) ||
	    gb_child_find("xdg-open", path, sizeof(path), NULL) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		become(path, url);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}
