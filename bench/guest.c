// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A guest for a bench.
#include "bench/guest.h"
#include "cmd/signals.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/qemu_version.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define GUEST_LIMIT (180 * GB_SECOND)

// Of the children that have ended.
static double children_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int await(struct gb_machine *m, enum gb_step wanted, struct gb_error *err)
{
	uint64_t deadline = gb_clock_ns() + GUEST_LIMIT;
	enum gb_step step = GB_STEP_TIMEOUT;
	int r = 0;

	do
		r = gb_machine_step(m, deadline, &step, err);
	while (r == 0 && step == GB_STEP_READY && step != wanted);
	if (r != 0 || step == wanted)
		return r;
	if (step == GB_STEP_INTERRUPT)
		return gb_fail(err, GB_ECANCELLED, "interrupted");
	if (step == GB_STEP_ENDED && gb_machine_end_reason(m, err) != 0)
		return GB_EGONE;
	return gb_fail(err, step == GB_STEP_TIMEOUT ? GB_ETIMEOUT : GB_EGONE,
		       "the guest did not come up; 'glassbox run' shows its console");
}

static int prepare(struct gb_bench_guest *g, struct gb_plan *p, struct gb_claim *claim,
		   struct gb_vm_info *info, struct gb_error *err)
{
	int r = gb_guest_plan(&g->request, p, err);

	if (r == 0)
		r = gb_claim_take(g->name, false, claim, err);
	if (r == 0)
		r = gb_claim_sign(claim, info, err);
	if (r == 0)
		r = gb_claim_place_ram(claim, gb_guest_room(p), info, err);
	return r == 0 ? gb_guest_seed(p, claim, g->request.command, g->request.interrupt_fd, err)
		      : r;
}

static int run_planned(struct gb_bench_guest *g, struct gb_plan *p, struct gb_error *err)
{
	GB_CLEANUP(gb_claim_release) struct gb_claim claim = GB_CLAIM_NONE;
	struct gb_vm_info info = {};
	struct gb_machine_start start = {.config = &p->config,
					 .claim = &claim,
					 .info = &info,
					 .interrupt_fd = g->request.interrupt_fd,
					 .input_fd = -1};
	struct gb_machine *m = NULL;
	double before;
	int r = prepare(g, p, &claim, &info, err);

	if (r != 0)
		return r;
	before = children_cpu_s();
	r = gb_machine_start(&start, &m, err);
	if (r == 0)
		r = await(m, g->request.command ? GB_STEP_COMMAND_ENDED : GB_STEP_READY, err);
	if (r == 0)
		r = g->measure(m, g->arg, err);
	gb_machine_stop(m, true);
	g->cpu_s = children_cpu_s() - before;
	return r;
}

int gb_bench_guest_run(struct gb_bench_guest *g, struct gb_error *err)
{
	struct gb_plan *p = calloc(1, sizeof(*p));
	int r = p ? run_planned(g, p, err) : gb_fail(err, GB_ENOMEM, "no memory");

	free(p);
	return r;
}

int gb_bench_with_qemu(struct gb_bench *b, gb_bench_guest_fn *run, struct gb_error *err)
{
	int interrupt_fd = -1, r;
	sigset_t before;

	sigprocmask(SIG_SETMASK, NULL, &before);
	r = gb_signals_open(&interrupt_fd, err);
	if (r == 0)
		r = gb_qemu_check(interrupt_fd, err);
	if (r == 0)
		r = run(b, interrupt_fd, err);
	if (interrupt_fd >= 0)
		close(interrupt_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
