// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The control port: frames between the host and one command.

#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_WORDS 256

static void put(struct gb_control *c, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (c->port >= 0 && len > 0) {
		ssize_t n = write(c->port, p, len);

		if (n < 0 && errno != EINTR) {
			close(c->port);
			c->port = -1;
		} else if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

static void put_frame(struct gb_control *c, char type, size_t number, const void *bytes, size_t len)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "%c %zu\n", type, number);

	put(c, head, (size_t)n);
	put(c, bytes, len);
}

// The device file is there with or without a port behind it; a port that is not has no type.
static int open_port(void)
{
	struct serial_struct serial = {0};
	struct termios tio;
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (ioctl(fd, TIOCGSERIAL, &serial) < 0 || serial.type == PORT_UNKNOWN ||
	    tcgetattr(fd, &tio) < 0) {
		close(fd);
		return -1;
	}
	cfmakeraw(&tio);
	tio.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&tio, B115200);
	tcsetattr(fd, TCSANOW, &tio);
	fcntl(fd, F_SETFL, O_RDWR);
	return fd;
}

void gb_control_open(struct gb_control *c, bool up)
{
	const char *line = up ? "GLASSBOX-READY\n" : "GLASSBOX-FAILED\n";

	*c = (struct gb_control){.port = open_port(),
				 .signals = -1,
				 .in = -1,
				 .out = -1,
				 .err = -1};
	if (c->port >= 0)
		put(c, line, strlen(line));
	else
		fputs(line, stderr);
}

static int read_words(const char *path, char *buffer, size_t size, char **words)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int n = 0;

	if (fd < 0)
		return 0;
	ssize_t len = read(fd, buffer, size - 1);
	close(fd);
	for (char *p = buffer; len > 0 && p < buffer + len && n < MAX_WORDS; p += strlen(p) + 1)
		words[n++] = p;
	words[n] = NULL;
	return n;
}

static _Noreturn void exec_command(char **words, const int *pipes)
{
	sigset_t none;

	setsid();
	for (int i = 0; i < 3; i++)
		dup2(pipes[i], i);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
	if (chdir("/root") == 0)
		execvp(words[0], words);
	fprintf(stderr, "glassbox: cannot run %s: %s\n", words[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int make_pipes(int theirs[3], int ours[3])
{
	for (int i = 0; i < 3; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return -1;
		theirs[i] = ends[i != 0];
		ours[i] = ends[i == 0];
		fcntl(ours[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

void gb_control_run(struct gb_control *c, const char *path)
{
	static char buffer[65536];
	char *words[MAX_WORDS + 1];
	int theirs[3], ours[3];

	if (c->port < 0 || read_words(path, buffer, sizeof(buffer), words) == 0)
		return;
	if (make_pipes(theirs, ours) == 0)
		c->command = fork();
	if (c->command == 0)
		exec_command(words, theirs);
	for (int i = 0; i < 3; i++)
		close(theirs[i]);
	c->in = ours[0];
	c->out = ours[1];
	c->err = ours[2];
}

// Passes on what the command wrote; returns whether there may be more at once.
static bool drain(struct gb_control *c, int *fd, char type)
{
	char bytes[4096];
	ssize_t n = *fd < 0 ? 0 : read(*fd, bytes, sizeof(bytes));

	if (n > 0) {
		put_frame(c, type, (size_t)n, bytes, (size_t)n);
		return true;
	}
	if (*fd >= 0 && (n == 0 || errno != EAGAIN)) {
		close(*fd);
		*fd = -1;
	}
	return false;
}

void gb_control_child(struct gb_control *c, pid_t pid, int status)
{
	if (pid != c->command)
		return;
	while (drain(c, &c->out, 'o'))
		;
	while (drain(c, &c->err, 'e'))
		;
	int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);

	put_frame(c, 'x', (size_t)code, NULL, 0);
	c->command = 0;
}

static void give_input(struct gb_control *c)
{
	ssize_t n = c->in < 0 ? -1 : write(c->in, c->input, c->input_len);

	if (n < 0 && errno == EAGAIN)
		return;
	// A command that closed its input lets the host go on as if it had read it all.
	size_t taken = n < 0 ? c->input_len : (size_t)n;

	memmove(c->input, c->input + taken, c->input_len - taken);
	c->input_len -= taken;
	if (taken > 0)
		put_frame(c, 'a', taken, NULL, 0);
}

static void end_of_input(struct gb_control *c)
{
	if (c->in >= 0 && c->input_ends && c->input_len == 0) {
		close(c->in);
		c->in = -1;
	}
}

static void take_frame(struct gb_control *c)
{
	char type;
	unsigned number;

	c->line[c->line_len] = '\0';
	c->line_len = 0;
	if (sscanf(c->line, "%c %u", &type, &number) != 2)
		return;
	if (type == 'i' && number == 0)
		c->input_ends = true;
	else if (type == 'i')
		c->input_left = number;
	else if (type == 's' && c->command > 0)
		kill(-c->command, (int)number);
}

static void take_byte(struct gb_control *c, char byte)
{
	if (c->input_left > 0) {
		c->input_left--;
		// More than the window: the host broke the protocol, and the byte is lost.
		if (c->input_len < sizeof(c->input))
			c->input[c->input_len++] = byte;
	} else if (byte == '\n') {
		take_frame(c);
	} else if (c->line_len < sizeof(c->line) - 1) {
		c->line[c->line_len++] = byte;
	}
}

static void take_from_host(struct gb_control *c)
{
	char bytes[512];
	ssize_t n = read(c->port, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < n; i++)
		take_byte(c, bytes[i]);
	if (n <= 0 && errno != EINTR && errno != EAGAIN) {
		close(c->port);
		c->port = -1;
	}
}

int gb_control_wait(struct gb_control *c, const sigset_t *set)
{
	struct signalfd_siginfo info;

	if (c->signals < 0)
		c->signals = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	struct pollfd fds[] = {
		{.fd = c->signals, .events = POLLIN},
		{.fd = c->port, .events = POLLIN},
		{.fd = c->out, .events = POLLIN},
		{.fd = c->err, .events = POLLIN},
		{.fd = c->input_len > 0 ? c->in : -1, .events = POLLOUT},
	};

	if (poll(fds, sizeof(fds) / sizeof(*fds), -1) < 0)
		return 0;
	if (fds[1].revents)
		take_from_host(c);
	if (fds[2].revents)
		drain(c, &c->out, 'o');
	if (fds[3].revents)
		drain(c, &c->err, 'e');
	if (c->input_len > 0)
		give_input(c);
	end_of_input(c);
	if (fds[0].revents && read(c->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		return (int)info.ssi_signo;
	return 0;
}
