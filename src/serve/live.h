// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The sampler: one thread that looks at the guest as often as somebody watches, and what it found,
// shared with the threads that answer.
//
// While there are followers it scans RAM for changed frames at the rate that watchers ask for, takes
// a census up to four times a second, and asks for the state of the VM twice a second. It scans at
// most a quarter of the time. With nobody there it only waits.
#pragma once

#include "ram/dirty.h"
#include "serve/census.h"
#include "serve/serve.h"

struct gb_live;

struct gb_live_options {
	struct gb_ram *ram;
	struct gb_kernel *kernel; // may be NULL
	const char *unknown;      // see struct gb_serve_options
	struct gb_serve_guest vm;
	unsigned guest_cpus; // see struct gb_serve_options
	const struct gb_log *log;
};

int gb_live_start(const struct gb_live_options *options, struct gb_live **ret,
		  struct gb_error *err);
// The guest has ended: what its state is now. Waits until all followers and watchers were told, or
// the time is over.
void gb_live_finish(struct gb_live *live, const struct gb_serve_state *state, uint64_t timeout_ns);
// Wake all who wait in the calls below; they then see stopping. Call before joining those threads.
void gb_live_quit(struct gb_live *live);
void gb_live_stop(struct gb_live *live); // accepts NULL; nobody may use it any more

// The last look, for ticks and status.
struct gb_live_beat {
	uint64_t scans;     // complete ones so far
	uint64_t scan_ns;   // how long the last one took
	uint64_t real_ns;   // when it ended (CLOCK_REALTIME)
	uint64_t dirty;     // frames that it found changed
	double dirty_mib_s; // smoothed over about a second
	uint64_t torn;      // frames that changed while they were sent, in the last second
	struct gb_serve_state state;
	uint64_t state_version; // changes with state
	bool ended;             // the guest is gone and the last scan is done
	char reason[400];       // why
	bool stopping;          // the server ends
	uint64_t census_version, owners_version, processes_version;
	uint64_t hello_version; // changes when the kernel is found or lost
};
void gb_live_beat(struct gb_live *live, struct gb_live_beat *ret);

// A census that is no older than max_age_ns, or the newest one if a newer cannot be had in two
// seconds. GB_ETIMEOUT, or GB_ECANCELLED when the server stops, if there is none at all.
int gb_live_census(struct gb_live *live, uint64_t max_age_ns, struct gb_census **ret,
		   struct gb_error *err);
// Why the guest is not understood; "" when it is.
void gb_live_unknown_reason(struct gb_live *live, char ret[400]);

// A watcher counts as somebody who looks; rate_hz 0 means no wish.
struct gb_watcher {
	struct gb_watcher *next;
	double rate_hz;
	uint64_t told; // state_version of the newest state that it was told
};
void gb_live_watch(struct gb_live *live, struct gb_watcher *w);
void gb_live_unwatch(struct gb_live *live, struct gb_watcher *w);
void gb_live_told(struct gb_live *live, struct gb_watcher *w, uint64_t state_version);
void gb_live_set_rate(struct gb_live *live, struct gb_watcher *w, double rate_hz);

// A follower has a picture that starts as all zeros, and learns which frames it must fetch: each
// once, however often it changed meanwhile.
struct gb_follower;
int gb_live_follow(struct gb_live *live, struct gb_follower **ret, struct gb_error *err);
void gb_live_unfollow(struct gb_live *live, struct gb_follower *f);
// Take up to max indices of frames to fetch; *complete_ret says that the picture became whole once.
size_t gb_live_take(struct gb_live *live, struct gb_follower *f, uint32_t *indices, size_t max,
		    bool *complete_ret);
// Is this what the last scan saw in the frame? If not, the frame changed since, and may change back
// before the next scan, which would not notice: say so with gb_live_doubt().
bool gb_live_matches(const struct gb_live *live, uint32_t index, const uint8_t bytes[GB_PAGE_SIZE]);
// Have these frames handed out again after the next scan. torn is how many changed while they were
// read.
void gb_live_doubt(struct gb_live *live, struct gb_follower *f, const uint32_t *indices,
		   size_t count, uint64_t torn);
// Wait until there are frames to take, or the beat is newer than *beat in scans or a version, or has
// ended, or the server stops, or the time is over; then update the beat.
void gb_live_wait(struct gb_live *live, struct gb_follower *f, struct gb_live_beat *beat,
		  uint64_t timeout_ns);

int gb_live_pause(struct gb_live *live, bool pause, struct gb_error *err);
