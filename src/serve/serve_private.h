// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What serve.c (start and stop), http.c (requests) and socket.c (WebSockets) share.
#pragma once

#include "serve/api.h"
#include "serve/files.h"
#include "serve/gate.h"

#include <civetweb.h>
#include <pthread.h>

// Each stream and each WebSocket keeps one of civetweb's threads; the rest answers plain requests.
#define STREAMS_MAX 8
#define SOCKETS_MAX 12
#define THREADS "96"
// How long civetweb waits for a request's head, and in one attempt to write. Short, so that idle
// connections do not keep the threads; a viewer may stall longer (a page that compiles shaders reads
// nothing meanwhile).
#define REQUEST_TIMEOUT_MS 2000
#define STALL_NS (30 * GB_SECOND)

struct gb_serve {
	struct gb_serve_options options;
	struct gb_gate gate;
	bool ready; // the gate knows its port
	struct gb_page_files files;
	struct gb_live *live;
	struct gb_api api;
	struct mg_context *http;
	int streams, sockets; // open ones
	pthread_mutex_t lock; // guards controls[]
	struct gb_control *controls[SOCKETS_MAX];
	char url[96];
	char trouble[200]; // what civetweb said last while it started
	bool stopping;     // gb_serve_stop() was called
	bool stopped;      // and all threads of civetweb ended
};

// civetweb's callbacks.
int gb_http_request(struct mg_connection *conn);
int gb_http_error(struct mg_connection *conn, int status, const char *message);
// The handlers for the upgrade at a path, and for what follows it.
void gb_socket_install(struct gb_serve *s, const char *path);
// Ask all viewers to hang up, while civetweb still sends.
void gb_socket_goodbye(struct gb_serve *s);

// Take one of max places; false if all are taken.
bool gb_serve_enter(int *count, int max);
void gb_serve_leave(int *count);
