// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// bench boot: from exec of QEMU to userland ready, under TCG.
//
// Guests are started as `glassbox run` starts them, in turns. Ready is the guest's own word on its
// control port: network up and every service running, or (shell) its shell running. The processor
// time of QEMU is printed beside the wall clock: where they differ, the machine was busy.
#include "bench/bench.h"
#include "cmd/signals.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/guest.h"
#include "vm/machine.h"
#include "vm/qemu_version.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define WARM 1
#define RUNS 7
#define BOOT_LIMIT (60 * GB_SECOND)

static struct boot {
	const char *name, *guest, *machine, *append;
	double target; // seconds
	int interrupt_fd;
	struct gb_bench *bench;
	unsigned runs; // the first WARM of them do not count
	double wall[WARM + RUNS], cpu[WARM + RUNS];
} boots[] = {
	{.name = "tiny-q35", .guest = "tiny", .machine = "q35", .target = 0.80},
	{.name = "tiny-microvm-shell",
	 .guest = "tiny",
	 .machine = "microvm",
	 .append = "glassbox.services=no glassbox.net=no",
	 .target = 0.55},
	{.name = "debian-q35", .guest = "debian", .machine = "q35", .target = 1.6},
};

#define BOOTS (sizeof(boots) / sizeof(boots[0]))

static double children_cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int plan(const struct boot *b, struct gb_plan *ret, struct gb_error *err)
{
	struct gb_request request = {
		.target = b->guest,
		.machine = b->machine,
		.append = b->append,
		.accel = "tcg",
		.interrupt_fd = b->interrupt_fd,
	};

	return gb_guest_plan(&request, ret, err);
}

static int prepare(const struct boot *b, struct gb_plan *p, struct gb_claim *claim,
		   struct gb_vm_info *info, struct gb_error *err)
{
	int r = gb_claim_take("bench", false, claim, err);

	if (r == 0)
		r = gb_claim_sign(claim, info, err);
	if (r != 0)
		return r;
	r = gb_claim_place_ram(claim, p->config.memory, info, err);
	return r == 0 ? gb_guest_seed(p, claim, NULL, b->interrupt_fd, err) : r;
}

static int await_ready(struct gb_machine *m, struct gb_error *err)
{
	enum gb_step step;
	int r = gb_machine_step(m, gb_clock_ns() + BOOT_LIMIT, &step, err);

	if (r != 0 || step == GB_STEP_READY)
		return r;
	if (step == GB_STEP_INTERRUPT)
		return gb_fail(err, GB_ECANCELLED, "interrupted");
	if (step == GB_STEP_ENDED && gb_machine_end_reason(m, err) != 0)
		return GB_EGONE;
	return gb_fail(err, step == GB_STEP_TIMEOUT ? GB_ETIMEOUT : GB_EGONE,
		       "the guest did not come up; 'glassbox run' shows its console");
}

static int boot_planned(struct boot *b, struct gb_plan *p, struct gb_error *err)
{
	GB_CLEANUP(gb_claim_release) struct gb_claim claim = GB_CLAIM_NONE;
	struct gb_vm_info info = {};
	struct gb_machine_start start = {.config = &p->config,
					 .claim = &claim,
					 .info = &info,
					 .interrupt_fd = b->interrupt_fd,
					 .input_fd = -1};
	struct gb_machine *m = NULL;
	double cpu;
	int r = prepare(b, p, &claim, &info, err);

	if (r != 0)
		return r;
	cpu = children_cpu();
	r = gb_machine_start(&start, &m, err);
	if (r == 0)
		r = await_ready(m, err);
	if (r == 0)
		b->wall[b->runs] = (double)gb_machine_info(m)->boot_ns / GB_SECOND;
	gb_machine_stop(m, true);
	b->cpu[b->runs++] = children_cpu() - cpu;
	return r;
}

static int boot_once(void *arg, struct gb_error *err)
{
	struct boot *b = arg;
	struct gb_plan *p = calloc(1, sizeof(*p));
	char text[64];
	int r;

	if (!p)
		return gb_fail(err, GB_ENOMEM, "no memory");
	snprintf(text, sizeof(text), "boot: %s, %u of %u", b->name, b->runs + 1, WARM + RUNS);
	gb_bench_say(b->bench, text);
	r = plan(b, p, err);
	if (r == 0)
		r = boot_planned(b, p, err);
	if (r != 0)
		gb_error_prefix(err, "%s", b->name);
	free(p);
	return r;
}

static void report(struct boot *b)
{
	double *wall = b->wall + WARM, *cpu = b->cpu + WARM, least = wall[0];
	char name[48];

	for (unsigned i = 0; i < RUNS; i++)
		least = wall[i] < least ? wall[i] : least;
	gb_bench_at_most(b->bench, b->name, gb_median(wall, RUNS), "s", b->target);
	snprintf(name, sizeof(name), "%s-least", b->name);
	gb_bench_note(b->bench, name, least, "s");
	snprintf(name, sizeof(name), "%s-cpu", b->name);
	gb_bench_note(b->bench, name, gb_median(cpu, RUNS), "s of QEMU");
}

static int boot_all(struct gb_bench *bench, int interrupt_fd, struct gb_error *err)
{
	struct gb_bench_job jobs[BOOTS] = {};
	int r;

	for (size_t i = 0; i < BOOTS; i++) {
		boots[i].bench = bench;
		boots[i].interrupt_fd = interrupt_fd;
		boots[i].runs = 0;
		jobs[i] = (struct gb_bench_job){.run = boot_once, .arg = &boots[i]};
	}
	r = gb_bench_race(jobs, BOOTS, WARM, RUNS, err);
	for (size_t i = 0; i < BOOTS && r == 0; i++)
		report(&boots[i]);
	return r;
}

int gb_bench_boot(struct gb_bench *b, struct gb_error *err)
{
	int interrupt_fd = -1, r;
	sigset_t before;

	sigprocmask(SIG_SETMASK, NULL, &before);
	r = gb_signals_open(&interrupt_fd, err);
	if (r == 0)
		r = gb_qemu_check(interrupt_fd, err);
	if (r == 0)
		r = boot_all(b, interrupt_fd, err);
	if (interrupt_fd >= 0)
		close(interrupt_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
