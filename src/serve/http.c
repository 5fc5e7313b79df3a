// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Plain requests and streams.
#include "serve/serve_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "serve/roomy.h"
#include "serve/stream.h"

#include <string.h>
#include <strings.h>

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

int gb_http_error(struct mg_connection *conn, int status, const char *message)
{
	(void)status;
	(void)message;
	refuse(conn);
	return 0;
}

// A write that was given up before its time failed: the viewer is gone.
static bool send_all(void *conn, const void *bytes, size_t len)
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
	mg_printf(conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
		  status, status_text(status), type, len, common_headers);
	if (len)
		send_all(conn, body, len);
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

static int answer_stream(struct gb_serve *s, struct mg_connection *conn)
{
	struct gb_error err = {};

	if (!gb_serve_enter(&s->streams, STREAMS_MAX))
		return answer_error(conn, &err,
				    gb_fail(&err, GB_EBUSY,
					    "%d viewers are connected already: close one",
					    STREAMS_MAX));
	mg_disable_connection_keep_alive(conn);
	mg_printf(conn,
		  "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
		  "Transfer-Encoding: chunked\r\n%s\r\n",
		  common_headers);
	if (gb_stream_run(s->live, s->options.ram, send_all, conn, &err) != 0)
		gb_log(s->options.log, GB_LOG_DEBUG, "stream: %s", err.message);
	gb_serve_leave(&s->streams);
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
		.fetch_mode = mg_get_header(conn, "Sec-Fetch-Mode"),
		.fetch_dest = mg_get_header(conn, "Sec-Fetch-Dest"),
		.host_count = count_header(info, "Host"),
		.origin_count = count_header(info, "Origin"),
		.websocket = wants_socket(conn),
	};

	return __atomic_load_n(&s->ready, __ATOMIC_ACQUIRE) ? gb_gate_pass(&s->gate, &r) : NULL;
}

static int route(struct gb_serve *s, struct mg_connection *conn, const char *path)
{
	const struct gb_page_file *file = gb_page_files_find(&s->files, path);
	struct gb_error err = {};

	if (file)
		return answer(conn, 200, file->type, file->bytes.data, file->bytes.len);
	if (strcmp(path, "stream") == 0)
		return answer_stream(s, conn);
	if (strncmp(path, "api/", 4) == 0)
		return answer_api(s, conn, path + 4);
	return answer_error(conn, &err, gb_fail(&err, GB_ENOTFOUND, "there is no such file"));
}

struct job {
	struct gb_serve *serve;
	struct mg_connection *conn;
	const char *path;
	int status;
};

static void do_job(void *arg)
{
	struct job *j = arg;

	j->status = route(j->serve, j->conn, j->path);
}

int gb_http_request(struct mg_connection *conn)
{
	struct gb_serve *s = mg_get_user_data(mg_get_context(conn));
	struct job job = {.serve = s, .conn = conn, .path = pass_gate(s, conn)};
	struct gb_error err = {};
	int r;

	if (!job.path)
		return refuse(conn);
	if (strcmp(mg_get_request_info(conn)->request_method, "GET") != 0)
		return answer(conn, 405, "text/plain", NULL, 0);
	if (strcmp(job.path, "ws") == 0 && wants_socket(conn))
		return 0; // on to the handlers of socket.c
	r = gb_roomy_run(do_job, &job, &err);
	return r ? answer_error(conn, &err, r) : job.status;
}
