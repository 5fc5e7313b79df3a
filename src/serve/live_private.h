// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What live.c (answers), sampler.c (the thread) and follow.c (followers) share.
#pragma once

#include "serve/live.h"

#include <pthread.h>

struct gb_follower {
	struct gb_follower *next;
	uint64_t *pending, *doubt; // one bit per frame
	uint64_t pending_count;
	uint64_t cursor;      // where the next take begins
	uint64_t whole_after; // the picture can be whole from this scan on
	bool whole;
};

struct gb_live {
	struct gb_live_options options;
	uint64_t frames;
	pthread_t thread;
	pthread_mutex_t vm_lock; // one call to the owner of the VM at a time

	pthread_mutex_t lock; // guards all below
	pthread_cond_t changed;
	bool census_wanted, state_wanted;
	struct gb_live_beat beat;
	uint64_t *data; // one bit per frame: not all zeros at the last look
	struct gb_census *census;
	struct gb_follower *followers;
	struct gb_watcher *watchers;
	uint64_t torn_total;
	char unknown_reason[400];

	struct gb_dirty *dirty; // scanned by the sampler, matched by everybody; no lock

	// The sampler's own; no lock.
	struct gb_guest_kernel *kernel;
	uint64_t next_census, next_state, next_kernel;
	uint64_t kernel_delay;
	unsigned census_failures;
	uint64_t scan_began, last_scan_end;
	uint64_t torn_seen, torn_since;
};

void *gb_live_sampler(void *live);
// On how many of this machine's cores to scan beside a guest.
unsigned gb_live_scan_cores(unsigned have, unsigned guest_cpus);
// Under the lock: a frame changed; filled: it is not all zeros now.
void gb_follow_changed(struct gb_live *live, uint64_t index, bool filled);
// Under the lock, after a scan: what was in doubt is handed out again.
void gb_follow_scanned(struct gb_live *live);

// Wait for a change until a time on gb_clock_ns(); the lock is held.
void gb_live_sleep(struct gb_live *live, uint64_t until);
