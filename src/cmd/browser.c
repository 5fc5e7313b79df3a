// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Showing the page on the desktop.
#include "cmd/browser.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "vm/child.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

// Names are of [A-Za-z0-9._-] and addresses of ours are plain: nothing in them needs an escape.
static int write_link(const struct gb_vm_info *vm, char path[PATH_MAX + 16], struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};

	gb_buf_printf(&text,
		      "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Glass Box</title>\n"
		      "<meta name=\"referrer\" content=\"no-referrer\">\n"
		      "<meta http-equiv=\"refresh\" content=\"0; url=%s\">\n"
		      "<p><a href=\"%s\">The memory of %s</a></p>\n",
		      vm->url, vm->url, vm->name);
	if (gb_buf_failed(&text))
		return gb_fail(err, GB_ENOMEM, "no memory for a link to the page");
	snprintf(path, PATH_MAX + 16, "%s/page.html", vm->dir);
	return gb_file_write(path, text.data, text.len, 0600, err);
}

__attribute__((noreturn)) static void become(const char *path, const char *link)
{
	const char *argv[] = {"xdg-open", link, NULL};
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

bool gb_browser_open(const struct gb_vm_info *vm)
{
	char path[PATH_MAX], link[PATH_MAX + 16];
	pid_t pid;

	if ((!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")) ||
	    gb_child_find("xdg-open", path, sizeof(path), NULL) != 0 ||
	    write_link(vm, link, NULL) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		become(path, link);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}
