// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// bench kernel: understanding a guest from its RAM.
//
// Two real guests, one after the other: the default one, for a cold attach; and one of 1 GiB, with
// more than 100 processes and most of its memory in use, for what is done again and again. A cold
// attach opens the RAM file, finds the kernel with all its symbols and types, and lists the
// processes, on one core; nothing is kept from the one before.
#include "bench/guest.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/frames.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WARM 2
#define RUNS 21
#define PROCESSES 100

static char *const crowd[] =
	{(char[]){"/bin/sh"}, (char[]){"-c"},
	 (char[]){"n=0; while [ $n -lt 110 ]; do sleep 100000 & n=$((n + 1)); done; "
		  "dd if=/dev/zero of=/tmp/fill bs=1M count=450 && ls -l /tmp/fill"},
	 NULL};

static const struct kind {
	const char *suffix;
	uint64_t memory;
	char *const *command;
	double attach_target_ms; // 0: none
} kinds[] = {
	{"128m", (uint64_t)128 << 20, NULL, 60},
	{"1g", (uint64_t)1 << 30, crowd, 0},
};

struct bed {
	struct gb_bench *bench;
	const struct kind *kind;
	struct gb_vm_info vm;
	struct gb_ram *ram;
	struct gb_kernel *kernel;
	struct gb_arena arena, frames_arena;
	struct gb_processes processes; // with VMAs, for the owners
	struct gb_frames frames;
	double find_ms[WARM + RUNS]; // what finding alone took
	// processor time of each attach and classification: on a busy machine the wall clock says
	// little
	double attach_cpu_ms[WARM + RUNS], owners_cpu_ms[WARM + RUNS];
	unsigned attached, classified;
};

static double thread_cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int attach(void *arg, struct gb_error *err)
{
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *ram = NULL;
	GB_CLEANUP(gb_kernel_cleanup) struct gb_kernel *k = NULL;
	GB_CLEANUP(gb_arena_deinit) struct gb_arena arena = {};
	struct bed *b = arg;
	struct gb_processes p;
	double cpu = thread_cpu_ms();
	int r = gb_vm_open_ram(&b->vm, &ram, err);

	if (r == 0)
		r = gb_kernel_open(ram, &(struct gb_kernel_options){}, &k, err);
	if (r == 0)
		r = gb_process_list(k, GB_PROCESS_ARGS, &arena, &p, err);
	if (r != 0)
		return r;
	b->find_ms[b->attached] = gb_kernel_info(k)->attach_ms;
	b->attach_cpu_ms[b->attached++] = thread_cpu_ms() - cpu;
	return 0;
}

static int refresh(void *arg, struct gb_error *err)
{
	struct gb_processes p;
	struct bed *b = arg;

	gb_arena_reset(&b->arena);
	return gb_process_list(b->kernel, GB_PROCESS_VMAS, &b->arena, &p, err);
}

static int classify(void *arg, struct gb_error *err)
{
	struct bed *b = arg;
	double cpu = thread_cpu_ms();
	int r = gb_frames_classify(b->kernel, &b->processes, &b->frames, err);

	b->owners_cpu_ms[b->classified++] = thread_cpu_ms() - cpu;
	return r;
}

// One core for what is measured; the guest may have the others.
static int race(struct gb_bench_job *jobs, size_t count, struct gb_error *err)
{
	cpu_set_t all, one;
	int r;

	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	sched_getaffinity(0, sizeof(all), &all);
	sched_setaffinity(0, sizeof(one), &one);
	r = gb_bench_race(jobs, count, WARM, RUNS, err);
	sched_setaffinity(0, sizeof(all), &all);
	return r;
}

static const char *name(const struct bed *b, const char *what, char text[48])
{
	snprintf(text, 48, "%s-%s", what, b->kind->suffix);
	return text;
}

static int measure_attach(struct bed *b, struct gb_error *err)
{
	struct gb_bench_job job = {.run = attach, .arg = b};
	char text[48];
	int r = race(&job, 1, err);

	if (r != 0)
		return r;
	if (b->kind->attach_target_ms > 0)
		gb_bench_at_most(b->bench, name(b, "attach", text), gb_bench_ns(&job) / 1e6, "ms",
				 b->kind->attach_target_ms);
	else
		gb_bench_note(b->bench, name(b, "attach", text), gb_bench_ns(&job) / 1e6, "ms");
	gb_bench_note(b->bench, name(b, "attach-cpu", text),
		      gb_median(b->attach_cpu_ms + WARM, RUNS), "ms");
	gb_bench_note(b->bench, name(b, "find", text), gb_median(b->find_ms + WARM, RUNS), "ms");
	return 0;
}

