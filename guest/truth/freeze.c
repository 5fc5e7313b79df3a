// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Runs in a guest: reads /proc twice while nothing else runs, then freezes the machine. See truth.h.
//
// usage: freeze MEGABYTES WORKLOAD [ARGUMENT]      (the workload writes a line when it is up)
//
// The order matters. The workload is forked before the buffer is filled: a fork afterwards would copy pages on write in the middle
// of the readings. One pass that is thrown away makes the kernel allocate what reading /proc takes (inodes, dentries, buffers).

#include "truth.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define DEBUG_EXIT_PORT 0x501
#define DEBUG_EXIT_VALUE 42 // QEMU exits with 2 * 42 + 1
#define MAX_THREADS 4096
#define MAX_TRIES 20
#define GIVE_UP_SECONDS 10

static struct gb_truth_page *pages;
static uint32_t page_count;
static uint32_t page_at;   // the page being filled
static uint32_t page_used; // of it
static bool discard;       // the first pass
static uint8_t chunk[65536];

__attribute__((format(printf, 1, 2))) static _Noreturn void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("freeze: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, " (%s)\n", strerror(errno));
	va_end(args);
	exit(1);
}

static void put(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (!discard && len > 0) {
		if (page_used == GB_TRUTH_PAYLOAD) {
			page_at++;
			page_used = 0;
		}
		if (page_at >= page_count)
			die("%u pages do not hold the truth: give it more memory", page_count);
		size_t n = GB_TRUTH_PAYLOAD - page_used;

		if (n > len)
			n = len;
		memcpy(pages[page_at].payload + page_used, p, n);
		page_used += (uint32_t)n;
		p += n;
		len -= n;
	}
}

// Where a section's length is, to be written when it is known.
struct mark {
	uint32_t page, used;
	struct gb_truth_section head;
};

static struct mark begin(const char *name, uint32_t pid, uint32_t reading)
{
	struct mark mark;

	// The head must not be torn over two pages: it is written again by end().
	if (page_used + sizeof(mark.head) > GB_TRUTH_PAYLOAD && !discard) {
		pages[page_at].used = page_used;
		page_at++;
		page_used = 0;
	}
	mark = (struct mark){.page = page_at,
			     .used = page_used,
			     .head = {.pid = pid, .reading = reading}};
	snprintf(mark.head.name, sizeof(mark.head.name), "%s", name);
	put(&mark.head, sizeof(mark.head));
	return mark;
}

static void end(struct mark *mark, uint64_t len)
{
	static const uint8_t zeros[8];

	mark->head.len = len;
	if (discard)
		return;
	memcpy(pages[mark->page].payload + mark->used, &mark->head, sizeof(mark->head));
	put(zeros, (size_t)(-len & 7));
}

// One file of /proc as a section. A file that is gone, or cannot be read (maps of a kernel thread), makes none.
static void put_file(const char *name, uint32_t pid, uint32_t reading, const char *path)
{
	uint64_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	ssize_t n = read(fd, chunk, sizeof(chunk));
	if (n > 0) {
		struct mark mark = begin(name, pid, reading);

		for (; n > 0; n = read(fd, chunk, sizeof(chunk))) {
			put(chunk, (size_t)n);
			len += (uint64_t)n;
		}
		end(&mark, len);
	}
	close(fd);
}

static void put_link(const char *name, uint32_t pid, uint32_t reading, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n <= 0)
		return;
	struct mark mark = begin(name, pid, reading);
	put(target, (size_t)n);
	end(&mark, (uint64_t)n);
}

// The pages of one mapping that are there; returns the bytes written.
static uint64_t put_range(int fd, uint64_t start, uint64_t end_address)
{
	uint64_t written = 0;

	for (uint64_t at = start; at < end_address;) {
		uint64_t *entries = (uint64_t *)(void *)chunk;
		uint64_t want = (end_address - at) / 4096 * sizeof(*entries);
		ssize_t n = pread(fd, entries, want < sizeof(chunk) ? want : sizeof(chunk),
				  (off_t)(at / 4096 * 8));

		if (n <= 0)
			break;
		for (size_t i = 0; i < (size_t)n / sizeof(*entries); i++, at += 4096) {
			struct gb_truth_mapping mapping = {at, entries[i]};

			if (!(entries[i] >> 62))
				continue;
			put(&mapping, sizeof(mapping));
			written += sizeof(mapping);
		}
	}
	return written;
}

