// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page's server: HTTP, one memory stream per viewer, a WebSocket for control. docs/protocol.md
// is what it speaks; serve/gate.h says who may ask.
//
// It listens on 127.0.0.1 only, in threads of its own which take no signals. Guest RAM is only read.
#pragma once

#include "kernel/kernel.h"

struct gb_serve;

// What is known about the run of the guest from outside of its RAM.
struct gb_serve_state {
	bool running, paused, exited;
	bool has_exit_status;    // only QEMU's parent learns how it ended
	int exit_status;         // of QEMU
	int exit_signal;         // that killed QEMU, or 0
	char exit_why[64];       // in words, where they tell more than these numbers
	uint64_t exited_real_ns; // CLOCK_REALTIME
};

// How the server asks and steers the guest. Calls come from several threads, one at a time, and may
// take a while. state tells of the end of QEMU by exited, not by failing; after that it is not called
// any more. state NULL: it never changes (a file). pause or resume NULL: cannot be done, and the
// page is told so.
struct gb_serve_guest {
	void *arg;
	int (*state)(void *arg, struct gb_serve_state *ret, struct gb_error *err);
	int (*pause)(void *arg, struct gb_error *err);
	int (*resume)(void *arg, struct gb_error *err);
};

struct gb_serve_options {
	struct gb_ram *ram;       // the caller's; must live until gb_serve_stop()
	struct gb_kernel *kernel; // the caller's, likewise; NULL: the server finds it itself
	const char *name;         // of the VM, or the file's
	const char *guest;        // "debian", ...; NULL: unknown
	const char *data_dir;     // holds web/ and shaders/; NULL: see gb_data_dir()
	unsigned port;            // 0: a free one
	uint64_t started_real_ns; // when the guest was started, 0: unknown
	uint64_t missing;         // bytes of RAM that ram lacks: an image that was cut short
	const char *unknown;      // why no kernel is to be looked for; NULL: it is
	unsigned guest_cpus;      // virtual CPUs that want this machine's; 0: it does not run here
	struct gb_serve_guest vm;
	const struct gb_log *log;
};

// GB_EBUSY when the port is in use, GB_ENOTFOUND without the page's files, GB_EOS.
int gb_serve_start(const struct gb_serve_options *options, struct gb_serve **ret,
		   struct gb_error *err);
// "http://127.0.0.1:PORT/TOKEN/". Who has it sees all of the guest: print it, never log it.
const char *gb_serve_url(const struct gb_serve *s);
// The guest has ended: wait_status as from waitpid(), -1: not known; why: "" or words that tell more.
// Viewers get its last memory and learn how it ended; waits up to two seconds until all of them have. Call
// gb_serve_stop() next.
void gb_serve_guest_ended(struct gb_serve *s, int wait_status, const char *why);
// Ends all connections and threads. Accepts NULL.
void gb_serve_stop(struct gb_serve *s);
