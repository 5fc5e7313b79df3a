// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A guest for a bench: started as `glassbox run` starts one, measured, and ended.
#pragma once

#include "bench/bench.h"
#include "vm/guest.h"
#include "vm/machine.h"

struct gb_bench_guest {
	const char *name; // to claim
	struct gb_request request;
	// Called when the guest is up, or when request.command has ended if there is one.
	int (*measure)(const struct gb_machine *m, void *arg, struct gb_error *err);
	void *arg;
	double cpu_s; // set: processor time of QEMU from its start to its end, seconds
};

// Start the guest, call measure, end it. GB_ECANCELLED: request.interrupt_fd became readable.
int gb_bench_guest_run(struct gb_bench_guest *g, struct gb_error *err);

// Call run with a descriptor for request.interrupt_fd, if there is a QEMU.
typedef int gb_bench_guest_fn(struct gb_bench *b, int interrupt_fd, struct gb_error *err);
int gb_bench_with_qemu(struct gb_bench *b, gb_bench_guest_fn *run, struct gb_error *err);
