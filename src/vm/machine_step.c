// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The supervisor's loop: console, control port, monitor and the end of QEMU.
#include "vm/machine_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/info.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 16384

enum { ON_INTERRUPT, ON_QEMU, ON_ERRORS, ON_MONITOR, ON_CONSOLE, ON_CONTROL, ON_INPUT, ON_COUNT };

static void close_port(int *fd)
{
	close(*fd);
	*fd = -1;
}

// Read from a port. 0: it is closed now, or there was nothing.
static size_t read_port(int *fd, char *chunk, size_t size)
{
	ssize_t n = read(*fd, chunk, size);

	if (n > 0)
		return (size_t)n;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_port(fd);
	return 0;
}

static void serve_console(struct gb_machine *m)
{
	char chunk[CHUNK];
	size_t n = read_port(&m->console_fd, chunk, sizeof(chunk));

	gb_console_write(&m->console, chunk, n);
}

static void serve_input(struct gb_machine *m)
{
	char chunk[GB_CONTROL_WINDOW];
	ssize_t n = read(m->input_fd, chunk, gb_control_room(&m->control));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		m->input_ended = true;
	gb_control_send(&m->control, chunk, n > 0 ? (size_t)n : 0, &m->to_guest);
}

static void push_to_guest(struct gb_machine *m)
{
	ssize_t n =
		send(m->control_fd, m->to_guest.data, m->to_guest.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		close_port(&m->control_fd);
	if (n <= 0)
		return;
	memmove(m->to_guest.data, m->to_guest.data + n, m->to_guest.len - (size_t)n);
	m->to_guest.len -= (size_t)n;
}

static int on_ready(struct gb_machine *m, struct gb_error *err)
{
	m->info.boot_ns = gb_clock_ns() - m->exec_ns;
	return gb_info_write(&m->info, err);
}

// What the control port told since the last call. 1: *ret is set.
static int tell(struct gb_machine *m, enum gb_step *ret, struct gb_error *err)
{
	if (m->control.ready && !m->ready_told) {
		int r = on_ready(m, err);

		m->ready_told = true;
		*ret = GB_STEP_READY;
		return r == 0 ? 1 : r;
	}
	if (m->control.failed && !m->failed_told) {
		m->failed_told = true;
		*ret = GB_STEP_FAILED;
		return 1;
	}
	if (m->control.unwanted && !m->unwanted_told) {
		m->unwanted_told = true;
		*ret = GB_STEP_UNWANTED;
		return 1;
	}
	if (m->control.ended && !m->ended_told) {
		m->ended_told = true;
		*ret = GB_STEP_COMMAND_ENDED;
		return 1;
	}
	return 0;
}

static int serve_control(struct gb_machine *m, enum gb_step *ret, struct gb_error *err)
{
	char chunk[CHUNK];
	size_t n = read_port(&m->control_fd, chunk, sizeof(chunk));

	if (gb_control_feed(&m->control, chunk, n, NULL) == 0)
		return tell(m, ret, err);
	close_port(&m->control_fd);
	*ret = GB_STEP_BROKEN;
	return 1;
}

static void serve_monitor(struct gb_machine *m)
{
	// The end of QEMU is seen by its pidfd; a monitor that broke is of no use any more.
	if (gb_qmp_pump(m->qmp, NULL) == 0) {
		json_t *event;

		while ((event = gb_qmp_event(m->qmp)))
			json_decref(event);
		return;
	}
	gb_qmp_close(m->qmp);
	m->qmp = NULL;
}

static void fill_poll(const struct gb_machine *m, struct pollfd p[ON_COUNT])
{
	bool wants_input = m->control_fd >= 0 && m->input_fd >= 0 && !m->input_ended &&
			   m->to_guest.len == 0 && gb_control_room(&m->control) > 0;

	p[ON_INTERRUPT] = (struct pollfd){.fd = m->interrupt_fd, .events = POLLIN};
	p[ON_QEMU] = (struct pollfd){.fd = m->pidfd, .events = POLLIN};
	p[ON_ERRORS] = (struct pollfd){.fd = m->errors_fd, .events = POLLIN};
	p[ON_MONITOR] = (struct pollfd){.fd = m->qmp ? gb_qmp_fd(m->qmp) : -1, .events = POLLIN};
	p[ON_CONSOLE] = (struct pollfd){.fd = m->console_fd, .events = POLLIN};
	p[ON_CONTROL] =
		(struct pollfd){.fd = m->control_fd,
				.events = (short)(m->to_guest.len ? POLLIN | POLLOUT : POLLIN)};
	p[ON_INPUT] = (struct pollfd){.fd = wants_input ? m->input_fd : -1, .events = POLLIN};
}

// 1: *ret is set.
static int serve(struct gb_machine *m, const struct pollfd p[ON_COUNT], enum gb_step *ret,
		 struct gb_error *err)
{
	if (p[ON_INTERRUPT].revents) {
		*ret = GB_STEP_INTERRUPT;
		return 1;
	}
	if (p[ON_ERRORS].revents)
		gb_machine_take_words(m);
	if (p[ON_MONITOR].revents)
		serve_monitor(m);
	if (p[ON_CONSOLE].revents)
		serve_console(m);
	if (p[ON_INPUT].revents)
		serve_input(m);
	if (p[ON_CONTROL].revents & POLLOUT)
		push_to_guest(m);
	if (m->control_fd >= 0 && p[ON_CONTROL].revents & ~POLLOUT)
		return serve_control(m, ret, err);
	// Last, when nothing that QEMU still had to say is left in its ports.
	if (p[ON_QEMU].revents && !p[ON_CONSOLE].revents && gb_machine_reap(m)) {
		*ret = GB_STEP_ENDED;
		return 1;
	}
	return 0;
}

int gb_machine_step(struct gb_machine *m, uint64_t deadline, enum gb_step *ret,
		    struct gb_error *err)
{
	for (;;) {
		struct pollfd p[ON_COUNT];
		uint64_t now = gb_clock_ns();
		int n, r = tell(m, ret, err);

		if (r != 0)
			return r < 0 ? r : 0;
		fill_poll(m, p);
		n = poll(p, ON_COUNT,
			 !deadline        ? -1
			 : now < deadline ? (int)((deadline - now) / GB_MS) + 1
					  : 0);
		if (n < 0 && errno != EINTR)
			return gb_fail_os(err, "cannot wait for the guest");
		if (n == 0 && gb_clock_ns() >= deadline) {
			*ret = GB_STEP_TIMEOUT;
			return 0;
		}
		r = n > 0 ? serve(m, p, ret, err) : 0;
		if (r != 0)
			return r < 0 ? r : 0;
	}
}
