// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of reading guest RAM: holes, split layouts, files that change under the reader, bad files.
#include "base/cleanup.h"
#include "ram/ram_internal.h"
#include "ram/test_image.h"
#include "tests/tap.h"

#include <pthread.h>
#include <sys/wait.h>

#define MIB ((size_t)1 << 20)
#define PAGE ((size_t)GB_PAGE_SIZE)

static void reads_what_is_in_the_file(void)
{
	static const struct {
		size_t at, len;
	} ranges[] = {{0, 1},           {0, 8},    {PAGE - 1, 2},    {3, 5 * PAGE},
		      {4 * PAGE, PAGE}, {8001, 1}, {2 * MIB - 1, 1}, {0, 2 * MIB}};
	GB_CLEANUP(gb_cleanup_free) uint8_t *got = malloc(2 * MIB);
	struct gb_error err = {};
	struct test_image i;
	uint64_t v = 0;

	REQUIRE(test_image_make(&i, 2 * MIB, NULL));
	for (size_t p = 0; p < 2 * MIB / PAGE; p += p % 7 ? 1 : 3) // some pages stay holes
		for (size_t b = 0; b < PAGE; b++)
			i.bytes[p * PAGE + b] = (uint8_t)(p * 31 + b);
	for (int round = 0; round < 2; round++) // first by calls, then through the map
		for (size_t n = 0; n < sizeof(ranges) / sizeof(ranges[0]); n++) {
			gb_gpa at = {ranges[n].at};

			CHECK_OK(gb_ram_read(i.ram, at, got, ranges[n].len, &err), err);
			CHECK_MEM(got, i.bytes + ranges[n].at, ranges[n].len);
		}
	for (uint64_t at = 1; at < 3 * PAGE; at += 7) {
		CHECK_OK(gb_ram_read_u64(i.ram, (gb_gpa){at}, &v, &err), err);
		CHECK_MEM(&v, i.bytes + at, 8);
	}
	CHECK_EQ(gb_ram_read(i.ram, (gb_gpa){2 * MIB - 4}, got, 8, &err), GB_EFAULT);
	CHECK_EQ(err.address, 2 * MIB);
	CHECK_EQ(gb_ram_read(i.ram, (gb_gpa){UINT64_MAX - 3}, got, 8, &err), GB_EFAULT);
	CHECK_EQ(gb_ram_read_u64(i.ram, (gb_gpa){2 * MIB}, &v, &err), GB_EFAULT);
	test_image_free(&i);
}

static int add_up(void *arg, gb_gpa gpa, const uint8_t *bytes, size_t len)
{
	uint64_t *sum = arg;

	for (size_t b = 0; b < len; b++)
		sum[0] += bytes[b];
	sum[1] += len;
	sum[2] = sum[2] ? sum[2] : gpa.v;
	return 0;
}

static void holes_are_never_filled(void)
{
	GB_CLEANUP(gb_cleanup_free) uint8_t *got = malloc(8 * MIB);
	struct gb_error err = {};
	uint64_t seen[3] = {}, before, v = 1;
	struct test_image i;

	REQUIRE(test_image_make(&i, 8 * MIB, NULL));
	memset(i.bytes + 3 * MIB, 1, 2 * PAGE);
	memset(i.bytes + 5 * MIB, 0, PAGE); // data, though all zeros
	before = test_image_blocks(&i);
	CHECK_OK(gb_ram_read(i.ram, (gb_gpa){0}, got, 8 * MIB, &err), err);
	CHECK_OK(gb_ram_read(i.ram, (gb_gpa){0}, got, 8 * MIB, &err), err);
	CHECK_MEM(got + 3 * MIB, i.bytes + 3 * MIB, 2 * PAGE);
	CHECK_OK(gb_ram_read_u64(i.ram, (gb_gpa){MIB}, &v, &err), err);
	CHECK_EQ(v, 0);
	CHECK_OK(gb_ram_visit(i.ram, (gb_gpa){0}, UINT64_MAX, add_up, seen, &err), err);
	CHECK_EQ(seen[0], 2 * PAGE);
	CHECK_EQ(seen[1], 3 * PAGE);
	CHECK_EQ(seen[2], 3 * MIB);
	memset(seen, 0, sizeof(seen));
	CHECK_OK(gb_ram_frame(i.ram, (gb_pfn){0}, add_up, seen, &err), err);
	CHECK_EQ(seen[0], 0);
	CHECK_EQ(seen[1], PAGE);
	CHECK_EQ(gb_ram_frame(i.ram, (gb_pfn){8 * MIB / PAGE}, add_up, seen, &err), GB_EFAULT);
	CHECK_EQ(test_image_blocks(&i), before);
	test_image_free(&i);
}