static void put_pagemap(uint32_t pid, uint32_t reading)
{
	char path[64], line[PATH_MAX + 128];
	uint64_t len = 0, start, stop;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	FILE *maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%u/pagemap", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (maps && fd >= 0 && fgets(line, sizeof(line), maps)) {
		struct mark mark = begin("pagemap", pid, reading);

		do {
			// [vsyscall] stands in the kernel's half, where pagemap does not reach.
			if (sscanf(line, "%lx-%lx", &start, &stop) == 2 && !(start >> 63))
				len += put_range(fd, start, stop);
		} while (fgets(line, sizeof(line), maps));
		end(&mark, len);
	}
	if (maps)
		fclose(maps);
	if (fd >= 0)
		close(fd);
}

// A thread's number goes into a section of the process, what is known of it into one of its own.
static void put_tasks(uint32_t pid, uint32_t reading)
{
	uint32_t tids[MAX_THREADS];
	size_t count = 0;
	char path[320];

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	DIR *dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		if (count == MAX_THREADS)
			die("process %u has more than %d threads", pid, MAX_THREADS);
		tids[count++] = (uint32_t)strtoul(e->d_name, NULL, 10);
	}
	closedir(dir);
	struct mark mark = begin("threads", pid, reading);
	put(tids, count * sizeof(*tids));
	end(&mark, count * sizeof(*tids));
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", pid, tids[i]);
		put_file("task", tids[i], reading, path);
	}
}

static void put_descriptors(uint32_t pid, uint32_t reading)
{
	char path[320], target[PATH_MAX];
	uint64_t len = 0;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	DIR *dir = opendir(path);
	if (!dir)
		return;
	struct mark mark = begin("fd", pid, reading);
	for (struct dirent *e; (e = readdir(dir));) {
		snprintf(path, sizeof(path), "/proc/%u/fd/%s", pid, e->d_name);
		ssize_t n = readlink(path, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		put(e->d_name, strlen(e->d_name) + 1);
		put(target, (size_t)n + 1);
		len += strlen(e->d_name) + 1 + (size_t)n + 1;
	}
	end(&mark, len);
	closedir(dir);
}

static void put_process(uint32_t pid, uint32_t reading)
{
	static const char *const files[] = {"stat", "status", "cmdline", "maps"};
	char path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/proc/%u/%s", pid, files[i]);
		put_file(files[i], pid, reading, path);
	}
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	put_link("exe", pid, reading, path);
	put_descriptors(pid, reading);
	put_tasks(pid, reading);
	put_pagemap(pid, reading);
}

static void put_files(const char *const *files, size_t count, uint32_t reading)
{
	char path[64];

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/proc/%s", files[i]);
		put_file(files[i], 0, reading, path);
	}
}

static void put_log(uint32_t reading)
{
	static char text[1 << 19];
	int n = klogctl(3, text, sizeof(text)); // SYSLOG_ACTION_READ_ALL

	if (n <= 0)
		die("the kernel's log");
	struct mark mark = begin("log", 0, reading);
	put(text, (size_t)n);
	end(&mark, (uint64_t)n);
}

static void take(uint32_t reading)
{
	static const char *const counters[] = {"meminfo", "zoneinfo", "vmallocinfo", "kpagecount",
					       "kpageflags"};
	DIR *dir = opendir("/proc");

	if (!dir)
		die("/proc");
	for (struct dirent *e; (e = readdir(dir));) {
		if (isdigit((unsigned char)e->d_name[0]))
			put_process((uint32_t)strtoul(e->d_name, NULL, 10), reading);
	}
	closedir(dir);
	put_files(counters, sizeof(counters) / sizeof(*counters), reading);
	put_log(reading);
}

static void take_constants(void)
{
	static const char *const files[] = {"version", "cmdline", "cpuinfo",
					    "iomem",   "modules", "kallsyms"};

	put_files(files, sizeof(files) / sizeof(*files), 1);
}

