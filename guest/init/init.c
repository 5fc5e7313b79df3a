// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// PID 1 of the built-in guests: devices, network, services, then the control port (protocol in
// control.h).
//
// A shell script would do the same with some twenty processes more, each of which costs 5 ms under
// TCG. Words of the kernel's command line: glassbox.services=no (only a shell), glassbox.net=no.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/random.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "net.h"

#define READY_TIMEOUT_MS 20000
#define MAX_WORDS 8

struct service {
	const char *path;
	const char *command; // argv in words, without quotes
	const char *home;    // of its user
	uid_t uid;
	bool on_console; // gets the console as its terminal, and is started again when it ends
	pid_t pid;
};

// Everything runs in the foreground as a child of PID 1, so that the process tree says what it is.
static struct service services[] = {
	{.path = "/bin/syslogd", .command = "syslogd -n", .home = "/root"},
	{.path = "/bin/klogd", .command = "klogd -n", .home = "/root"},
	{.path = "/usr/sbin/dropbear", .command = "dropbear -F -s", .home = "/root"},
	{.path = "/bin/httpd", .command = "httpd -f -h /srv/www", .home = "/srv/www"},
	{.path = "/bin/crond", .command = "crond -f -S", .home = "/root"},
	{.path = "/bin/sh",
	 .command = "sh /home/alice/journal",
	 .home = "/home/alice",
	 .uid = 1000},
};

static struct service shell = {
	.path = "/bin/sh",
	.command = "-sh",
	.home = "/root",
	.on_console = true,
};

static bool with_services = true;
static bool with_net = true;

static void warn(const char *what)
{
	fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
}

static void mount_all(void)
{
	static const struct {
		const char *type, *where, *options;
	} mounts[] = {
		{"proc", "/proc", NULL},
		{"sysfs", "/sys", NULL},
		{"devtmpfs", "/dev", "mode=755"},
		{"devpts", "/dev/pts", "gid=5,mode=620"},
		{"tmpfs", "/dev/shm", "mode=1777"},
		{"tmpfs", "/run", "mode=755"},
		{"tmpfs", "/tmp", "mode=1777"},
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i].where, 0755);
		// The kernel may have mounted /dev itself already.
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, MS_NOSUID,
			  mounts[i].options) < 0 &&
		    errno != EBUSY)
			warn(mounts[i].where);
	}
	for (int i = 0; i < 4; i++) {
		static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
						       {"/proc/self/fd/0", "/dev/stdin"},
						       {"/proc/self/fd/1", "/dev/stdout"},
						       {"/proc/self/fd/2", "/dev/stderr"}};

		if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST)
			warn(links[i][1]);
	}
}

static void read_command_line(void)
{
	char line[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		warn("/proc/cmdline");
	close(fd);
	for (char *save, *word = strtok_r(line, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		if (!strcmp(word, "glassbox.services=no"))
			with_services = false;
		else if (!strcmp(word, "glassbox.net=no"))
			with_net = false;
	}
}

// Loads the modules that /etc/glassbox/modules names, one path a line, in that order.
static void load_modules(void)
{
	char path[PATH_MAX];
	FILE *list = fopen("/etc/glassbox/modules", "re");

	if (!list)
		return;
	while (fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = '\0';
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			warn(path);
		close(fd);
	}
	fclose(list);
}

// The host put random bytes into the initramfs of this one run: without them the first reader of
// /dev/urandom waits until the kernel has gathered enough.
static void seed_random(void)
{
	// struct rand_pool_info with its bytes
	struct {
		int entropy_count, buf_size;
		unsigned char bytes[256];
	} seed = {0};
	int from = open("/etc/glassbox/seed", O_RDONLY | O_CLOEXEC);

	if (from < 0)
		return;
	ssize_t n = read(from, seed.bytes, sizeof(seed.bytes));
	int to = open("/dev/random", O_WRONLY | O_CLOEXEC);

	if (n > 0 && to >= 0) {
		seed.entropy_count = (int)n * 8;
		seed.buf_size = (int)n;
		if (ioctl(to, RNDADDENTROPY, &seed) < 0)
			warn("/dev/random");
	}
	close(to);
	close(from);
	unlink("/etc/glassbox/seed");
}

static void set_hostname(void)
{
	char name[65] = "";
	int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, name, sizeof(name) - 1) > 0) {
		name[strcspn(name, "\n")] = '\0';
		if (sethostname(name, strlen(name)) < 0)
			warn("hostname");
	}
	close(fd);
}

