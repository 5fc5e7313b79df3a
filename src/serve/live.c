// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The sampler's results, for the threads that answer.
#include "serve/live_private.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "base/sigmask.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int init_locks(struct gb_live *live, struct gb_error *err)
{
	pthread_condattr_t attr;
	int r = pthread_mutex_init(&live->lock, NULL);

	if (r == 0)
		r = pthread_mutex_init(&live->vm_lock, NULL);
	if (r == 0)
		r = pthread_condattr_init(&attr);
	if (r == 0)
		r = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (r == 0)
		r = pthread_cond_init(&live->changed, &attr);
	return r ? gb_fail(err, GB_EOS, "cannot make a lock: %s", strerror(r)) : 0;
}

// Signals are for the program's main thread.
static int start_thread(struct gb_live *live, struct gb_error *err)
{
	sigset_t old;
	int r;

	gb_sigmask_block(&old);
	r = pthread_create(&live->thread, NULL, gb_live_sampler, live);
	gb_sigmask_restore(&old);
	return r ? gb_fail(err, GB_EOS, "cannot start the sampler: %s", strerror(r)) : 0;
}

// A scan on all cores would take the guest's own virtual CPUs off theirs, ten times a second: the guest
// would be slower for being looked at. One core is always ours: it reads as fast as most memory gives.
unsigned gb_live_scan_cores(unsigned have, unsigned guest_cpus)
{
	return have > guest_cpus ? have - guest_cpus : 1;
}

int gb_live_start(const struct gb_live_options *options, struct gb_live **ret, struct gb_error *err)
{
	struct gb_live *live = calloc(1, sizeof(*live));
	int r;

	if (!live)
		return gb_fail(err, GB_ENOMEM, "no memory for the sampler");
	live->options = *options;
	live->frames = gb_ram_frames(options->ram);
	live->data = calloc((size_t)(live->frames / 64 + 1), sizeof(*live->data));
	live->beat.state = (struct gb_serve_state){.running = options->vm.state != NULL};
	r = live->data ? 0 : gb_fail(err, GB_ENOMEM, "no memory for the sampler");
	if (r == 0)
		r = init_locks(live, err);
	if (r == 0)
		r = gb_dirty_new(options->ram, &live->dirty, err);
	if (r == 0)
		gb_dirty_set_cores(live->dirty,
				   gb_live_scan_cores(gb_parallel_width(), options->guest_cpus));
	if (r == 0 && options->kernel)
		r = gb_guest_kernel_borrow(options->kernel, &live->kernel, err);
	if (r == 0)
		r = start_thread(live, err);
	if (r == 0) {
		*ret = live;
		return 0;
	}
	gb_guest_kernel_unref(&live->kernel);
	gb_dirty_free(live->dirty);
	free(live->data);
	free(live);
	return r;
}

