// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// bench boot: from exec of QEMU to userland ready, under TCG.
//
// Guests are started as `glassbox run` starts them, in turns. Ready is the guest's own word on its
// control port: network up and every service running, or (shell) its shell running. The processor
// time of QEMU is printed beside the wall clock: where they differ, the machine was busy.
#include "bench/guest.h"

#include "base/clock.h"

#include <stdio.h>

#define WARM 1
#define RUNS 7

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

static int note_time(const struct gb_machine *m, void *arg, struct gb_error *err)
{
	struct boot *b = arg;

	(void)err;
	b->wall[b->runs] = (double)gb_machine_info(m)->boot_ns / GB_SECOND;
	return 0;
}

static int boot_once(void *arg, struct gb_error *err)
{
	struct boot *b = arg;
	struct gb_bench_guest g = {
		.name = "bench",
		.request = {.target = b->guest,
			    .machine = b->machine,
			    .append = b->append,
			    .accel = "tcg",
			    .interrupt_fd = b->interrupt_fd},
		.measure = note_time,
		.arg = b,
	};
	char text[64];
	int r;

	snprintf(text, sizeof(text), "boot: %s, %u of %u", b->name, b->runs + 1, WARM + RUNS);
	gb_bench_say(b->bench, text);
	r = gb_bench_guest_run(&g, err);
	if (r != 0)
		gb_error_prefix(err, "%s", b->name);
	b->cpu[b->runs++] = g.cpu_s;
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
	return gb_bench_with_qemu(b, boot_all, err);
}
