// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// QMP, QEMU's control protocol.
#include "vm/qmp.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

// `info mtree -f` of a large machine is some 100 KiB.
#define LINE_MAX_BYTES ((size_t)8 << 20)
#define EVENTS_MAX 256
// Lines that are neither an event nor an answer of ours, before the peer is given up.
#define STRAY_MAX 64

struct gb_qmp {
	int fd;
	int timeout_ms;
	uint64_t next_id;
	struct gb_buf in;
	size_t scanned; // of in, without a newline
	json_t *events[EVENTS_MAX];
	size_t first_event, event_count;
	uint64_t lost_events;
};

static int wait_for(struct gb_qmp *q, short what, uint64_t deadline, struct gb_error *err)
{
	struct pollfd p = {.fd = q->fd, .events = what};

	for (;;) {
		uint64_t now = gb_clock_ns();
		int n = poll(&p, 1, now < deadline ? (int)((deadline - now) / GB_MS) + 1 : 0);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return gb_fail_os(err, "cannot wait for QEMU");
		if (n == 0 && gb_clock_ns() >= deadline)
			return gb_fail(err, GB_ETIMEOUT, "QEMU did not answer within %d ms",
				       q->timeout_ms);
	}
}

static int gone(struct gb_error *err)
{
	return gb_fail(err, GB_EGONE, "QEMU closed its monitor: it has ended or is ending");
}

