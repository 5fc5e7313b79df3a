// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// bench ram: how much a guest is slowed down by being watched.
//
// The guest is the 100 bytes below, in place of a firmware: they fill 48 MiB of RAM, then for ever
// do a fixed amount of arithmetic, say 'c', do a fixed number of additions all over 8 MiB, say 'm'.
// Time is taken here, from letter to letter. Every other window of letters, a thread looks for
// dirty frames on one core: as often as the page does, then as often as any viewer may ask for. The
// additions are the worst that there is for it: what they write lies in the processor's cache, at random,
// and a look takes it away from there. What counts is the median, over all
// pairs of neighbouring windows, of the time with the watcher by the time without; the same of two
// windows without tells how much of that is noise.
#include "bench/bench.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "ram/dirty.h"
#include "vm/spawn.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define RAM_MIB 64u
#define BIOS_SIZE 65536u
#define RESET_VECTOR 0xfff0u
#define PATIENCE (90 * GB_SECOND) // fewer windows on a machine that is too busy
#define WINDOWS 60u               // even ones without the watcher, odd ones with; each of ROUNDS
#define ROUNDS 11u                // of both letters
#define PAGE_HZ 20u               // web/api.js
#define MOST_HZ 60u               // docs/protocol.md

// Real mode at the reset vector, then flat 32 bits. The image is seen at 0xf0000 too.
__asm__(".pushsection .rodata\n"
	".code16\n"
	"guest_code:\n"
	"	cli\n"
	"	lgdtl %cs:(guest_gdt_pointer - guest_code)\n"
	"	movl %cr0, %eax\n"
	"	orl $1, %eax\n"
	"	movl %eax, %cr0\n"
	"	ljmpl $8, $(0xf0000 + guest_32 - guest_code)\n"
	".code32\n"
	"guest_32:\n"
	"	movl $16, %eax\n"
	"	movl %eax, %ds\n"
	"	movl %eax, %es\n"
	"	movl $0x100000, %edi\n"
	"	movl $(48 << 18), %ecx\n" // words in 48 MiB
	"guest_fill:\n"
	"	movl %edi, (%edi)\n"
	"	addl $4, %edi\n"
	"	decl %ecx\n"
	"	jnz guest_fill\n"
	"guest_round:\n"
	"	movl $500000, %ecx\n"
	"guest_compute:\n"
	"	imull $1664525, %eax, %eax\n"
	"	addl $1013904223, %eax\n"
	"	decl %ecx\n"
	"	jnz guest_compute\n"
	"	movl %eax, %ebx\n"
	"	movb $'c', %al\n"
	"	outb %al, $0xe9\n"
	"	movl $150000, %ecx\n"
	"guest_memory:\n"
	"	imull $1664525, %ebx, %ebx\n"
	"	addl $1013904223, %ebx\n"
	"	movl %ebx, %edx\n"
	"	shrl $7, %edx\n"
	"	andl $0x7ffffc, %edx\n"
	"	addl %ebx, 0x200000(%edx)\n"
	"	decl %ecx\n"
	"	jnz guest_memory\n"
	"	movb $'m', %al\n"
	"	outb %al, $0xe9\n"
	"	movl %ebx, %eax\n"
	"	jmp guest_round\n"
	".balign 8\n"
	"guest_gdt:\n"
	"	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n" // code, data: flat
	"guest_gdt_pointer:\n"
	"	.word 23\n"
	"	.long 0xf0000 + guest_gdt - guest_code\n"
	"guest_code_end:\n"
	".code64\n"
	".popsection\n");
extern const uint8_t guest_code[], guest_code_end[];

struct guest {
	int ram_fd, bios_fd;
	int letters; // what the guest says, and QEMU complains
	pid_t pid;
	struct gb_ram *ram;
	struct gb_dirty *dirty;
	pthread_t watcher;
	bool watched; // the thread runs
	atomic_bool watch, stop;
	_Atomic(unsigned) hz;
	_Atomic(unsigned) scans, failed;
	_Atomic(uint64_t) dirty_frames;
};

static int make_bios(struct guest *g, struct gb_error *err)
{
	static const uint8_t jump_to_0[] = {0xe9, 0x0d, 0x00};
	size_t len = (size_t)(guest_code_end - guest_code);

	g->bios_fd = memfd_create("bench-bios", MFD_CLOEXEC);
	if (g->bios_fd < 0 || ftruncate(g->bios_fd, BIOS_SIZE) != 0 ||
	    pwrite(g->bios_fd, guest_code, len, 0) != (ssize_t)len ||
	    pwrite(g->bios_fd, jump_to_0, sizeof(jump_to_0), RESET_VECTOR) != sizeof(jump_to_0))
		return gb_fail_os(err, "cannot make the guest's firmware");
	g->ram_fd = memfd_create("bench-guest", MFD_CLOEXEC);
	if (g->ram_fd < 0 || ftruncate(g->ram_fd, (off_t)RAM_MIB << 20) != 0)
		return gb_fail_os(err, "cannot make the guest's RAM");
	return 0;
}