// Both ways of asking which pages hold data, on a file whose pages come and go.
static void extents_follow_the_file(bool warm, bool by_mincore)
{
	struct gb_error err = {};
	uint64_t before;
	struct test_image i;

	REQUIRE(test_image_make(&i, 4 * MIB, NULL));
	CHECK(i.ram->extents.by_mincore);
	i.ram->extents.by_mincore = by_mincore;
	for (unsigned round = 1; round < 20; round++) {
		uint64_t seen[3] = {}, expected = 0, sum = 0;

		for (size_t p = 0; p < 4 * MIB / PAGE; p++) {
			if ((p * 7 + round) % 5 < 2)
				CHECK(test_image_punch(&i, p * PAGE, PAGE));
			else
				i.bytes[p * PAGE] = (uint8_t)round, expected++, sum += round;
		}
		before = test_image_blocks(&i);
		CHECK_OK(gb_ram_visit(i.ram, (gb_gpa){0}, UINT64_MAX, add_up, seen, &err), err);
		CHECK_EQ(seen[1], expected * PAGE);
		CHECK_EQ(seen[0], sum);
		CHECK_EQ(test_image_blocks(&i), before);
		CHECK(atomic_load(&i.ram->extents.warm));
		atomic_store(&i.ram->extents.warm, warm);
	}
	test_image_free(&i);
}

static void pages_may_come_and_go(void)
{
	extents_follow_the_file(true, true);
	extents_follow_the_file(true, false);
	extents_follow_the_file(false, true);
}

// mincore() says "present" of every page to one who may not write the file.
static void one_who_may_only_read_is_not_misled(void)
{
	struct gb_error err = {};
	struct test_image i;
	uint64_t seen[3] = {}, before;

	if (geteuid() != 0)
		TAP_SKIP("only root can become somebody else");
	REQUIRE(test_image_make(&i, 4 * MIB, NULL));
	gb_ram_close(i.ram);
	i.bytes[MIB] = 1;
	before = test_image_blocks(&i);
	REQUIRE(fchmod(i.fd, 0644) == 0);
	REQUIRE(seteuid(65534) == 0);
	REQUIRE_OK(gb_ram_open_fd(i.fd, NULL, &i.ram, &err), err);
	CHECK(!i.ram->extents.by_mincore);
	for (int round = 0; round < 2; round++)
		CHECK_OK(gb_ram_visit(i.ram, (gb_gpa){0}, UINT64_MAX, add_up, seen, &err), err);
	REQUIRE(seteuid(0) == 0);
	CHECK_EQ(seen[0], 2);
	CHECK_EQ(seen[1], 2 * PAGE);
	CHECK_EQ(test_image_blocks(&i), before);
	test_image_free(&i);
}

static void a_guest_that_writes_is_seen_at_once(void)
{
	struct gb_error err = {};
	struct test_image i;
	uint64_t v = 1;

	REQUIRE(test_image_make(&i, MIB, NULL));
	for (uint64_t n = 0; n < 100; n++) {
		CHECK_OK(gb_ram_read_u64(i.ram, (gb_gpa){n / 50 * PAGE}, &v, &err), err);
		CHECK_EQ(v, n % 50);
		((uint64_t *)(void *)i.bytes)[n / 50 * 512] = n % 50 + 1;
	}
	test_image_free(&i);
}

