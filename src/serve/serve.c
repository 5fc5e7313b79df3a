// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page's server: civetweb, told to do nothing by itself.
//
// Every request ends in on_request(), which answers all of them but the upgrade to a WebSocket; that
// is handed on to handlers of our own. There is no document root, so civetweb's file, CGI, SSI,
// listing and password-file code is never reached. What it refuses itself (a malformed or oversized
// request) goes through on_error(), which sends the same bare 403.
#include "serve/serve.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/data_dir.h"
#include "serve/api.h"
#include "serve/control.h"
#include "serve/files.h"
#include "serve/gate.h"
#include "serve/stream.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

// Each stream and each WebSocket keeps one of civetweb's threads; the rest answers plain requests.
#define STREAMS_MAX 8
#define SOCKETS_MAX 12
#define THREADS "96"
// How long civetweb waits for a request's head, and in one attempt to write. Short, so that idle
// connections do not keep the threads; a stream's viewer may stall longer (a page that compiles
// shaders reads nothing meanwhile).
#define REQUEST_TIMEOUT_MS 2000
#define STALL_NS (30 * GB_SECOND)
#define TEXT_MAX 4096 // of a WebSocket message

struct gb_serve {
	struct gb_serve_options options;
	struct gb_gate gate;
	bool ready; // the gate knows its port
	struct gb_page_files files;
	struct gb_live *live;
	struct gb_api api;
	struct mg_context *http;
	int streams, sockets;
	char url[96];
	char trouble[200]; // what civetweb said last while it started
	bool stopping;	   // gb_serve_stop() was called
	bool stopped;	   // and all threads of civetweb ended
};

static const char common_headers[] =
	"Cache-Control: no-store\r\n"
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
	"form-action 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Embedder-Policy: require-corp\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Connection: close\r\n";

static int refuse(struct mg_connection *conn)
{
	static const char answer[] =
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

	mg_disable_connection_keep_alive(conn);
	mg_write(conn, answer, sizeof(answer) - 1);
	return 403;
}

static int on_error(struct mg_connection *conn, int status, const char *message)
{
	(void)status;
	(void)message;
	refuse(conn);
	return 0;
}

static int on_log(const struct mg_connection *conn, const char *message)
{
	struct gb_serve *s = mg_get_user_data(mg_get_context(conn));

	if (!__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE))
		snprintf(s->trouble, sizeof(s->trouble), "%s", message);
	gb_log(s->options.log, GB_LOG_DEBUG, "http: %s", message);
	return 1;
}

static int on_access(const struct mg_connection *conn, const char *message)
{
	(void)conn;
	(void)message;
	return 1;
}

static const char *status_text(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 410:
		return "Gone";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

static int answer(struct mg_connection *conn, int status, const char *type, const void *body,
		  size_t len)
{
	mg_disable_connection_keep_alive(conn);
	mg_printf(conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n", status,
		  status_text(status), type, len, common_headers);
	if (len)
		mg_write(conn, body, len);
	return status;
}

static int status_of(int code)
{
	switch (code) {
	case GB_ENOTFOUND:
	case GB_EFAULT:
		return 404;
	case GB_EUSAGE:
		return 400;
	case GB_EGONE:
		return 410;
	case GB_EBUSY:
	case GB_ETIMEOUT:
	case GB_ECANCELLED:
		return 503;
	default:
		return 500;
	}
}

static int answer_error(struct mg_connection *conn, struct gb_error *err, int code)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};

	err->code = code;
	gb_api_error(err, &b);
	return answer(conn, status_of(code), "application/json", b.data, b.len);
}

static int answer_api(struct gb_serve *s, struct mg_connection *conn, const char *path)
{
	struct gb_api_answer a = {};
	struct gb_error err = {};
	int r = gb_api_get(&s->api, path, &a, &err);

	r = r ? answer_error(conn, &err, r) : answer(conn, 200, a.type, a.body.data, a.body.len);
	gb_buf_deinit(&a.body);
	return r;
}