static int open_kernel(struct bed *b, struct gb_error *err)
{
	int r = gb_vm_open_ram(&b->vm, &b->ram, err);

	if (r == 0)
		r = gb_kernel_open(b->ram, &(struct gb_kernel_options){}, &b->kernel, err);
	if (r == 0)
		r = gb_process_list(b->kernel, GB_PROCESS_VMAS, &b->frames_arena, &b->processes,
				    err);
	return r;
}

static int measure_refresh(struct bed *b, struct gb_error *err)
{
	struct gb_bench_job jobs[] = {{.run = refresh, .arg = b}, {.run = classify, .arg = b}};
	size_t vmas = 0, threads = 0, users = 0;
	double scale;
	int r = open_kernel(b, err);

	for (size_t i = 0; r == 0 && i < b->processes.count; i++) {
		vmas += b->processes.list[i].vma_count;
		threads += b->processes.list[i].thread_count;
		users += !b->processes.list[i].kernel_thread;
	}
	if (r == 0 && users < PROCESSES)
		r = gb_fail(err, GB_EVERIFY, "the guest has %zu processes, not %d", users,
			    PROCESSES);
	if (r == 0)
		r = race(jobs, 2, err);
	if (r != 0)
		return r;
	scale = (double)PROCESSES / (double)b->processes.count;
	gb_bench_note(b->bench, "refresh-processes", (double)b->processes.count, "");
	gb_bench_note(b->bench, "refresh-threads", (double)threads, "");
	gb_bench_note(b->bench, "refresh-vmas", (double)vmas, "");
	gb_bench_at_most(b->bench, "refresh-all", gb_bench_ns(&jobs[0]) / 1e6, "ms", 1);
	gb_bench_note(b->bench, "refresh-of-100", gb_bench_ns(&jobs[0]) / 1e6 * scale, "ms");
	gb_bench_at_most(b->bench, "owners-1g", gb_bench_ns(&jobs[1]) / 1e6, "ms", 10);
	gb_bench_note(b->bench, "owners-cpu-1g", gb_median(b->owners_cpu_ms + WARM, RUNS), "ms");
	gb_bench_note(b->bench, "owners-unknown",
		      100.0 * (double)b->frames.by_class[GB_FRAME_UNKNOWN] /
			      (double)b->frames.count,
		      "% of frames");
	return 0;
}

static int measure(struct bed *b, struct gb_error *err)
{
	int r = measure_attach(b, err);

	return r == 0 && b->kind->command ? measure_refresh(b, err) : r;
}

static int measure_guest(const struct gb_machine *m, void *arg, struct gb_error *err)
{
	struct bed *b = arg;

	b->vm = *gb_machine_info(m);
	return measure(b, err);
}

static int run_kind(struct gb_bench *bench, const struct kind *kind, int interrupt_fd,
		    struct gb_error *err)
{
	struct bed b = {.bench = bench, .kind = kind};
	struct gb_bench_guest guest = {
		.name = "bench-kernel",
		.request = {.target = "debian",
			    .accel = "tcg",
			    .memory = kind->memory,
			    .command = (char **)(uintptr_t)kind->command,
			    .interrupt_fd = interrupt_fd},
		.measure = measure_guest,
		.arg = &b,
	};
	char text[64];
	int r;

	snprintf(text, sizeof(text), "kernel: a guest of %s", kind->suffix);
	gb_bench_say(bench, text);
	r = gb_bench_guest_run(&guest, err);
	gb_frames_deinit(&b.frames);
	gb_arena_deinit(&b.arena);
	gb_arena_deinit(&b.frames_arena);
	gb_kernel_close(b.kernel);
	gb_ram_close(b.ram);
	return r;
}

static int run_kinds(struct gb_bench *b, int interrupt_fd, struct gb_error *err)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && r == 0; i++)
		r = run_kind(b, &kinds[i], interrupt_fd, err);
	return r;
}

int gb_bench_kernel(struct gb_bench *b, struct gb_error *err)
{
	return gb_bench_with_qemu(b, run_kinds, err);
}