static void split_ram_is_read_across_its_seams(void)
{
	struct gb_layout l = {};
	struct gb_error err = {};
	uint8_t got[2 * 4096];
	uint64_t seen[3] = {};
	struct test_image i;

	// 0..1M of the file at 0, then 2M.. of the file touching it, then the rest at 4 GiB
	gb_layout_add(&l, (struct gb_segment){{0}, MIB, 0}, NULL);
	gb_layout_add(&l, (struct gb_segment){{MIB}, MIB, 2 * MIB}, NULL);
	gb_layout_add(&l, (struct gb_segment){{(uint64_t)4 << 30}, MIB, MIB}, NULL);
	REQUIRE(test_image_make(&i, 3 * MIB + 17, &l));
	memset(i.bytes + MIB - PAGE, 1, PAGE);
	memset(i.bytes + 2 * MIB, 2, PAGE);
	memset(i.bytes + MIB, 4, PAGE);
	for (int round = 0; round < 2; round++) {
		CHECK_OK(gb_ram_read(i.ram, (gb_gpa){MIB - PAGE}, got, sizeof(got), &err), err);
		CHECK_MEM(got, i.bytes + MIB - PAGE, PAGE);
		CHECK_MEM(got + PAGE, i.bytes + 2 * MIB, PAGE);
	}
	CHECK_EQ(gb_ram_read(i.ram, (gb_gpa){2 * MIB - 8}, got, 16, &err), GB_EFAULT);
	CHECK_EQ(err.address, 2 * MIB);
	CHECK_EQ(gb_ram_frames(i.ram), 3 * MIB / PAGE);
	CHECK_OK(gb_ram_visit(i.ram, (gb_gpa){0}, UINT64_MAX, add_up, seen, &err), err);
	CHECK_EQ(seen[0], 7 * PAGE);
	memset(seen, 0, sizeof(seen));
	CHECK_OK(gb_ram_visit(i.ram, (gb_gpa){MIB + 100}, (uint64_t)4 << 30, add_up, seen, &err),
		 err);
	CHECK_EQ(seen[0], 2 * (PAGE - 100) + 4 * PAGE);
	CHECK_EQ(seen[2], MIB + 100);
	test_image_free(&i);
}

static int shrink_then_look(void *arg, gb_gpa gpa, const uint8_t *bytes, size_t len)
{
	struct test_image *i = arg;
	uint64_t seen[3] = {};

	if (ftruncate(i->fd, (off_t)PAGE) != 0)
		return GB_EBUG;
	add_up(seen, gpa, bytes, len); // 256 pages of which one is left
	return seen[0] == MIB ? GB_EBUG : 0;
}

static void a_file_that_shrinks_is_gone(void)
{
	GB_CLEANUP(gb_cleanup_free) uint8_t *got = malloc(MIB);
	struct gb_error err = {};
	struct test_image i;
	uint64_t v = 5;

	REQUIRE(test_image_make(&i, MIB, NULL));
	memset(i.bytes, 1, MIB);
	CHECK_EQ(gb_ram_visit(i.ram, (gb_gpa){0}, MIB, shrink_then_look, &i, &err), GB_EGONE);
	CHECK_EQ(gb_ram_visit(i.ram, (gb_gpa){0}, MIB, add_up, got, &err), GB_EGONE);
	CHECK_EQ(gb_ram_read(i.ram, (gb_gpa){0}, got, MIB, &err), GB_EGONE);
	CHECK_EQ(gb_ram_read_u64(i.ram, (gb_gpa){PAGE}, &v, &err), GB_EGONE);
	CHECK_EQ(gb_ram_frame(i.ram, (gb_pfn){1}, add_up, got, &err), GB_EGONE);
	CHECK_EQ(v, 5);
	CHECK_OK(gb_ram_read_u64(i.ram, (gb_gpa){0}, &v, &err), err); // what is left stays right
	CHECK_EQ(v, 0x0101010101010101);
	REQUIRE(ftruncate(i.fd, (off_t)MIB) == 0);
	i.bytes[PAGE] = 7;
	CHECK_OK(gb_ram_read_u64(i.ram, (gb_gpa){PAGE}, &v, &err),
		 err); // and so does what comes back
	CHECK_EQ(v, 7);
	test_image_free(&i);
}