static void become(const struct service *s)
{
	setsid();
	if (s->on_console) {
		int fd = open("/dev/console", O_RDWR | O_NOCTTY);

		for (int i = 0; i < 3; i++)
			dup2(fd, i);
		if (fd > 2)
			close(fd);
		ioctl(0, TIOCSCTTY, 1);
	}
	if (s->uid && (setgid(s->uid) < 0 || setuid(s->uid) < 0))
		_exit(126);
	setenv("HOME", s->home, 1);
	setenv("USER", s->uid ? "alice" : "root", 1);
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
	setenv("TERM", "vt100", 1);
	if (chdir(s->home) < 0)
		_exit(126);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	char *words[MAX_WORDS + 1] = {NULL};
	char *save, *rest = strdup(s->command);

	if (!rest)
		_exit(126);
	for (int i = 0; i < MAX_WORDS && (words[i] = strtok_r(rest, " ", &save)); i++)
		rest = NULL;
	execv(s->path, words);
	_exit(127);
}

static void start(struct service *s)
{
	s->pid = fork();
	if (s->pid == 0)
		become(s);
	if (s->pid < 0)
		warn(s->path);
}

// Services are up when ssh and http listen and syslogd has made its socket.
static bool services_ready(void)
{
	return access("/dev/log", F_OK) == 0 &&
	       (!with_net || (gb_net_listens(22) && gb_net_listens(80)));
}

static bool wait_for_services(void)
{
	struct timespec nap = {.tv_nsec = 1000000};

	for (int ms = 0; !services_ready(); ms++) {
		if (ms >= READY_TIMEOUT_MS)
			return false;
		nanosleep(&nap, NULL);
	}
	return true;
}

// busybox poweroff, halt and reboot speak to PID 1 by these signals.
static void finish(int signal)
{
	int how = signal == SIGTERM   ? RB_AUTOBOOT
		  : signal == SIGUSR1 ? RB_HALT_SYSTEM
				      : RB_POWER_OFF;

	// Nothing can switch a machine without ACPI off, and the kernel would halt it instead: a
	// reboot ends QEMU, which runs with -no-reboot.
	if (how == RB_POWER_OFF && access("/sys/firmware/acpi", F_OK) < 0)
		how = RB_AUTOBOOT;
	kill(-1, SIGTERM);
	sync();
	reboot(how);
}

static void reap(struct gb_control *control)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		gb_control_child(control, pid, status);
		if (pid == shell.pid)
			start(&shell);
	}
}

static sigset_t block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return set;
}

static _Noreturn void serve(struct gb_control *control, sigset_t set)
{
	for (;;) {
		int caught = gb_control_wait(control, &set);

		if (caught == SIGCHLD)
			reap(control);
		else if (caught > 0)
			finish(caught);
	}
}

int main(void)
{
	static struct gb_control control;

	mount_all();
	read_command_line();
	sigset_t set = block_signals();
	seed_random();
	set_hostname();
	load_modules();
	gb_net_up("lo", NULL, NULL);
	// A guest without a network card is one too.
	if (with_net && gb_net_up("eth0", "10.0.2.15", "10.0.2.2") < 0)
		with_net = false;
	bool up = true;
	if (with_services) {
		for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
			start(&services[i]);
		up = wait_for_services();
	}
	gb_control_open(&control, up);
	start(&shell);
	gb_control_run(&control, "/etc/glassbox/run");
	serve(&control, set);
}