void gb_live_quit(struct gb_live *live)
{
	pthread_mutex_lock(&live->lock);
	live->beat.stopping = true;
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

void gb_live_stop(struct gb_live *live)
{
	if (!live)
		return;
	gb_live_quit(live);
	pthread_join(live->thread, NULL);
	gb_assert(!live->followers && !live->watchers);
	gb_census_unref(&live->census);
	gb_guest_kernel_unref(&live->kernel);
	gb_dirty_free(live->dirty);
	free(live->data);
	pthread_cond_destroy(&live->changed);
	pthread_mutex_destroy(&live->lock);
	pthread_mutex_destroy(&live->vm_lock);
	free(live);
}

void gb_live_sleep(struct gb_live *live, uint64_t until)
{
	struct timespec t = {.tv_sec = (time_t)(until / GB_SECOND),
			     .tv_nsec = (long)(until % GB_SECOND)};

	pthread_cond_timedwait(&live->changed, &live->lock, &t);
}

void gb_live_beat(struct gb_live *live, struct gb_live_beat *ret)
{
	pthread_mutex_lock(&live->lock);
	*ret = live->beat;
	pthread_mutex_unlock(&live->lock);
}

static bool newer(const struct gb_live_beat *now, const struct gb_live_beat *seen)
{
	return now->scans != seen->scans || now->state_version != seen->state_version ||
	       now->census_version != seen->census_version ||
	       now->hello_version != seen->hello_version || now->ended != seen->ended ||
	       now->stopping;
}

void gb_live_wait(struct gb_live *live, struct gb_follower *f, struct gb_live_beat *beat,
		  uint64_t timeout_ns)
{
	uint64_t until = gb_clock_ns() + timeout_ns;

	pthread_mutex_lock(&live->lock);
	while (!newer(&live->beat, beat) && !f->pending_count && gb_clock_ns() < until)
		gb_live_sleep(live, until);
	*beat = live->beat;
	pthread_mutex_unlock(&live->lock);
}

static bool fresh(const struct gb_live *live, uint64_t max_age_ns)
{
	return live->census && gb_clock_real_ns() - live->census->time_ns <= max_age_ns;
}

int gb_live_census(struct gb_live *live, uint64_t max_age_ns, struct gb_census **ret,
		   struct gb_error *err)
{
	uint64_t until = gb_clock_ns() + 2 * GB_SECOND;
	int r = 0;

	pthread_mutex_lock(&live->lock);
	while (!fresh(live, max_age_ns) && !live->beat.stopping && gb_clock_ns() < until) {
		live->census_wanted = true;
		pthread_cond_broadcast(&live->changed);
		gb_live_sleep(live, until);
	}
	if (live->census)
		*ret = gb_census_ref(live->census);
	else if (live->beat.stopping)
		r = gb_fail(err, GB_ECANCELLED, "the server stops");
	else
		r = gb_fail(err, GB_ETIMEOUT, "the guest's memory is still being read: ask again");
	pthread_mutex_unlock(&live->lock);
	return r;
}

void gb_live_unknown_reason(struct gb_live *live, char ret[400])
{
	pthread_mutex_lock(&live->lock);
	memcpy(ret, live->unknown_reason, sizeof(live->unknown_reason));
	pthread_mutex_unlock(&live->lock);
}

void gb_live_watch(struct gb_live *live, struct gb_watcher *w)
{
	pthread_mutex_lock(&live->lock);
	w->next = live->watchers;
	live->watchers = w;
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

void gb_live_unwatch(struct gb_live *live, struct gb_watcher *w)
{
	pthread_mutex_lock(&live->lock);
	for (struct gb_watcher **at = &live->watchers; *at; at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			break;
		}
	}
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

void gb_live_set_rate(struct gb_live *live, struct gb_watcher *w, double rate_hz)
{
	pthread_mutex_lock(&live->lock);
	w->rate_hz = rate_hz;
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

void gb_live_told(struct gb_live *live, struct gb_watcher *w, uint64_t state_version)
{
	pthread_mutex_lock(&live->lock);
	w->told = state_version;
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

static bool all_know_the_end(const struct gb_live *live)
{
	for (const struct gb_watcher *w = live->watchers; w; w = w->next)
		if (w->told != live->beat.state_version)
			return false;
	return live->beat.ended && !live->followers;
}

void gb_live_finish(struct gb_live *live, const struct gb_serve_state *state, uint64_t timeout_ns)
{
	uint64_t until = gb_clock_ns() + timeout_ns;

	pthread_mutex_lock(&live->lock);
	live->beat.state = *state;
	live->beat.state_version++;
	pthread_cond_broadcast(&live->changed);
	while (!all_know_the_end(live) && gb_clock_ns() < until)
		gb_live_sleep(live, until);
	pthread_mutex_unlock(&live->lock);
}

bool gb_live_matches(const struct gb_live *live, uint32_t index, const uint8_t bytes[GB_PAGE_SIZE])
{
	return gb_dirty_matches(live->dirty, index, bytes);
}

int gb_live_pause(struct gb_live *live, bool pause, struct gb_error *err)
{
	const struct gb_serve_guest *vm = &live->options.vm;
	int (*call)(void *arg, struct gb_error *err) = pause ? vm->pause : vm->resume;
	int r;

	if (!call)
		return gb_fail(err, GB_ELACKS, "this is no running guest: it cannot be %s",
			       pause ? "paused" : "resumed");
	pthread_mutex_lock(&live->vm_lock);
	r = call(vm->arg, err);
	pthread_mutex_unlock(&live->vm_lock);
	pthread_mutex_lock(&live->lock);
	live->state_wanted = true;
	pthread_cond_broadcast(&live->changed);
	pthread_mutex_unlock(&live->lock);
	return r;
}