static void each_reader_survives_shrinking(void)
{
	for (int which = 0; which < 3; which++) {
		struct gb_error err = {};
		uint64_t seen[3] = {}, v = 0;
		struct test_image i;

		REQUIRE(test_image_make(&i, MIB, NULL));
		memset(i.bytes, 1, MIB);
		CHECK_OK(gb_ram_visit(i.ram, (gb_gpa){0}, MIB, add_up, seen, &err), err);
		REQUIRE(ftruncate(i.fd, (off_t)PAGE) == 0);
		if (which == 0)
			CHECK_EQ(gb_ram_read(i.ram, (gb_gpa){PAGE - 8}, seen, 16, &err), GB_EGONE);
		else if (which == 1)
			CHECK_EQ(gb_ram_read_u64(i.ram, (gb_gpa){PAGE}, &v, &err), GB_EGONE);
		else
			CHECK_EQ(gb_ram_frame(i.ram, (gb_pfn){2}, add_up, seen, &err), GB_EGONE);
		test_image_free(&i);
	}
}

struct copier {
	struct test_image *image;
	pthread_barrier_t started;
	int result;
};

static void *copy_until_gone(void *arg)
{
	struct copier *c = arg;
	uint8_t *got = malloc(c->image->size);
	struct gb_error err = {};
	bool first = true;

	do {
		c->result = gb_ram_read(c->image->ram, (gb_gpa){0}, got, c->image->size, &err);
		if (first)
			pthread_barrier_wait(&c->started);
		first = false;
	} while (c->result == 0);
	free(got);
	return NULL;
}

static void a_file_may_shrink_during_a_copy(void)
{
	for (int round = 0; round < 8; round++) {
		struct test_image i;
		struct copier c = {.image = &i};
		pthread_t threads[2];

		REQUIRE(test_image_make(&i, 16 * MIB, NULL));
		memset(i.bytes, 1, i.size);
		pthread_barrier_init(&c.started, NULL, 3);
		for (int t = 0; t < 2; t++)
			REQUIRE(pthread_create(&threads[t], NULL, copy_until_gone, &c) == 0);
		pthread_barrier_wait(&c.started);
		REQUIRE(ftruncate(i.fd, (off_t)(i.size / 2)) == 0);
		for (int t = 0; t < 2; t++)
			pthread_join(threads[t], NULL);
		CHECK_EQ(c.result, GB_EGONE);
		pthread_barrier_destroy(&c.started);
		test_image_free(&i);
	}
}

static int die_of_a_foreign_bus_error(void)
{
	struct test_image i;
	uint8_t seen = 0;

	if (!test_image_make(&i, MIB, NULL) || ftruncate(i.fd, 0) != 0)
		return 0;
	seen = *(volatile uint8_t *)i.bytes; // the test's own map, not the one of gb_ram
	return seen;
}

static void a_foreign_bus_error_stays_deadly(void)
{
	int status = 0;
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr)) // a sanitizer would report it
			_exit(0);
		_exit(die_of_a_foreign_bus_error());
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
}

static void more_files_than_maps_are_read_as_well(void)
{
	struct gb_ram *many[GB_MAPS_MAX + 3];
	struct gb_error err = {};
	struct test_image i;
	uint64_t v = 0;
	size_t n = 0;

	REQUIRE(test_image_make(&i, MIB, NULL));
	i.bytes[8] = 9;
	for (; n < sizeof(many) / sizeof(many[0]); n++)
		REQUIRE_OK(gb_ram_open_fd(i.fd, NULL, &many[n], &err), err);
	CHECK(!many[n - 1]->map.base);
	for (size_t k = 0; k < n; k++) {
		uint64_t seen[3] = {};

		CHECK_OK(gb_ram_read_u64(many[k], (gb_gpa){8}, &v, &err), err);
		CHECK_EQ(v, 9);
		CHECK_OK(gb_ram_visit(many[k], (gb_gpa){0}, MIB, add_up, seen, &err), err);
		CHECK_EQ(seen[1], PAGE);
		gb_ram_close(many[k]);
	}
	test_image_free(&i);
}

struct bad_file {
	const char *name;
	off_t size; // -1: a directory, -2: a FIFO, -3: none, -4: without permission
	int code;
	const char *says;
};

