// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of the QMP client against peers that behave and peers that do not.
#include "vm/qmp.h"

#include "base/buf.h"
#include "base/file.h"
#include "tests/tap.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define READY GREETING "{\"return\": {}, \"id\": 1}\r\n"

// A peer that sends its bytes at once and then reads until the client goes, or hangs up.
struct peer {
	int fd;
	struct gb_buf bytes;
	bool hang_up;
	pthread_t thread;
	int client_fd;
	char heard[4096];
	size_t heard_len;
};

static void *serve(void *arg)
{
	struct peer *p = arg;
	ssize_t n;

	// The client may have had enough before the end of a hostile answer.
	for (size_t done = 0; done < p->bytes.len; done += (size_t)n) {
		n = send(p->fd, p->bytes.data + done, p->bytes.len - done, MSG_NOSIGNAL);
		if (n < 0)
			break;
	}
	if (p->hang_up)
		shutdown(p->fd, SHUT_WR);
	while ((n = read(p->fd, p->heard + p->heard_len, sizeof(p->heard) - 1 - p->heard_len)) > 0)
		p->heard_len += (size_t)n;
	close(p->fd);
	return NULL;
}

static void peer_start(struct peer *p, const char *bytes)
{
	int ends[2];

	gb_buf_add_str(&p->bytes, bytes);
	gb_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	p->fd = ends[0];
	p->client_fd = ends[1];
	gb_assert(pthread_create(&p->thread, NULL, serve, p) == 0);
}

static void peer_end(struct peer *p, struct gb_qmp *q)
{
	gb_qmp_close(q);
	pthread_join(p->thread, NULL);
	gb_buf_deinit(&p->bytes);
}

static void asks_and_hears(void)
{
	struct peer p = {};
	struct gb_error err = {};
	struct gb_qmp *q = NULL;
	json_t *v = NULL, *event;

	peer_start(&p, READY "{\"event\": \"STOP\", \"data\": {}}\r\n"
			     "{\"return\": {\"status\": \"paused\"}, \"id\": 2}\r\n"
			     "{\"event\": \"RESUME\"}\r\n");
	REQUIRE_OK(gb_qmp_adopt(p.client_fd, 2000, &q, &err), err);
	CHECK_OK(gb_qmp_execute(q, "query-status", json_pack("{s:i}", "a", 1), &v, &err), err);
	CHECK_STR(json_string_value(json_object_get(v, "status")), "paused");
	json_decref(v);
	CHECK_OK(gb_qmp_pump(q, &err), err);
	event = gb_qmp_event(q);
	CHECK_STR(json_string_value(json_object_get(event, "event")), "STOP");
	json_decref(event);
	event = gb_qmp_event(q);
	CHECK_STR(json_string_value(json_object_get(event, "event")), "RESUME");
	json_decref(event);
	CHECK(!gb_qmp_event(q));
	CHECK_OK(gb_qmp_tell(q, "quit", &err), err);
	peer_end(&p, q);
	CHECK(strstr(p.heard, "{\"execute\":\"quit\",\"id\":3}\n"));
	CHECK(strstr(p.heard, "{\"execute\":\"query-status\",\"id\":2,\"arguments\":{\"a\":1}}\n"));
}

static void refusals_are_told(void)
{
	struct peer p = {};
	struct gb_error err = {};
	struct gb_qmp *q = NULL;
	json_t *v = NULL;

	peer_start(&p, READY
		   "{\"error\": {\"class\": \"GenericError\", \"desc\": \"not now\"}, \"id\": 2}\n"
		   "{\"return\": {}, \"id\": 3}\n");
	REQUIRE_OK(gb_qmp_adopt(p.client_fd, 2000, &q, &err), err);
	CHECK_EQ(gb_qmp_execute(q, "cont", NULL, &v, &err), GB_EBUSY);
	CHECK(strstr(err.message, "not now"));
	CHECK(!v);
	// The session lives on.
	CHECK_OK(gb_qmp_execute(q, "cont", NULL, NULL, &err), err);
	peer_end(&p, q);
}