static int start_qemu(struct guest *g, struct gb_error *err)
{
	char bios[64], backend[160];
	const char *argv[] = {"qemu-system-x86_64",
			      "-nodefaults",
			      "-no-user-config",
			      "-display",
			      "none",
			      "-accel",
			      "tcg",
			      "-machine",
			      "pc,memory-backend=ram",
			      "-object",
			      backend,
			      "-bios",
			      bios,
			      "-debugcon",
			      "file:/dev/stderr",
			      NULL};

	snprintf(bios, sizeof(bios), "/proc/%d/fd/%d", getpid(), g->bios_fd);
	snprintf(backend, sizeof(backend),
		 "memory-backend-file,id=ram,size=%uM,share=on,mem-path=/proc/%d/fd/%d", RAM_MIB,
		 getpid(), g->ram_fd);
	return gb_spawn(argv, &g->pid, &g->letters, err);
}

static int read_letter(struct guest *g, char *ret, struct gb_error *err)
{
	struct pollfd p = {.fd = g->letters, .events = POLLIN};
	int n = poll(&p, 1, 20000);

	if (n == 0)
		return gb_fail(err, GB_ETIMEOUT, "the guest said nothing for 20 s");
	if (n < 0 || read(g->letters, ret, 1) != 1)
		return gb_fail(err, GB_EGONE, "the guest ended");
	return 0;
}

enum measure { COMPUTE, COMPUTE_CPU, MEMORY, MEMORY_CPU, MEASURES };

struct instant {
	uint64_t wall, cpu; // ns
};

static struct instant look_at_clocks(const struct guest *g)
{
	struct instant now = {.wall = gb_clock_ns()};
	struct timespec t;
	clockid_t id;

	if (clock_getcpuclockid(g->pid, &id) == 0 && clock_gettime(id, &t) == 0)
		now.cpu = (uint64_t)t.tv_sec * GB_SECOND + (uint64_t)t.tv_nsec;
	return now;
}

// Time from the last letter to the wanted one: wall clock and QEMU's processor time.
static int time_letter(struct guest *g, char wanted, struct instant *last, double *wall_ret,
		       double *cpu_ret, struct gb_error *err)
{
	char letter = 0;
	int r = read_letter(g, &letter, err);
	struct instant now = look_at_clocks(g);

	if (r != 0)
		return r;
	if (letter != wanted)
		return gb_fail(err, GB_EFORMAT, "the guest said something else: 0x%02x", letter);
	*wall_ret = (double)(now.wall - last->wall);
	*cpu_ret = (double)(now.cpu - last->cpu);
	*last = now;
	return 0;
}

static void scan(struct guest *g)
{
	struct gb_dirty_result result = {};

	if (gb_dirty_scan(g->dirty, NULL, NULL, &result, NULL) != 0)
		atomic_fetch_add(&g->failed, 1);
	atomic_fetch_add(&g->scans, 1);
	atomic_fetch_add(&g->dirty_frames, result.changed_count);
}

