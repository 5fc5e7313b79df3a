// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// bench ram: reading, copying and watching guest RAM, against memcpy and plain loops in the same
// run.
//
// "Warm" is what an observer has after its first second: the pages are in its page tables. "Cold"
// is the first look after opening: the kernel then fills in one table entry a page, which costs
// more than reading it.
#include "bench/bench.h"
#include "bench/plain_read.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "ram/dirty.h"
#include "ram/snapshot.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MIB ((size_t)1 << 20)
#define CHUNK MIB
#define WARM 2
#define RUNS 15
#define LOOKS 4096u // single reads in one run

// Guest RAM of one size, full of data, and private memory of the same size to compare with.
struct bed {
	struct gb_bench *bench;
	size_t size;
	const char *suffix; // of names
	int fd;
	char *guest;     // the guest's side
	char *from, *to; // private; huge pages where the machine has them
	struct gb_ram *ram;
	struct gb_ram *snapshot;
	struct gb_dirty *dirty;
	uint64_t sink; // so that no loop is optimised away
};

static void *map_private(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static void unmap(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

static void bed_deinit(struct bed *b)
{
	gb_dirty_free(b->dirty);
	gb_ram_close(b->snapshot);
	gb_ram_close(b->ram);
	unmap(b->guest, b->size);
	unmap(b->from, b->size);
	unmap(b->to, b->size);
	if (b->fd >= 0)
		close(b->fd);
}

// No two frames alike, no frame zero.
static void fill(char *p, size_t size)
{
	for (size_t i = 0; i < size; i += 8) {
		uint64_t v = (i + 1) * 0x9e3779b97f4a7c15;

		memcpy(p + i, &v, 8);
	}
}

static int make_guest(struct bed *b, struct gb_error *err)
{
	b->fd = memfd_create("bench-ram", MFD_CLOEXEC);
	if (b->fd < 0 || ftruncate(b->fd, (off_t)b->size) != 0)
		return gb_fail_os(err, "cannot make a RAM file of %zu MiB", b->size / MIB);
	b->guest = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (b->guest == MAP_FAILED) {
		b->guest = NULL;
		return gb_fail_os(err, "cannot map a RAM file of %zu MiB", b->size / MIB);
	}
	return 0;
}

static int bed_init(struct bed *b, struct gb_bench *bench, size_t size, const char *suffix,
		    struct gb_error *err)
{
	int r;

	*b = (struct bed){.bench = bench, .size = size, .suffix = suffix, .fd = -1};
	r = make_guest(b, err);
	if (r != 0)
		return r;
	b->from = map_private(size);
	b->to = map_private(size);
	if (!b->from || !b->to)
		return gb_fail(err, GB_ENOMEM, "no memory for twice %zu MiB", size / MIB);
	fill(b->guest, size);
	fill(b->from, size);
	memset(b->to, 1, size);
	r = gb_ram_open_fd(b->fd, NULL, &b->ram, err);
	return r != 0 ? r : gb_dirty_new(b->ram, &b->dirty, err);
}

static const char *named(const struct bed *b, const char *what, char buf[48])
{
	snprintf(buf, 48, "%s-%s", what, b->suffix);
	return buf;
}

static double gib_per_s(const struct bed *b, double ns)
{
	return (double)b->size / ns * 1e9 / (double)(1 << 30);
}

static int read_chunks(void *arg, struct gb_error *err)
{
	struct bed *b = arg;
	int r = 0;

	for (size_t at = 0; at < b->size && r == 0; at += CHUNK)
		r = gb_ram_read(b->ram, (gb_gpa){at}, b->to, CHUNK, err);
	return r;
}

static int copy_chunks(void *arg, struct gb_error *err)
{
	struct bed *b = arg;

	(void)err;
	for (size_t at = 0; at < b->size; at += CHUNK) {
		memcpy(b->to, b->from + at, CHUNK);
		b->sink += (uint8_t)b->to[at % CHUNK];
	}
	return 0;
}

static int look(void *arg, gb_gpa gpa, const uint8_t *bytes, size_t len)
{
	struct bed *b = arg;

	(void)gpa;
	b->sink += gb_plain_read_best()(bytes, len);
	return 0;
}

static int visit_all(void *arg, struct gb_error *err)
{
	struct bed *b = arg;

	return gb_ram_visit(b->ram, (gb_gpa){0}, b->size, look, b, err);
}

static int loop_over_private(void *arg, struct gb_error *err)
{
	struct bed *b = arg;

	(void)err;
	b->sink += gb_plain_read_best()((uint8_t *)b->from, b->size);
	return 0;
}

static int visit_cold(void *arg, struct gb_error *err)
{
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *ram = NULL;
	struct bed *b = arg;
	int r = gb_ram_open_fd(b->fd, NULL, &ram, err);

	return r != 0 ? r : gb_ram_visit(ram, (gb_gpa){0}, b->size, look, b, err);
}

static int bench_reads(struct bed *b, struct gb_error *err)
{
	struct gb_bench_job jobs[] = {{read_chunks, b},
				      {copy_chunks, b},
				      {visit_all, b},
				      {loop_over_private, b},
				      {visit_cold, b}};
	char name[48];
	int r = gb_bench_race(jobs, 5, WARM, RUNS, err);

	if (r != 0)
		return r;
	gb_bench_at_least(b->bench, named(b, "read", name), gb_bench_ratio(&jobs[1], &jobs[0]),
			  "of memcpy", 0.9);
	gb_bench_note(b->bench, named(b, "read-speed", name), gib_per_s(b, gb_bench_ns(&jobs[0])),
		      "GiB/s");
	gb_bench_note(b->bench, named(b, "visit", name), gb_bench_ratio(&jobs[3], &jobs[2]),
		      "of a plain loop");
	gb_bench_note(b->bench, named(b, "visit-speed", name), gib_per_s(b, gb_bench_ns(&jobs[2])),
		      "GiB/s");
	gb_bench_note(b->bench, named(b, "visit-cold", name), gb_bench_ns(&jobs[4]) / 1e6, "ms");
	return 0;
}

static int snapshot_again(void *arg, struct gb_error *err)
{
	struct bed *b = arg;

	return gb_ram_snapshot(b->ram, &b->snapshot, err);
}

static int copy_all(void *arg, struct gb_error *err)
{
	struct bed *b = arg;

	(void)err;
	memcpy(b->to, b->from, b->size);
	b->sink += (uint8_t)b->to[b->size / 2];
	return 0;
}

static int snapshot_fresh(void *arg, struct gb_error *err)
{
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *fresh = NULL;
	struct bed *b = arg;

	return gb_ram_snapshot(b->ram, &fresh, err);
}

static int copy_to_fresh(void *arg, struct gb_error *err)
{
	struct bed *b = arg;
	char *fresh = map_private(b->size);

	if (!fresh)
		return gb_fail(err, GB_ENOMEM, "no memory for %zu MiB", b->size / MIB);
	memcpy(fresh, b->from, b->size);
	b->sink += (uint8_t)fresh[b->size / 2];
	unmap(fresh, b->size);
	return 0;
}

static int bench_snapshots(struct bed *b, struct gb_error *err)
{
	struct gb_bench_job jobs[] = {{snapshot_again, b},
				      {copy_all, b},
				      {snapshot_fresh, b},
				      {copy_to_fresh, b}};
	char name[48];
	int r = gb_bench_race(jobs, 4, WARM, RUNS, err);

	if (r != 0)
		return r;
	gb_bench_at_most(b->bench, named(b, "snapshot", name), gb_bench_ratio(&jobs[0], &jobs[1]),
			 "x memcpy", 1.3);
	gb_bench_note(b->bench, named(b, "snapshot-time", name), gb_bench_ns(&jobs[0]) / 1e6, "ms");
	gb_bench_at_most(b->bench, named(b, "snapshot-fresh", name),
			 gb_bench_ratio(&jobs[2], &jobs[3]), "x fresh memcpy", 1.3);
	gb_bench_note(b->bench, named(b, "snapshot-fresh-time", name), gb_bench_ns(&jobs[2]) / 1e6,
		      "ms");
	return 0;
}

static uint64_t somewhere(const struct bed *b, uint64_t n)
{
	return (n * 0x9e3779b97f4a7c15 >> 20) % (b->size / GB_PAGE_SIZE) * GB_PAGE_SIZE;
}

static int read_frames(void *arg, struct gb_error *err)
{
	struct bed *b = arg;
	char frame[GB_PAGE_SIZE];
	int r = 0;

	for (uint64_t n = 0; n < LOOKS && r == 0; n++)
		r = gb_ram_read(b->ram, (gb_gpa){somewhere(b, n)}, frame, sizeof(frame), err);
	return r;
}

static int read_words(void *arg, struct gb_error *err)
{
	struct bed *b = arg;
	uint64_t v = 0;
	int r = 0;

	for (uint64_t n = 0; n < LOOKS && r == 0; n++) {
		r = gb_ram_read_u64(b->ram, (gb_gpa){n % 64 * GB_PAGE_SIZE + n * 8 % 4096}, &v,
				    err);
		b->sink += v;
	}
	return r;
}

static int pread_frames(void *arg, struct gb_error *err)
{
	struct bed *b = arg;
	char frame[GB_PAGE_SIZE];

	for (uint64_t n = 0; n < LOOKS; n++)
		if (pread(b->fd, frame, sizeof(frame), (off_t)somewhere(b, n)) !=
		    (ssize_t)sizeof(frame))
			return gb_fail_os(err, "cannot read the RAM file");
	return 0;
}

static int bench_single_reads(struct bed *b, struct gb_error *err)
{
	struct gb_bench_job jobs[] = {{read_frames, b}, {read_words, b}, {pread_frames, b}};
	char name[48];
	int r = gb_bench_race(jobs, 3, WARM, RUNS, err);

	if (r != 0)
		return r;
	gb_bench_at_most(b->bench, named(b, "read-4k", name), gb_bench_ns(&jobs[0]) / LOOKS / 1e3,
			 "us", 1);
	gb_bench_note(b->bench, named(b, "read-8", name), gb_bench_ns(&jobs[1]) / LOOKS, "ns");
	gb_bench_note(b->bench, named(b, "pread-4k", name), gb_bench_ns(&jobs[2]) / LOOKS / 1e3,
		      "us");
	return 0;
}

static int scan(void *arg, struct gb_error *err)
{
	struct gb_dirty_result result;
	struct bed *b = arg;

	return gb_dirty_scan(b->dirty, NULL, NULL, &result, err);
}

static int loop_on_all_cores(void *arg, struct gb_error *err)
{
	struct bed *b = arg;

	(void)err;
	b->sink += gb_plain_read_parallel((uint8_t *)b->guest, b->size);
	return 0;
}

static void count_frame(void *arg, uint64_t index, const uint8_t bytes[GB_PAGE_SIZE])
{
	struct bed *b = arg;

	b->sink += index + bytes[0];
}

static int scan_one_percent(void *arg, struct gb_error *err)
{
	struct gb_dirty_result result;
	struct bed *b = arg;
	int r;

	for (size_t at = 0; at < b->size; at += 100 * GB_PAGE_SIZE)
		b->guest[at]++;
	r = gb_dirty_scan(b->dirty, count_frame, b, &result, err);
	if (r == 0 && result.changed_count != (b->size / GB_PAGE_SIZE + 99) / 100)
		return gb_fail(err, GB_EVERIFY, "a scan found %" PRIu64 " dirty frames, not %zu",
			       result.changed_count, (b->size / GB_PAGE_SIZE + 99) / 100);
	return r;
}

static int bench_scans(struct bed *b, struct gb_error *err)
{
	struct gb_bench_job jobs[] = {{scan, b},
				      {loop_on_all_cores, b},
				      {loop_over_private, b},
				      {scan_one_percent, b}};
	char name[48];
	int r = gb_bench_race(jobs, 4, WARM, RUNS, err);

	if (r != 0)
		return r;
	gb_bench_at_least(b->bench, named(b, "scan", name), gb_bench_ratio(&jobs[1], &jobs[0]),
			  "of read bandwidth", 0.8);
	gb_bench_note(b->bench, named(b, "scan-time", name), gb_bench_ns(&jobs[0]) / 1e6, "ms");
	gb_bench_note(b->bench, named(b, "scan-1-percent-time", name), gb_bench_ns(&jobs[3]) / 1e6,
		      "ms");
	gb_bench_note(b->bench, named(b, "bandwidth", name), gib_per_s(b, gb_bench_ns(&jobs[1])),
		      "GiB/s all cores");
	gb_bench_note(b->bench, named(b, "bandwidth-one-core", name),
		      gib_per_s(b, gb_bench_ns(&jobs[2])), "GiB/s");
	return 0;
}

static uint64_t available_memory(void)
{
	GB_CLEANUP(gb_cleanup_file) FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			break;
	return kib << 10;
}

static int bench_size(struct gb_bench *bench, size_t size, const char *suffix, struct gb_error *err)
{
	static int (*const parts[])(struct bed * b,
				    struct gb_error * err) = {bench_reads, bench_single_reads,
							      bench_snapshots, bench_scans};
	struct bed b;
	int r;

	if (available_memory() < 6 * (uint64_t)size) {
		gb_bench_skip(bench, suffix, "it takes six times as much free memory");
		return 0;
	}
	r = bed_init(&b, bench, size, suffix, err);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && r == 0; i++)
		r = parts[i](&b, err);
	bed_deinit(&b);
	return r;
}

// Every reader over a file of which every other MiB is a hole.
static int use_all_readers(struct bed *b, struct gb_error *err)
{
	int r = 0;

	for (int round = 0; round < 3 && r == 0; round++) {
		r = read_chunks(b, err);
		if (r == 0)
			r = read_frames(b, err);
		if (r == 0)
			r = visit_all(b, err);
		if (r == 0)
			r = snapshot_again(b, err);
		if (r == 0)
			r = scan(b, err);
	}
	return r;
}

static int bench_growth(struct gb_bench *bench, struct gb_error *err)
{
	struct stat before = {}, after = {};
	struct bed b;
	int r = bed_init(&b, bench, 128 * MIB, "", err);

	for (size_t at = 0; at < b.size && r == 0; at += 2 * MIB)
		if (fallocate(b.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, MIB) !=
		    0)
			r = gb_fail_os(err, "cannot make holes");
	if (r == 0 && fstat(b.fd, &before) == 0)
		r = use_all_readers(&b, err);
	if (r == 0 && fstat(b.fd, &after) == 0)
		gb_bench_at_most(bench, "growth", (double)(after.st_blocks - before.st_blocks) / 2,
				 "KiB", 0);
	bed_deinit(&b);
	return r;
}

int gb_bench_ram(struct gb_bench *bench, struct gb_error *err)
{
	int r;

	gb_bench_say(bench, "64 MiB of data");
	r = bench_size(bench, 64 * MIB, "64m", err);
	gb_bench_say(bench, "1 GiB of data");
	if (r == 0)
		r = bench_size(bench, 1024 * MIB, "1g", err);
	gb_bench_say(bench, "holes");
	if (r == 0)
		r = bench_growth(bench, err);
	gb_bench_say(bench, "a guest that is watched");
	return r != 0 ? r : gb_bench_ram_guest(bench, err);
}