static bool make_bad_file(const char *path, off_t size)
{
	int fd;

	if (size == -1)
		return mkdir(path, 0700) == 0;
	if (size == -2)
		return mkfifo(path, 0600) == 0;
	if (size == -3)
		return true;
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, size == -4 ? 0 : 0600);
	return fd >= 0 && ftruncate(fd, size == -4 ? 4096 : size) == 0 && close(fd) == 0;
}

static void bad_files_are_refused(void)
{
	static const struct bad_file bad[] = {
		{"directory", -1, GB_EFORMAT, "directory"},
		{"fifo", -2, GB_EFORMAT, "pipe"},
		{"missing", -3, GB_ENOTFOUND, "no such file"},
		{"forbidden", -4, GB_ELACKS, "no permission"},
		{"empty", 0, GB_EFORMAT, "cut short"},
		{"odd", 8191, GB_EFORMAT, "cut short"},
	};
	char dir[] = "/tmp/glassbox-test-XXXXXX", path[64];

	REQUIRE(mkdtemp(dir));
	CHECK(chmod(dir, 0755) == 0);
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		bool as_nobody = bad[n].size == -4 && geteuid() == 0;
		struct gb_ram *ram = NULL;
		struct gb_error err = {};

		snprintf(path, sizeof(path), "%s/%s", dir, bad[n].name);
		REQUIRE(make_bad_file(path, bad[n].size));
		if (as_nobody)
			REQUIRE(seteuid(65534) == 0);
		CHECK_EQ(gb_ram_open(path, NULL, &ram, &err), bad[n].code);
		if (as_nobody)
			REQUIRE(seteuid(0) == 0);
		CHECK(strstr(err.message, bad[n].says) && strstr(err.message, path));
		CHECK(!ram);
		remove(path);
	}
	rmdir(dir);
}

static void layouts_must_fit_their_file(void)
{
	struct gb_layout l = {}, none = {};
	struct gb_error err = {};
	struct gb_ram *ram = NULL;
	struct test_image i;

	REQUIRE(test_image_make(&i, MIB, NULL));
	gb_layout_add(&l, (struct gb_segment){{0}, MIB, PAGE}, NULL);
	CHECK_EQ(gb_ram_open_fd(i.fd, &l, &ram, &err), GB_EFORMAT);
	CHECK_EQ(gb_ram_open_fd(i.fd, &none, &ram, &err), GB_EFORMAT);
	CHECK_EQ(gb_ram_open_fd(-1, NULL, &ram, &err), GB_EOS);
	CHECK(!ram);
	test_image_free(&i);
}

static void a_removed_file_stays_readable(void)
{
	char path[] = "/tmp/glassbox-test-XXXXXX";
	int fd = mkstemp(path);
	struct gb_ram *ram = NULL;
	struct gb_error err = {};
	uint64_t v = 3;

	REQUIRE(fd >= 0 && ftruncate(fd, 8192) == 0);
	REQUIRE_OK(gb_ram_open(path, NULL, &ram, &err), err);
	CHECK(unlink(path) == 0);
	CHECK(pwrite(fd, "12345678", 8, 4096) == 8);
	CHECK_OK(gb_ram_read_u64(ram, (gb_gpa){4096}, &v, &err), err);
	CHECK_MEM(&v, "12345678", 8);
	gb_ram_close(ram);
	close(fd);
}

TAP_MAIN(TAP_CASE(reads_what_is_in_the_file), TAP_CASE(holes_are_never_filled),
	 TAP_CASE(pages_may_come_and_go), TAP_CASE(one_who_may_only_read_is_not_misled),
	 TAP_CASE(a_guest_that_writes_is_seen_at_once),
	 TAP_CASE(split_ram_is_read_across_its_seams), TAP_CASE(a_file_that_shrinks_is_gone),
	 TAP_CASE(each_reader_survives_shrinking), TAP_CASE(a_file_may_shrink_during_a_copy),
	 TAP_CASE(a_foreign_bus_error_stays_deadly),
	 TAP_CASE(more_files_than_maps_are_read_as_well), TAP_CASE(bad_files_are_refused),
	 TAP_CASE(layouts_must_fit_their_file), TAP_CASE(a_removed_file_stays_readable))