static void *watch(void *arg)
{
	struct guest *g = arg;

	while (!atomic_load(&g->stop)) {
		const struct timespec pause = {.tv_nsec = (long)(GB_SECOND / g->hz)};

		if (atomic_load(&g->watch))
			scan(g);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static int start(struct guest *g, struct gb_error *err)
{
	int r = make_bios(g, err);

	if (r == 0)
		r = start_qemu(g, err);
	if (r == 0)
		r = gb_ram_open_fd(g->ram_fd, NULL, &g->ram, err);
	if (r == 0)
		r = gb_dirty_new(g->ram, &g->dirty, err);
	if (r != 0)
		return r;
	gb_dirty_set_cores(g->dirty, 1);
	if (pthread_create(&g->watcher, NULL, watch, g) != 0)
		return gb_fail_os(err, "cannot start a thread");
	g->watched = true;
	return 0;
}

static void end(struct guest *g)
{
	atomic_store(&g->stop, true);
	if (g->watched)
		pthread_join(g->watcher, NULL);
	if (g->pid > 0) {
		kill(g->pid, SIGKILL);
		waitpid(g->pid, NULL, 0);
	}
	gb_dirty_free(g->dirty);
	gb_ram_close(g->ram);
	gb_cleanup_fd(&g->letters);
	gb_cleanup_fd(&g->ram_fd);
	gb_cleanup_fd(&g->bios_fd);
}

struct windows {
	unsigned count;
	double ns[MEASURES][WINDOWS]; // of a round: median of the wall clock, mean processor time
};

// On a busy machine we may read two letters at once, and the second then took no time at all.
static double mean(const double *values, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += values[i];
	return sum / n;
}

static int measure_window(struct guest *g, double ret[MEASURES], struct gb_error *err)
{
	double ns[MEASURES][ROUNDS];
	struct instant last = look_at_clocks(g);
	int r = 0;

	for (unsigned i = 0; i < ROUNDS && r == 0; i++) {
		r = time_letter(g, 'c', &last, &ns[COMPUTE][i], &ns[COMPUTE_CPU][i], err);
		if (r == 0)
			r = time_letter(g, 'm', &last, &ns[MEMORY][i], &ns[MEMORY_CPU][i], err);
	}
	if (r != 0)
		return r;
	for (unsigned m = 0; m < MEASURES; m += 2) { // the first round began before this window
		ret[m] = gb_median(ns[m] + 1, ROUNDS - 1);
		ret[m + 1] = mean(ns[m + 1] + 1, ROUNDS - 1);
	}
	return 0;
}

static int measure(struct guest *g, unsigned hz, struct windows *w, struct gb_error *err)
{
	uint64_t end = gb_clock_ns() + PATIENCE;
	double window[MEASURES];
	int r = 0;

	g->hz = hz;
	w->count = 0;
	for (unsigned i = 0; i < 6 && r == 0; i++) { // the filling, and the watcher's first look
		r = measure_window(g, window, err);
		atomic_store(&g->watch, i == 2);
	}
	for (unsigned i = 0; i < WINDOWS && r == 0 && gb_clock_ns() < end; i++) {
		atomic_store(&g->watch, i % 2 == 1);
		r = measure_window(g, window, err);
		for (unsigned m = 0; m < MEASURES && r == 0; m++)
			w->ns[m][i] = window[m];
		w->count = i + 1;
	}
	if (r == 0 && w->count < 4)
		r = gb_fail(err, GB_ETIMEOUT, "the machine is too busy to measure a guest");
	return r;
}

// Median of (window b of each four) by (window a of each four).
static double compare(const double *windows, unsigned count, unsigned a, unsigned b)
{
	double ratios[WINDOWS / 4];
	unsigned n = 0;

	for (unsigned i = 0; i + 3 < count; i += 4)
		ratios[n++] = windows[i + b] / windows[i + a];
	return gb_median(ratios, n);
}

static void report(struct gb_bench *b, const struct guest *g, const struct windows *page,
		   const struct windows *most)
{
	static const struct {
		enum measure measure;
		const char *name, *noise, *most; // most: what is promised has one
	} rows[] = {
		{COMPUTE, "guest-compute-time", "guest-compute-noise", "guest-compute-time-60hz"},
		{COMPUTE_CPU, "guest-compute-cpu", "guest-compute-cpu-noise", NULL},
		{MEMORY, "guest-memory-time", "guest-memory-noise", "guest-memory-time-60hz"},
		{MEMORY_CPU, "guest-memory-cpu", "guest-memory-cpu-noise", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const double *ns = page->ns[rows[i].measure];
		double slow = compare(ns, page->count, 0, 1);

		if (rows[i].most)
			gb_bench_at_most(b, rows[i].name, slow, "x unwatched", 1.01);
		else
			gb_bench_note(b, rows[i].name, slow, "x unwatched");
		gb_bench_note(b, rows[i].noise, compare(ns, page->count, 0, 2), "x itself");
		if (rows[i].most)
			gb_bench_note(b, rows[i].most,
				      compare(most->ns[rows[i].measure], most->count, 0, 1),
				      "x unwatched");
	}
	gb_bench_note(b, "guest-scans", g->scans, "scans");
	gb_bench_note(b, "guest-dirty-frames", (double)g->dirty_frames / (g->scans + !g->scans),
		      "per scan");
}

int gb_bench_ram_guest(struct gb_bench *b, struct gb_error *err)
{
	struct guest g = {.ram_fd = -1, .bios_fd = -1, .letters = -1};
	struct windows page, most;
	int r;

	if (gb_parallel_width() < 2) {
		gb_bench_skip(b, "guest-compute-time",
			      "one core: guest and watcher would share it");
		return 0;
	}
	r = start(&g, err);
	if (r == 0)
		r = measure(&g, PAGE_HZ, &page, err);
	if (r == 0)
		r = measure(&g, MOST_HZ, &most, err);
	if (r == 0 && g.failed)
		r = gb_fail(err, GB_EVERIFY, "%u scans of the guest's RAM failed", g.failed);
	if (r == 0)
		report(b, &g, &page, &most);
	end(&g);
	if (r != GB_ELACKS)
		return r;
	gb_bench_skip(b, "guest-compute-time", "there is no QEMU: see glassbox doctor");
	return 0;
}