static void seal(void)
{
	// Not one string in the program: see truth.h.
	const char *halves[] = {"GlassBox", " truth:1"};

	pages[page_at].used = page_used;
	for (uint32_t i = 0; i <= page_at; i++) {
		memcpy(pages[i].magic, halves[0], 8);
		memcpy(pages[i].magic + 8, halves[1], 8);
		pages[i].index = i;
		pages[i].total = page_at + 1;
		if (!pages[i].used)
			pages[i].used = GB_TRUTH_PAYLOAD;
		pages[i].hash = gb_truth_hash(pages[i].payload, pages[i].used);
	}
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("cannot stay on processor %d", cpu);
}

static void become_first(void)
{
	struct sched_param param = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};

	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		die("no real-time priority");
}

static volatile int spinning;

static void *spin(void *cpu)
{
	stay_on((int)(intptr_t)cpu);
	become_first();
	__atomic_fetch_add(&spinning, 1, __ATOMIC_SEQ_CST);
	for (;;)
		;
	return NULL;
}

static void stop_everything_else(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_attr_t attr;

	// By default real-time tasks leave 5 % of the time to others.
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "-1", 2) != 2)
		die("cannot lift the limit of real-time tasks");
	close(fd);
	// A thread starts here, as one among others, and goes to its place by itself: only then may this one be first here.
	stay_on(0);
	// All memory of this program is locked, stacks of 8 MiB would be, too.
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (long i = 1; i < cpus; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &attr, spin, (void *)(intptr_t)i) != 0)
			die("no thread for processor %ld", i);
	}
	while (spinning < cpus - 1)
		sched_yield();
	become_first();
}

static void start_workload(char **command)
{
	char line[64];
	int ends[2];

	if (pipe(ends) < 0)
		die("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		execv(command[0], command);
		_exit(127);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], line, sizeof(line)) <= 0)
		die("the workload %s did not start", command[0]);
	close(ends[0]);
}

static void allocate(const char *megabytes)
{
	size_t size = strtoul(megabytes, NULL, 10) << 20;

	pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		die("no %s MiB of memory", megabytes);
	madvise(pages, size, MADV_NOHUGEPAGE);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		die("cannot lock the memory");
	memset(pages, 0, size);
	page_count = (uint32_t)(size / sizeof(*pages));
}

static long times_left(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

// A lock that a stopped task holds makes this one wait for it, and others run meanwhile. And since 6.12 the scheduler gives ordinary
// tasks 50 ms whenever a real-time one has kept them waiting for 950 (kernel/sched/deadline.c, the fair server). Then both
// readings are taken again: the holder has let go, nobody waits any more.
static void take_twice(void)
{
	uint32_t first_page = page_at, first_used = page_used;
	long left;

	for (int tries = 0; tries < MAX_TRIES; tries++) {
		for (uint32_t i = first_page; i <= page_at; i++)
			pages[i].used = 0;
		page_at = first_page;
		page_used = first_used;
		left = times_left();
		take(1);
		take(2);
		if (times_left() == left)
			return;
	}
	die("in %d tries something else ran while /proc was read", MAX_TRIES);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: freeze MEGABYTES WORKLOAD [ARGUMENT]\n", stderr);
		return 2;
	}
	start_workload(argv + 2);
	allocate(argv[1]);
	if (ioperm(DEBUG_EXIT_PORT, 4, 1) < 0)
		die("cannot reach the debug-exit port");
	take_constants();
	stop_everything_else();
	discard = true;
	take(0);
	discard = false;
	take_twice();
	struct mark last = begin("end", 0, 2);
	end(&last, 0);
	seal();
	outl(DEBUG_EXIT_VALUE, DEBUG_EXIT_PORT);
	// QEMU stops the processor only when its main loop comes to it: until then nothing else may run either.
	for (time_t end = time(NULL) + GIVE_UP_SECONDS; time(NULL) < end;)
		;
	die("port %#x did not end QEMU: it lacks -device isa-debug-exit,iobase=%#x,iosize=4",
	    DEBUG_EXIT_PORT, DEBUG_EXIT_PORT);
}
