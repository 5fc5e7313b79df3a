// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The control channel.
#include "serve/control.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STATUS_PERIOD (500 * GB_MS)
#define PACE (250 * GB_MS) // between two rounds of messages
#define RATE_MAX 60.0

struct gb_control {
	const struct gb_api *api;
	gb_control_send *send;
	void *arg;
	struct gb_watcher watcher;
	pthread_t thread;
	pthread_mutex_t lock; // one message at a time, and closing
	pthread_cond_t wake;
	bool closing, broken;
	// The sender's own.
	struct gb_live_beat beat;
	uint64_t hello_sent, processes_sent, owners_sent;
	bool started;
};

static void send_text(struct gb_control *c, const char *text, size_t len)
{
	pthread_mutex_lock(&c->lock);
	if (!c->broken)
		c->broken = !c->send(c->arg, text, len);
	pthread_mutex_unlock(&c->lock);
}

// {"type":TYPE, and the members of the object
static void send_typed(struct gb_control *c, const char *type, const struct gb_buf *object)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};

	gb_buf_printf(&b, "{\"type\":\"%s\",", type);
	gb_buf_add(&b, object->data + 1, object->len - 1);
	if (!gb_buf_failed(&b))
		send_text(c, b.data, b.len);
}

static void send_error(struct gb_control *c, const struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};
	struct gb_json j = gb_json_init(&b);

	gb_json_object(&j);
	gb_json_pair(&j, "type", str, "error");
	gb_json_pair(&j, "code", str, gb_code_name(err->code));
	gb_json_pair(&j, "message", str, err->message);
	gb_json_end_object(&j);
	if (!gb_buf_failed(&b))
		send_text(c, b.data, b.len);
}

// "SIGKILL"
static void put_signal(struct gb_json *j, int number)
{
	const char *name = sigabbrev_np(number);
	char text[32];

	snprintf(text, sizeof(text), "SIG%s", name ? name : "?");
	gb_json_str(j, number ? text : NULL);
}

static void put_exit(struct gb_json *j, const struct gb_serve_state *s)
{
	gb_json_key(j, "exited");
	if (!s->exited) {
		gb_json_null(j);
		return;
	}
	gb_json_object(j);
	gb_json_key(j, "status");
	if (s->has_exit_status)
		gb_json_i64(j, s->exit_status);
	else
		gb_json_null(j);
	gb_json_key(j, "signal");
	put_signal(j, s->exit_signal);
	gb_json_pair(j, "why", str, *s->exit_why ? s->exit_why : NULL);
	gb_json_pair(j, "at_ns", u64, s->exited_real_ns);
	gb_json_end_object(j);
}

// census NULL: there is none yet.
static void send_status(struct gb_control *c, const struct gb_census *census)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};
	const struct gb_live_beat *beat = &c->beat;
	bool cut = census && census->frames.cut;
	struct gb_json j = gb_json_init(&b);

	gb_json_object(&j);
	gb_json_pair(&j, "type", str, "status");
	gb_json_pair(&j, "running", bool, beat->state.running);
	gb_json_pair(&j, "paused", bool, beat->state.paused);
	put_exit(&j, &beat->state);
	gb_json_pair(&j, "ended", str, beat->ended ? beat->reason : NULL);
	gb_json_pair(&j, "dirty_mib_s", double, beat->dirty_mib_s);
	gb_json_pair(&j, "scan_ms", double, (double)beat->scan_ns / 1e6);
	gb_json_pair(&j, "torn", u64, beat->torn);
	gb_json_pair(&j, "cut", bool, cut);
	gb_json_pair(&j, "consistent", bool,
		     census && !census->processes.torn && !cut && beat->torn == 0 &&
			     c->api->options->missing == 0 && !c->api->options->unknown);
	gb_json_pair(&j, "time_ns", u64, gb_clock_real_ns());
	gb_json_end_object(&j);
	if (!gb_buf_failed(&b))
		send_text(c, b.data, b.len);
}

static void send_hello(struct gb_control *c)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf b = {};

	if (gb_api_hello(c->api, &b, NULL) != 0)
		return;
	c->hello_sent = c->beat.hello_version;
	send_typed(c, "hello", &b);
}

// Everything that is new since the last round.
static void send_news(struct gb_control *c)
{
	GB_CLEANUP(gb_census_unref) struct gb_census *census = NULL;
	bool have = gb_live_census(c->api->live, UINT64_MAX, &census, NULL) == 0;

	// The first hello is the page's own request; later ones say that it changed.
	if (c->beat.hello_version != c->hello_sent && c->started)
		send_hello(c);
	c->hello_sent = c->beat.hello_version;
	if (have && census->processes_version != c->processes_sent) {
		c->processes_sent = census->processes_version;
		send_typed(c, "processes", &census->processes_json);
	}
	if (have && census->owners_version != c->owners_sent) {
		c->owners_sent = census->owners_version;
		send_typed(c, "owners", &census->owners_json);
	}
	send_status(c, census);
	gb_live_told(c->api->live, &c->watcher, c->beat.state_version);
	c->started = true;
}

