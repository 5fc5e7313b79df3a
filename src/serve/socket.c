// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The control channel's WebSockets.
#include "serve/serve_private.h"

#include "serve/control.h"
#include "serve/roomy.h"

#define TEXT_MAX 4096 // of a message

static bool socket_send(void *conn, const char *text, size_t len)
{
	if (!text)
		return mg_websocket_write(conn, MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE, "\x03\xe9",
					  2) > 0;
	return mg_websocket_write(conn, MG_WEBSOCKET_OPCODE_TEXT, text, len) > 0;
}

// The gate was passed already: civetweb must not look for a password file of its own.
static int on_socket_auth(struct mg_connection *conn, void *arg)
{
	(void)conn;
	(void)arg;
	return 1;
}

static int on_socket_connect(const struct mg_connection *conn, void *arg)
{
	struct gb_serve *s = arg;

	mg_set_user_connection_data(conn, NULL);
	return !gb_serve_enter(&s->sockets, SOCKETS_MAX);
}

// Put c in the place of old: NULL for a free one.
static void list_control(struct gb_serve *s, const struct gb_control *old, struct gb_control *c)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		if (s->controls[i] == old) {
			s->controls[i] = c;
			break;
		}
	}
	pthread_mutex_unlock(&s->lock);
}

void gb_socket_goodbye(struct gb_serve *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (s->controls[i])
			gb_control_goodbye(s->controls[i]);
	pthread_mutex_unlock(&s->lock);
}

static void on_socket_ready(struct mg_connection *conn, void *arg)
{
	struct gb_serve *s = arg;
	struct gb_control *c = NULL;
	struct gb_error err = {};

	if (gb_control_open(&s->api, socket_send, conn, &c, &err) != 0)
		gb_log(s->options.log, GB_LOG_DEBUG, "control: %s", err.message);
	else
		list_control(s, NULL, c);
	mg_set_user_connection_data(conn, c);
}

struct message {
	struct gb_control *control;
	const char *text;
	size_t len;
};

static void receive(void *arg)
{
	const struct message *m = arg;

	gb_control_receive(m->control, m->text, m->len);
}

static int on_socket_data(struct mg_connection *conn, int bits, char *text, size_t len, void *arg)
{
	struct gb_control *c = mg_get_user_connection_data(conn);
	int opcode = bits & 0xf;
	struct message m;

	(void)arg;
	if (!c || opcode == MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE)
		return 0;
	// Whole text messages of a sensible size are all that the protocol has.
	if (opcode != MG_WEBSOCKET_OPCODE_TEXT || !(bits & 0x80) || len > TEXT_MAX)
		return 0;
	m = (struct message){.control = c, .text = text, .len = len};
	return gb_roomy_run(receive, &m, NULL) == 0;
}

static void on_socket_close(const struct mg_connection *conn, void *arg)
{
	struct gb_serve *s = arg;
	struct gb_control *c = mg_get_user_connection_data(conn);

	if (c) {
		list_control(s, c, NULL);
		gb_control_close(c);
	}
	mg_set_user_connection_data(conn, NULL);
	gb_serve_leave(&s->sockets);
}

void gb_socket_install(struct gb_serve *s, const char *path)
{
	mg_set_auth_handler(s->http, path, on_socket_auth, s);
	mg_set_websocket_handler(s->http, path, on_socket_connect, on_socket_ready, on_socket_data,
				 on_socket_close, s);
}