// Read what is there. 1: something came; 0: nothing yet; GB_EGONE.
static int receive(struct gb_qmp *q, struct gb_error *err)
{
	char chunk[16384];
	ssize_t n = recv(q->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return gone(err);
	if (n < 0)
		return gb_fail_os(err, "cannot read from QEMU's monitor");
	if (q->in.len + (size_t)n > LINE_MAX_BYTES)
		return gb_fail(err, GB_EFORMAT, "QEMU's monitor sent a line of more than %zu bytes",
			       LINE_MAX_BYTES);
	gb_buf_add(&q->in, chunk, (size_t)n);
	return gb_buf_failed(&q->in) ? gb_fail(err, GB_ENOMEM, "no memory for QEMU's answer") : 1;
}

// Take one whole line out of the buffer as JSON. 1: taken; 0: no whole line yet.
static int take_line(struct gb_qmp *q, json_t **ret, struct gb_error *err)
{
	char *start = q->in.data, *newline;
	json_t *v;
	size_t len;

	newline = q->in.len > q->scanned ? memchr(start + q->scanned, '\n', q->in.len - q->scanned)
					 : NULL;
	q->scanned = q->in.len;
	if (!newline)
		return 0;
	len = (size_t)(newline - start);
	v = json_loadb(start, len, 0, NULL);
	memmove(start, newline + 1, q->in.len - len - 1);
	q->in.len -= len + 1;
	q->scanned = 0;
	if (!json_is_object(v)) {
		json_decref(v);
		return gb_fail(err, GB_EFORMAT,
			       "this is no QMP socket: it sent something else than "
			       "JSON objects");
	}
	*ret = v;
	return 1;
}

static void keep_event(struct gb_qmp *q, json_t *event)
{
	if (q->event_count == EVENTS_MAX) {
		json_decref(gb_qmp_event(q));
		q->lost_events++;
	}
	q->events[(q->first_event + q->event_count++) % EVENTS_MAX] = event;
}

static uint64_t deadline_of(const struct gb_qmp *q)
{
	return gb_clock_ns() + (uint64_t)q->timeout_ms * GB_MS;
}

// The next message that is no event, before the deadline. 1: there is one; with a deadline of 0
// (take in only): 0 when nothing is left.
static int next_message(struct gb_qmp *q, uint64_t deadline, json_t **ret, struct gb_error *err)
{
	// a QEMU that a guest broke out into may never stop talking
	uint64_t flood = deadline ? deadline : deadline_of(q);

	for (;;) {
		json_t *v = NULL;
		int r = take_line(q, &v, err);

		if (r < 0)
			return r;
		if (r > 0 && json_object_get(v, "event")) {
			keep_event(q, v);
			if (gb_clock_ns() < flood)
				continue;
			return gb_fail(err, GB_ETIMEOUT, "QEMU sends events without end");
		}
		if (r > 0) {
			*ret = v;
			return 1;
		}
		r = receive(q, err);
		if (r == 0 && deadline == 0)
			return 0;
		if (r == 0)
			r = wait_for(q, POLLIN, deadline, err);
		if (r < 0)
			return r;
	}
}

static int send_text(struct gb_qmp *q, const char *text, size_t len, struct gb_error *err)
{
	uint64_t deadline = deadline_of(q);

	while (len) {
		ssize_t n = send(q->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r = 0;

		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return gone(err);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return gb_fail_os(err, "cannot write to QEMU's monitor");
		if (n < 0)
			r = wait_for(q, POLLOUT, deadline, err);
		if (r != 0)
			return r;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int send_command(struct gb_qmp *q, const char *command, json_t *arguments, uint64_t id,
			struct gb_error *err)
{
	json_t *v = json_pack("{s:s,s:I}", "execute", command, "id", (json_int_t)id);
	char *text;
	int r;

	if (v && arguments)
		json_object_set(v, "arguments", arguments);
	text = v ? json_dumps(v, JSON_COMPACT) : NULL;
	json_decref(v);
	if (!text)
		return gb_fail(err, GB_ENOMEM, "no memory for a command to QEMU");
	r = send_text(q, text, strlen(text), err);
	if (r == 0)
		r = send_text(q, "\n", 1, err);
	free(text);
	return r;
}

static int take_answer(const json_t *answer, const char *command, json_t **ret,
		       struct gb_error *err)
{
	const json_t *refused = json_object_get(answer, "error");
	const char *words = json_string_value(json_object_get(refused, "desc"));
	json_t *value = json_object_get(answer, "return");

	if (refused)
		return gb_fail(err, GB_EBUSY, "QEMU refused '%s': %s", command, words ? words : "");
	if (!value)
		return gb_fail(err, GB_EFORMAT, "QEMU's answer to '%s' is not understood", command);
	if (ret)
		*ret = json_incref(value);
	return 0;
}

int gb_qmp_execute(struct gb_qmp *q, const char *command, json_t *arguments, json_t **ret,
		   struct gb_error *err)
{
	uint64_t id = ++q->next_id, deadline;
	int r = send_command(q, command, arguments, id, err);

	json_decref(arguments);
	if (r != 0)
		return r;
	deadline = deadline_of(q);
	for (int stray = 0; stray < STRAY_MAX; stray++) {
		json_t *answer = NULL;

		r = next_message(q, deadline, &answer, err);
		if (r < 0)
			return r;
		if (json_integer_value(json_object_get(answer, "id")) == (json_int_t)id) {
			r = take_answer(answer, command, ret, err);
			json_decref(answer);
			return r;
		}
		json_decref(answer);
	}
	return gb_fail(err, GB_EFORMAT, "QEMU's monitor answers what was not asked");
}

int gb_qmp_tell(struct gb_qmp *q, const char *command, struct gb_error *err)
{
	return send_command(q, command, NULL, ++q->next_id, err);
}

int gb_qmp_hmp(struct gb_qmp *q, const char *line, char **ret, struct gb_error *err)
{
	json_t *value = NULL;
	int r = gb_qmp_execute(q, "human-monitor-command", json_pack("{s:s}", "command-line", line),
			       &value, err);
	const char *text = json_string_value(value);
	char *copy = text ? strdup(text) : NULL;

	json_decref(value);
	if (r != 0)
		return r;
	if (!text)
		return gb_fail(err, GB_EFORMAT, "QEMU's answer to '%s' is no text", line);
	if (!copy)
		return gb_fail(err, GB_ENOMEM, "no memory for QEMU's answer");
	*ret = copy;
	return 0;
}

int gb_qmp_pump(struct gb_qmp *q, struct gb_error *err)
{
	for (int stray = 0; stray < STRAY_MAX; stray++) {
		json_t *unasked = NULL;
		int r = next_message(q, 0, &unasked, err);

		json_decref(unasked);
		if (r <= 0)
			return r;
	}
	return gb_fail(err, GB_EFORMAT, "QEMU's monitor answers what was not asked");
}

json_t *gb_qmp_event(struct gb_qmp *q)
{
	json_t *event;

	if (!q->event_count)
		return NULL;
	event = q->events[q->first_event];
	q->first_event = (q->first_event + 1) % EVENTS_MAX;
	q->event_count--;
	return event;
}

uint64_t gb_qmp_lost_events(const struct gb_qmp *q)
{
	return q->lost_events;
}

int gb_qmp_fd(const struct gb_qmp *q)
{
	return q->fd;
}

static int shake_hands(struct gb_qmp *q, struct gb_error *err)
{
	json_t *greeting = NULL;
	int r = next_message(q, deadline_of(q), &greeting, err);
	bool good = r > 0 && json_is_object(json_object_get(greeting, "QMP"));

	json_decref(greeting);
	if (r == GB_ETIMEOUT)
		return gb_fail(
			err, GB_EBUSY,
			"QEMU's monitor gave no greeting within %d ms: another client uses it",
			q->timeout_ms);
	if (r < 0)
		return r;
	if (!good)
		return gb_fail(err, GB_EFORMAT, "this is no QMP socket: it gave no greeting");
	return gb_qmp_execute(q, "qmp_capabilities", NULL, NULL, err);
}

int gb_qmp_adopt(int fd, int timeout_ms, struct gb_qmp **ret, struct gb_error *err)
{
	struct gb_qmp *q = calloc(1, sizeof(*q));
	int r;

	if (!q) {
		close(fd);
		return gb_fail(err, GB_ENOMEM, "no memory for a QMP session");
	}
	q->fd = fd;
	q->timeout_ms = timeout_ms;
	r = shake_hands(q, err);
	if (r != 0) {
		gb_qmp_close(q);
		return r;
	}
	*ret = q;
	return 0;
}

int gb_qmp_connect(const char *path, int timeout_ms, struct gb_qmp **ret, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (!*path)
		return gb_fail(
			err, GB_EBUSY,
			"another program holds the only monitor of this QEMU: pause and resume "
			"the guest there (libvirt: virsh suspend, virsh resume)");
	if (fd < 0)
		return gb_fail_os(err, "cannot make a socket");
	if (strlen(path) >= sizeof(addr.sun_path))
		return gb_fail(err, GB_ERANGE, "%s: too long for the path of a socket", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		if (errno == ENOENT)
			return gb_fail(err, GB_ENOTFOUND, "%s: no such socket", path);
		if (errno == ECONNREFUSED)
			return gb_fail(err, GB_EGONE, "%s: nobody serves this socket", path);
		return gb_fail_os(err, "cannot connect to %s", path);
	}
	return gb_qmp_adopt(gb_steal_fd(&fd), timeout_ms, ret, err);
}

void gb_qmp_close(struct gb_qmp *q)
{
	json_t *event;

	if (!q)
		return;
	while ((event = gb_qmp_event(q)))
		json_decref(event);
	gb_buf_deinit(&q->in);
	close(q->fd);
	free(q);
}

void gb_qmp_cleanup(struct gb_qmp **q)
{
	gb_qmp_close(*q);
}