static bool is_news(const struct gb_live_beat *now, const struct gb_live_beat *seen)
{
	return now->state_version != seen->state_version || now->ended != seen->ended ||
	       now->hello_version != seen->hello_version ||
	       now->processes_version != seen->processes_version ||
	       now->owners_version != seen->owners_version;
}

// Sleep for a round; false when the connection closes.
static bool pace(struct gb_control *c)
{
	uint64_t until = gb_clock_ns() + PACE;
	struct timespec t = {.tv_sec = (time_t)(until / GB_SECOND),
			     .tv_nsec = (long)(until % GB_SECOND)};
	bool go_on;

	pthread_mutex_lock(&c->lock);
	while (!c->closing && !c->broken && gb_clock_ns() < until)
		pthread_cond_timedwait(&c->wake, &c->lock, &t);
	go_on = !c->closing && !c->broken;
	pthread_mutex_unlock(&c->lock);
	return go_on;
}

// At most four rounds a second, at least two.
static void *sender(void *arg)
{
	struct gb_control *c = arg;
	uint64_t last = gb_clock_ns();

	gb_live_beat(c->api->live, &c->beat);
	send_news(c);
	while (pace(c)) {
		struct gb_live_beat now;

		gb_live_beat(c->api->live, &now);
		if (now.stopping)
			break;
		if (!is_news(&now, &c->beat) && gb_clock_ns() - last < STATUS_PERIOD)
			continue;
		c->beat = now;
		send_news(c);
		last = gb_clock_ns();
	}
	return NULL;
}

static int init_locks(struct gb_control *c, struct gb_error *err)
{
	pthread_condattr_t attr;
	int r = pthread_condattr_init(&attr);

	if (r == 0)
		r = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (r == 0)
		r = pthread_cond_init(&c->wake, &attr);
	if (r == 0)
		r = pthread_mutex_init(&c->lock, NULL);
	return r ? gb_fail(err, GB_EOS, "cannot make a lock: %s", strerror(r)) : 0;
}

int gb_control_open(const struct gb_api *api, gb_control_send *send, void *arg,
		    struct gb_control **ret, struct gb_error *err)
{
	struct gb_control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return gb_fail(err, GB_ENOMEM, "no memory for one more viewer");
	*c = (struct gb_control){.api = api, .send = send, .arg = arg};
	r = init_locks(c, err);
	if (r != 0) {
		free(c);
		return r;
	}
	gb_live_watch(api->live, &c->watcher);
	r = pthread_create(&c->thread, NULL, sender, c);
	if (r != 0) {
		gb_live_unwatch(api->live, &c->watcher);
		free(c);
		return gb_fail(err, GB_EOS, "cannot start a thread: %s", strerror(r));
	}
	*ret = c;
	return 0;
}

void gb_control_goodbye(struct gb_control *c)
{
	send_text(c, NULL, 0);
}

void gb_control_close(struct gb_control *c)
{
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	pthread_cond_broadcast(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	gb_live_unwatch(c->api->live, &c->watcher);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int on_watch(struct gb_control *c, const json_t *message, struct gb_error *err)
{
	const json_t *rate = json_object_get(message, "rate_hz");
	double hz = json_number_value(rate);

	if (!json_is_number(rate) || hz < 0 || hz > RATE_MAX)
		return gb_fail(err, GB_EUSAGE, "rate_hz is a number from 0 to %g", RATE_MAX);
	gb_live_set_rate(c->api->live, &c->watcher, hz);
	return 0;
}

static int on_pause(struct gb_control *c, const json_t *message, struct gb_error *err)
{
	(void)message;
	return gb_live_pause(c->api->live, true, err);
}

static int on_resume(struct gb_control *c, const json_t *message, struct gb_error *err)
{
	(void)message;
	return gb_live_pause(c->api->live, false, err);
}

static const struct {
	const char *type;
	int (*act)(struct gb_control *c, const json_t *message, struct gb_error *err);
} actions[] = {
	{"watch", on_watch},
	{"pause", on_pause},
	{"resume", on_resume},
};

static int act(struct gb_control *c, const json_t *message, struct gb_error *err)
{
	const char *type = json_string_value(json_object_get(message, "type"));

	if (!type)
		return gb_fail(err, GB_EUSAGE, "a message is a JSON object with a type");
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].type, type) == 0)
			return actions[i].act(c, message, err);
	return gb_fail(err, GB_EUSAGE, "there is no such message type");
}

void gb_control_receive(struct gb_control *c, const char *text, size_t len)
{
	struct gb_error err = {};
	json_error_t parse;
	json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, &parse);
	int r = act(c, message, &err);

	if (message)
		json_decref(message);
	if (r != 0) {
		err.code = r;
		send_error(c, &err);
	}
}