static void check_adopt(const char *bytes, bool hang_up, int want, const char *words)
{
	struct peer p = {.hang_up = hang_up};
	struct gb_error err = {};
	struct gb_qmp *q = NULL;

	peer_start(&p, bytes);
	CHECK_EQ(gb_qmp_adopt(p.client_fd, 100, &q, &err), want);
	CHECK(!q);
	if (!strstr(err.message, words))
		tap_fail_("'%s' lacks '%s'", err.message, words);
	peer_end(&p, q);
}

static void strangers_are_refused(void)
{
	check_adopt("", false, GB_EBUSY, "another client");
	check_adopt("", true, GB_EGONE, "closed");
	check_adopt("SSH-2.0-OpenSSH\r\n", false, GB_EFORMAT, "no QMP");
	check_adopt("[]\n", false, GB_EFORMAT, "no QMP");
	check_adopt("{\"hello\": 1}\n", false, GB_EFORMAT, "no greeting");
	check_adopt(GREETING, false, GB_ETIMEOUT, "did not answer");
	check_adopt(GREETING "{\"return\": {}, \"id\"", true, GB_EGONE, "closed");
	check_adopt(GREETING "{\"neither\": {}, \"id\": 1}\n", false, GB_EFORMAT, "not understood");
}

// Deep nesting is jansson's to refuse; the line's length is ours.
static void long_lines_are_refused(void)
{
	struct peer p = {};
	struct gb_error err = {};
	struct gb_qmp *q = NULL;
	char *bytes = malloc(((size_t)9 << 20) + 1);

	REQUIRE(bytes);
	memset(bytes, '[', (size_t)9 << 20);
	bytes[(size_t)9 << 20] = 0;
	peer_start(&p, bytes);
	free(bytes);
	CHECK_EQ(gb_qmp_adopt(p.client_fd, 20000, &q, &err), GB_EFORMAT);
	CHECK(strstr(err.message, "a line of more than"));
	peer_end(&p, q);
}

static void floods_are_bounded(void)
{
	struct gb_buf flood = {};
	struct peer p = {};
	struct gb_error err = {};
	struct gb_qmp *q = NULL;
	json_t *event;
	int n = 0;

	gb_buf_add_str(&flood, READY);
	for (int i = 0; i < 1000; i++)
		gb_buf_printf(&flood, "{\"event\": \"E%d\"}\n", i);
	gb_buf_add_str(&flood, "{\"return\": {}, \"id\": 2}\n");
	for (int i = 0; i < 100; i++)
		gb_buf_add_str(&flood, "{\"return\": {}, \"id\": 99}\n");
	peer_start(&p, flood.data);
	gb_buf_deinit(&flood);
	REQUIRE_OK(gb_qmp_adopt(p.client_fd, 2000, &q, &err), err);
	CHECK_OK(gb_qmp_execute(q, "stop", NULL, NULL, &err), err);
	CHECK_EQ(gb_qmp_lost_events(q), 1000 - 256);
	// The newest are kept.
	while ((event = gb_qmp_event(q))) {
		if (n++ == 0)
			CHECK_STR(json_string_value(json_object_get(event, "event")), "E744");
		json_decref(event);
	}
	CHECK_EQ(n, 256);
	// Answers to what was never asked end the session.
	CHECK_EQ(gb_qmp_execute(q, "stop", NULL, NULL, &err), GB_EFORMAT);
	peer_end(&p, q);
}

static void absent_sockets(void)
{
	struct gb_error err = {};
	struct gb_qmp *q = NULL;
	char path[200];

	CHECK_EQ(gb_qmp_connect("/nonexistent/qmp.sock", 100, &q, &err), GB_ENOTFOUND);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	CHECK_EQ(gb_qmp_connect(path, 100, &q, &err), GB_ERANGE);
}

TAP_MAIN(TAP_CASE(asks_and_hears), TAP_CASE(refusals_are_told), TAP_CASE(strangers_are_refused),
	 TAP_CASE(long_lines_are_refused), TAP_CASE(floods_are_bounded), TAP_CASE(absent_sockets))
