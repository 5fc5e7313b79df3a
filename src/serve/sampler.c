// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The sampler's thread.
#include "serve/live_private.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_RATE_HZ 10.0
#define CENSUS_PERIOD (250 * GB_MS)
#define STATE_PERIOD (500 * GB_MS)
// A kernel that was not found is looked for again while the guest may still be booting.
#define KERNEL_DELAY_MIN (500 * GB_MS)
#define KERNEL_DELAY_MAX (10 * GB_SECOND)
// So many failures in a row mean another kernel runs by now.
#define CENSUS_FAILURES_MAX 8

static bool is_file(const struct gb_live *live)
{
	return !live->options.vm.state;
}

static void end(struct gb_live *live, const char *reason)
{
	pthread_mutex_lock(&live->lock);
	if (!live->beat.ended) {
		live->beat.ended = true;
		live->beat.state.running = false;
		live->beat.state_version++;
		snprintf(live->beat.reason, sizeof(live->beat.reason), "%s", reason);
		pthread_cond_broadcast(&live->changed);
	}
	pthread_mutex_unlock(&live->lock);
}

// Followers learn of a frame at once, not only when the scan is done.
static void on_changed(void *arg, uint64_t index, const uint8_t bytes[GB_PAGE_SIZE])
{
	struct gb_live *live = arg;

	(void)bytes;
	pthread_mutex_lock(&live->lock);
	gb_follow_changed(live, index, true);
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

// Dirty frames per second, smoothed with a time constant of one second.
static double smoothed(double old, uint64_t dirty, uint64_t interval_ns)
{
	double seconds = (double)(interval_ns ? interval_ns : 1) / 1e9;
	double rate = (double)dirty * (double)GB_PAGE_SIZE / (1 << 20) / seconds;
	double weight = seconds / (seconds + 1);

	return old + (rate - old) * weight;
}

static void note_zeroed(struct gb_live *live, const struct gb_dirty_result *result)
{
	uint64_t n = result->zeroed_count ? result->frames : 0;

	for (uint64_t i = 0; (i = gb_bitmap_next(result->zeroed, n, i)) < n; i++)
		gb_follow_changed(live, i, false);
}

static void note_scan(struct gb_live *live, const struct gb_dirty_result *result)
{
	struct gb_live_beat *b = &live->beat;
	uint64_t now = gb_clock_ns();

	b->scans++;
	b->scan_ns = result->duration_ns;
	b->real_ns = gb_clock_real_ns();
	b->dirty = result->changed_count + result->zeroed_count;
	if (live->last_scan_end) // the first one finds all of memory, which nobody wrote just now
		b->dirty_mib_s = smoothed(b->dirty_mib_s, b->dirty, now - live->last_scan_end);
	live->last_scan_end = now;
	if (now - live->torn_since >= GB_SECOND) {
		b->torn = live->torn_total - live->torn_seen;
		live->torn_seen = live->torn_total;
		live->torn_since = now;
	}
}

static void scan(struct gb_live *live)
{
	struct gb_dirty_result result;
	struct gb_error err = {};
	int r = gb_dirty_scan(live->dirty, on_changed, live, &result, &err);

	if (r != 0) {
		end(live, err.message);
		return;
	}
	pthread_mutex_lock(&live->lock);
	note_zeroed(live, &result);
	note_scan(live, &result);
	gb_follow_scanned(live);
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void set_unknown(struct gb_live *live, const char *reason)
{
	pthread_mutex_lock(&live->lock);
	snprintf(live->unknown_reason, sizeof(live->unknown_reason), "%s", reason);
	pthread_mutex_unlock(&live->lock);
}

static int open_kernel(struct gb_live *live, struct gb_error *err)
{
	const struct gb_live_options *o = &live->options;

	if (o->unknown)
		return gb_fail(err, GB_EUNKNOWN, "%s", o->unknown);
	return gb_guest_kernel_open(o->ram, o->log, &live->kernel, err);
}

static void find_kernel(struct gb_live *live)
{
	struct gb_error err = {};
	int r = open_kernel(live, &err);
	uint64_t delay = live->kernel_delay * 2;

	set_unknown(live, r == 0 ? "" : err.message);
	if (delay < KERNEL_DELAY_MIN)
		delay = KERNEL_DELAY_MIN;
	live->kernel_delay = delay < KERNEL_DELAY_MAX ? delay : KERNEL_DELAY_MAX;
	// A file does not boot any further.
	live->next_kernel = is_file(live) ? UINT64_MAX : gb_clock_ns() + live->kernel_delay;
	live->census_failures = 0;
}

static void lose_kernel(struct gb_live *live, const char *reason)
{
	gb_guest_kernel_unref(&live->kernel);
	live->kernel_delay = 0;
	live->next_kernel = gb_clock_ns();
	set_unknown(live, reason);
}

static void publish(struct gb_live *live, struct gb_census *c)
{
	struct gb_census *old;

	pthread_mutex_lock(&live->lock);
	old = live->census;
	live->census = c;
	if (old && old->kernel != c->kernel)
		live->beat.hello_version++;
	live->beat.census_version = c->version;
	live->beat.owners_version = c->owners_version;
	live->beat.processes_version = c->processes_version;
	live->census_wanted = false;
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
	gb_census_unref(&old);
}

// A guest that is in the middle of something may not be readable for a moment: the census before
// stays, and its stamp tells its age. Without one, memory is shown without owners meanwhile.
static int take_census(struct gb_live *live, struct gb_census **ret, struct gb_error *err)
{
	int r = gb_census_take(live->kernel, live->frames, live->census, ret, err);

	if (r == 0 || !live->kernel)
		return r;
	set_unknown(live, err->message);
	if (++live->census_failures >= CENSUS_FAILURES_MAX)
		lose_kernel(live, err->message);
	else if (live->census)
		return r;
	return gb_census_take(NULL, live->frames, live->census, ret, err);
}

static void census(struct gb_live *live)
{
	struct gb_error err = {};
	struct gb_census *c;
	uint64_t start = gb_clock_ns(), cost;

	if (!live->kernel && start >= live->next_kernel)
		find_kernel(live);
	if (take_census(live, &c, &err) != 0) {
		gb_log(live->options.log, GB_LOG_DEBUG, "census: %s", err.message);
	} else {
		live->census_failures = c->kernel ? 0 : live->census_failures;
		publish(live, c);
	}
	cost = gb_clock_ns() - start;
	live->next_census = gb_clock_ns() + latest(CENSUS_PERIOD, 4 * cost);
}

static bool same_state(const struct gb_serve_state *a, const struct gb_serve_state *b)
{
	return a->running == b->running && a->paused == b->paused && a->exited == b->exited;
}

static void ask_state(struct gb_live *live)
{
	struct gb_serve_state s = {};
	struct gb_error err = {};
	int r;

	live->next_state = gb_clock_ns() + STATE_PERIOD;
	pthread_mutex_lock(&live->lock);
	live->state_wanted = false;
	pthread_mutex_unlock(&live->lock);
	pthread_mutex_lock(&live->vm_lock);
	r = live->options.vm.state(live->options.vm.arg, &s, &err);
	pthread_mutex_unlock(&live->vm_lock);
	if (r != 0)
		return gb_log(live->options.log, GB_LOG_DEBUG, "state of the guest: %s",
			      err.message);
	pthread_mutex_lock(&live->lock);
	// gb_live_finish() may have told the end meanwhile.
	if (!live->beat.state.exited && !same_state(&s, &live->beat.state)) {
		live->beat.state = s;
		live->beat.state_version++;
		pthread_cond_broadcast(&live->changed);
	}
	pthread_mutex_unlock(&live->lock);
}

static void end_of_guest(struct gb_live *live)
{
	char words[100];
	struct gb_live_beat beat;
	const struct gb_serve_state *s = &beat.state;

	gb_live_beat(live, &beat);
	if (*s->exit_why)
		snprintf(words, sizeof(words), "the guest has stopped: %s", s->exit_why);
	else if (s->exit_signal)
		snprintf(words, sizeof(words),
			 "the guest has stopped: QEMU was killed by signal %d (%s)", s->exit_signal,
			 strsignal(s->exit_signal));
	else if (s->has_exit_status)
		snprintf(words, sizeof(words), "the guest has stopped: QEMU exited with status %d",
			 s->exit_status);
	else
		snprintf(words, sizeof(words), "the guest has stopped");
	end(live, words);
}

struct wishes {
	bool stopping, scan, census, state, state_wanted, ended, exited;
	uint64_t period_ns;
};

static struct wishes read_wishes(const struct gb_live *live)
{
	bool looked_at = live->followers || live->watchers;
	double rate = 0;

	for (const struct gb_watcher *w = live->watchers; w; w = w->next)
		if (w->rate_hz > rate)
			rate = w->rate_hz;
	if (rate <= 0)
		rate = DEFAULT_RATE_HZ;
	return (struct wishes){
		.stopping = live->beat.stopping,
		.ended = live->beat.ended,
		.exited = live->beat.state.exited,
		.scan = live->followers && !live->beat.ended,
		.census = live->census_wanted || !live->census || (looked_at && !live->beat.ended),
		.state = looked_at && !is_file(live) && !live->beat.state.exited,
		.state_wanted = live->state_wanted,
		.period_ns = (uint64_t)(1e9 / rate),
	};
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

// A wish for a higher rate counts at once.
static uint64_t next_scan(const struct gb_live *live, const struct wishes *w)
{
	return live->scan_began + latest(w->period_ns, 4 * live->beat.scan_ns);
}

// One turn: do what is due.
static void turn(struct gb_live *live, const struct wishes *w)
{
	uint64_t now = gb_clock_ns();

	if (w->state && (now >= live->next_state || w->state_wanted))
		ask_state(live);
	if (w->census && now >= live->next_census)
		census(live);
	if (w->scan && (now >= next_scan(live, w) || w->exited)) {
		live->scan_began = now;
		scan(live);
	}
	// The last scan saw memory as the guest left it.
	if (w->exited && !w->ended)
		end_of_guest(live);
}

// When the next turn has something to do.
static uint64_t next_turn(const struct gb_live *live, const struct wishes *w)
{
	uint64_t until = UINT64_MAX;

	if (w->exited && !w->ended)
		return 0;
	if (w->census)
		until = earliest(until, live->next_census);
	if (w->scan)
		until = earliest(until, next_scan(live, w));
	if (w->state)
		until = earliest(until, live->state_wanted ? 0 : live->next_state);
	return until;
}

void *gb_live_sampler(void *arg)
{
	struct gb_live *live = arg;

	pthread_mutex_lock(&live->lock);
	for (;;) {
		struct wishes w = read_wishes(live);
		uint64_t now = gb_clock_ns(), until = next_turn(live, &w);

		if (w.stopping)
			break;
		if (until > now) {
			gb_live_sleep(live, earliest(until, now + 10 * GB_SECOND));
			continue;
		}
		pthread_mutex_unlock(&live->lock);
		turn(live, &w);
		pthread_mutex_lock(&live->lock);
	}
	pthread_mutex_unlock(&live->lock);
	return NULL;
}