// A write that was given up before its time failed: the viewer is gone.
static bool stream_write(void *conn, const void *bytes, size_t len)
{
	const struct gb_serve *s = mg_get_user_data(mg_get_context(conn));
	uint64_t last = gb_clock_ns();

	for (size_t done = 0; done < len;) {
		uint64_t start = gb_clock_ns(), now;
		int n = mg_write(conn, (const char *)bytes + done, len - done);

		now = gb_clock_ns();
		if (n > 0) {
			done += (size_t)n;
			last = now;
		} else if (now - start < REQUEST_TIMEOUT_MS * GB_MS || now - last > STALL_NS) {
			return false;
		}
		if (__atomic_load_n(&s->stopping, __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

// Take one of max places; false if all are taken.
static bool enter(int *count, int max)
{
	if (__atomic_add_fetch(count, 1, __ATOMIC_ACQ_REL) <= max)
		return true;
	__atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL);
	return false;
}

static void leave(int *count)
{
	__atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL);
}

static int answer_stream(struct gb_serve *s, struct mg_connection *conn)
{
	struct gb_error err = {};

	if (!enter(&s->streams, STREAMS_MAX))
		return answer_error(conn, &err,
				    gb_fail(&err, GB_EBUSY,
					    "%d viewers are connected already: close one",
					    STREAMS_MAX));
	mg_disable_connection_keep_alive(conn);
	mg_printf(conn,
		  "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
		  "Transfer-Encoding: chunked\r\n%s\r\n",
		  common_headers);
	if (gb_stream_run(s->live, s->options.ram, stream_write, conn, &err) != 0)
		gb_log(s->options.log, GB_LOG_DEBUG, "stream: %s", err.message);
	leave(&s->streams);
	return 200;
}

static bool wants_socket(const struct mg_connection *conn)
{
	const char *upgrade = mg_get_header(conn, "Upgrade");

	return upgrade && strcasecmp(upgrade, "websocket") == 0;
}

static size_t count_header(const struct mg_request_info *info, const char *name)
{
	size_t n = 0;

	for (int i = 0; i < info->num_headers; i++)
		n += strcasecmp(info->http_headers[i].name, name) == 0;
	return n;
}

// The path behind the token, or NULL.
static const char *pass_gate(const struct gb_serve *s, const struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct gb_gate_request r = {
		.path = info->local_uri_raw,
		.host = mg_get_header(conn, "Host"),
		.origin = mg_get_header(conn, "Origin"),
		.fetch_site = mg_get_header(conn, "Sec-Fetch-Site"),
		.host_count = count_header(info, "Host"),
		.origin_count = count_header(info, "Origin"),
		.websocket = wants_socket(conn),
	};

	return __atomic_load_n(&s->ready, __ATOMIC_ACQUIRE) ? gb_gate_pass(&s->gate, &r) : NULL;
}

static int on_request(struct mg_connection *conn)
{
	struct gb_serve *s = mg_get_user_data(mg_get_context(conn));
	const char *path = pass_gate(s, conn);
	const struct gb_page_file *file;
	struct gb_error err = {};

	if (!path)
		return refuse(conn);
	if (strcmp(mg_get_request_info(conn)->request_method, "GET") != 0)
		return answer(conn, 405, "text/plain", NULL, 0);
	if (strcmp(path, "ws") == 0 && wants_socket(conn))
		return 0; // on to the handlers below
	if (strcmp(path, "stream") == 0)
		return answer_stream(s, conn);
	if (strncmp(path, "api/", 4) == 0)
		return answer_api(s, conn, path + 4);
	file = gb_page_files_find(&s->files, path);
	if (file)
		return answer(conn, 200, file->type, file->bytes.data, file->bytes.len);
	return answer_error(conn, &err, gb_fail(&err, GB_ENOTFOUND, "there is no such file"));
}

static bool socket_send(void *conn, const char *text, size_t len)
{
	if (!text)
		return mg_websocket_write(conn, MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE, "\x03\xe9", 2) > 0;
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
	return !enter(&s->sockets, SOCKETS_MAX);
}

static void on_socket_ready(struct mg_connection *conn, void *arg)
{
	struct gb_serve *s = arg;
	struct gb_control *c = NULL;
	struct gb_error err = {};

	if (gb_control_open(&s->api, socket_send, conn, &c, &err) != 0)
		gb_log(s->options.log, GB_LOG_DEBUG, "control: %s", err.message);
	mg_set_user_connection_data(conn, c);
}

static int on_socket_data(struct mg_connection *conn, int bits, char *text, size_t len, void *arg)
{
	struct gb_control *c = mg_get_user_connection_data(conn);
	int opcode = bits & 0xf;

	(void)arg;
	if (!c || opcode == MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE)
		return 0;
	// Whole text messages of a sensible size are all that the protocol has.
	if (opcode != MG_WEBSOCKET_OPCODE_TEXT || !(bits & 0x80) || len > TEXT_MAX)
		return 0;
	gb_control_receive(c, text, len);
	return 1;
}

static void on_socket_close(const struct mg_connection *conn, void *arg)
{
	struct gb_serve *s = arg;
	struct gb_control *c = mg_get_user_connection_data(conn);

	if (c)
		gb_control_close(c);
	mg_set_user_connection_data(conn, NULL);
	leave(&s->sockets);
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
		return gb_fail(err, GB_EBUSY,
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
	const char *settings[] = {"listening_ports", listen_on,
				  "access_control_list", "-0.0.0.0/0,+127.0.0.0/8",
				  "num_threads", THREADS,
				  "connection_queue", "64",
				  "max_request_size", "8192",
				  "request_timeout_ms", request_timeout,
				  "websocket_timeout_ms", "10000",
				  "enable_websocket_ping_pong", "yes",
				  "tcp_nodelay", "1",
				  "enable_keep_alive", "no",
				  "enable_directory_listing", "no",
				  "decode_url", "no",
				  NULL};
	const struct mg_callbacks callbacks = {.begin_request = on_request,
					       .http_error = on_error,
					       .log_message = on_log,
					       .log_access = on_access};
	sigset_t all, old;

	snprintf(request_timeout, sizeof(request_timeout), "%d", REQUEST_TIMEOUT_MS);
	snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%u", port);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	s->http = mg_start(&callbacks, s, settings);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
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
	mg_set_auth_handler(s->http, path, on_socket_auth, s);
	mg_set_websocket_handler(s->http, path, on_socket_connect, on_socket_ready, on_socket_data,
				 on_socket_close, s);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/%s/", s->gate.port, s->gate.token);
	__atomic_store_n(&s->ready, true, __ATOMIC_RELEASE);
	return 0;
}

static int start(struct gb_serve *s, struct gb_error *err)
{
	const struct gb_serve_options *o = &s->options;
	struct gb_live_options live = {.ram = o->ram, .kernel = o->kernel, .vm = o->vm, .log = o->log};
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

void gb_serve_stop(struct gb_serve *s)
{
	if (!s)
		return;
	__atomic_store_n(&s->stopping, true, __ATOMIC_RELEASE);
	if (s->live)
		gb_live_quit(s->live);
	if (s->http)
		stop_http(s);
	gb_live_stop(s->live);
	gb_page_files_deinit(&s->files);
	mg_exit_library();
	free(s);
}
