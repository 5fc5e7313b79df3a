// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page's server: civetweb, told to do nothing by itself.
//
// Every request ends in gb_http_request(), which answers all of them but the upgrade to a WebSocket; that
// is handed on to handlers of our own. There is no document root, so civetweb's file, CGI, SSI,
// listing and password-file code is never reached. What it refuses itself (a malformed or oversized
// request) goes through gb_http_error(), which sends the same bare 403.
#include "serve/serve_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/data_dir.h"
#include "base/sigmask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

// Take one of max places; false if all are taken.
bool gb_serve_enter(int *count, int max)
{
	if (__atomic_add_fetch(count, 1, __ATOMIC_ACQ_REL) <= max)
		return true;
	__atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL);
	return false;
}

void gb_serve_leave(int *count)
{
	__atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL);
}

static int on_log(const struct mg_connection *conn, const char *message)
{
	struct gb_serve *s = mg_get_user_data(mg_get_context(conn));

	if (!__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE))
		snprintf(s->trouble, sizeof(s->trouble), "%s", message);
	gb_log(s->options.log, GB_LOG_DEBUG, "http: %s", message);
	return 1;
}

// A clear word before civetweb tries the same.
static int check_port(unsigned port, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)port),
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int on = 1;

	if (port > 65535)
		return gb_fail(err, GB_EUSAGE, "a port is 0 to 65535, not %u", port);
	if (fd < 0)
		return gb_fail_os(err, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return 0;
	if (errno == EADDRINUSE)
		return gb_fail(
			err, GB_EBUSY,
			"port %u is in use: name another one with --port, or leave it out for "
			"a free one",
			port);
	if (errno == EACCES)
		return gb_fail(err, GB_ELACKS, "port %u is reserved: take one above 1023", port);
	return gb_fail_os(err, "cannot listen on 127.0.0.1:%u", port);
}

static int start_http(struct gb_serve *s, unsigned port, struct gb_error *err)
{
	char listen_on[32], request_timeout[16];
	const char *settings[] = {"listening_ports",
				  listen_on,
				  "access_control_list",
				  "-0.0.0.0/0,+127.0.0.0/8",
				  "num_threads",
				  THREADS,
				  "connection_queue",
				  "64",
				  "max_request_size",
				  "8192",
				  "request_timeout_ms",
				  request_timeout,
				  "websocket_timeout_ms",
				  "10000",
				  "enable_websocket_ping_pong",
				  "yes",
				  "tcp_nodelay",
				  "1",
				  "enable_keep_alive",
				  "no",
				  "enable_directory_listing",
				  "no",
				  "decode_url",
				  "no",
				  NULL};
	const struct mg_callbacks callbacks = {.begin_request = gb_http_request,
					       .http_error = gb_http_error,
					       .log_message = on_log};
	sigset_t old;

	snprintf(request_timeout, sizeof(request_timeout), "%d", REQUEST_TIMEOUT_MS);
	snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%u", port);
	gb_sigmask_block(&old);
	s->http = mg_start(&callbacks, s, settings);
	gb_sigmask_restore(&old);
	return s->http ? 0 : gb_fail(err, GB_EOS, "cannot start the server: %s", s->trouble);
}

static int open_gate(struct gb_serve *s, struct gb_error *err)
{
	struct mg_server_port port = {};
	char path[GB_GATE_TOKEN_LEN + 8];

	if (mg_get_server_ports(s->http, 1, &port) != 1)
		return gb_fail(err, GB_EBUG, "the server does not know its port");
	s->gate.port = (unsigned)port.port;
	snprintf(path, sizeof(path), "/%s/ws", s->gate.token);
	gb_socket_install(s, path);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/%s/", s->gate.port, s->gate.token);
	__atomic_store_n(&s->ready, true, __ATOMIC_RELEASE);
	return 0;
}

static int start(struct gb_serve *s, struct gb_error *err)
{
	const struct gb_serve_options *o = &s->options;
	struct gb_live_options live = {.ram = o->ram,
				       .kernel = o->kernel,
				       .unknown = o->unknown,
				       .vm = o->vm,
				       .guest_cpus = o->guest_cpus,
				       .log = o->log};
	char dir[PATH_MAX];
	int r = o->port ? check_port(o->port, err) : 0;

	if (r == 0 && !o->data_dir)
		r = gb_data_dir(dir, err);
	if (r == 0)
		r = gb_page_files_load(o->data_dir ? o->data_dir : dir, &s->files, err);
	if (r == 0)
		r = gb_gate_init(&s->gate, 0, err);
	if (r == 0)
		r = gb_live_start(&live, &s->live, err);
	s->api = (struct gb_api){.live = s->live, .options = &s->options};
	if (r == 0)
		r = start_http(s, o->port, err);
	return r ? r : open_gate(s, err);
}

int gb_serve_start(const struct gb_serve_options *options, struct gb_serve **ret,
		   struct gb_error *err)
{
	struct gb_serve *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return gb_fail(err, GB_ENOMEM, "no memory for the page's server");
	s->options = *options;
	pthread_mutex_init(&s->lock, NULL);
	mg_init_library(0);
	r = start(s, err);
	if (r == 0)
		*ret = s;
	else
		gb_serve_stop(s);
	return r;
}

const char *gb_serve_url(const struct gb_serve *s)
{
	return s->url;
}

// civetweb looks at its stop flag only every two seconds, or when somebody connects.
static void *poke(void *arg)
{
	struct gb_serve *s = arg;
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)s->gate.port),
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	const struct timespec pause = {.tv_nsec = (long)(5 * GB_MS)};

	while (!__atomic_load_n(&s->stopped, __ATOMIC_ACQUIRE)) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd >= 0) {
			connect(fd, (struct sockaddr *)&a, sizeof(a));
			close(fd);
		}
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void stop_http(struct gb_serve *s)
{
	pthread_t poker;
	bool poked = pthread_create(&poker, NULL, poke, s) == 0;

	mg_stop(s->http);
	__atomic_store_n(&s->stopped, true, __ATOMIC_RELEASE);
	if (poked)
		pthread_join(poker, NULL);
}

void gb_serve_guest_ended(struct gb_serve *s, int wait_status, const char *why)
{
	struct gb_serve_state state = {.exited = true, .exited_real_ns = gb_clock_real_ns()};

	snprintf(state.exit_why, sizeof(state.exit_why), "%s", why);
	if (wait_status != -1 && WIFSIGNALED(wait_status)) {
		state.exit_signal = WTERMSIG(wait_status);
	} else if (wait_status != -1) {
		state.has_exit_status = true;
		state.exit_status = WEXITSTATUS(wait_status);
	}
	gb_live_finish(s->live, &state, 2 * GB_SECOND);
}

void gb_serve_stop(struct gb_serve *s)
{
	if (!s)
		return;
	__atomic_store_n(&s->stopping, true, __ATOMIC_RELEASE);
	if (s->live)
		gb_live_quit(s->live);
	if (s->http) {
		gb_socket_goodbye(s);
		stop_http(s);
	}
	gb_live_stop(s->live);
	gb_page_files_deinit(&s->files);
	pthread_mutex_destroy(&s->lock);
	mg_exit_library();
	free(s);
}
