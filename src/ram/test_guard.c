// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Tests of verified reads, with a thread in the guest's place that never stops writing.
//
// The writer counts: it stores n into word 0, 1, 2, ..., then n + 1 into word 0, ... So at every
// instant the words fall from left to right, by one in all. What a reader puts together from
// several instants breaks that.
#include "base/cleanup.h"
#include "base/clock.h"
#include "ram/guard.h"
#include "ram/test_image.h"
#include "tests/tap.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define WORDS 4096u

struct writer {
	struct test_image image;
	atomic_bool stop;
	pthread_t thread;
};

static void *count(void *arg)
{
	struct writer *w = arg;
	volatile uint64_t *words = (volatile uint64_t *)(void *)w->image.bytes;

	for (uint64_t n = 1; !atomic_load_explicit(&w->stop, memory_order_relaxed); n++)
		for (size_t i = 0; i < WORDS; i++)
			words[i] = n;
	return NULL;
}

static bool writer_start(struct writer *w)
{
	*w = (struct writer){};
	return test_image_make(&w->image, 1 << 20, NULL) &&
	       pthread_create(&w->thread, NULL, count, w) == 0;
}

static void writer_stop(struct writer *w)
{
	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
	test_image_free(&w->image);
}

static bool of_one_instant(const uint64_t *words, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (words[i] > words[i - 1])
			return false;
	return words[0] - words[n - 1] <= 1;
}

static bool one_cpu(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) < 2;
}

#define PATIENCE (20 * GB_SECOND)

// Read until the writer was caught in the act often enough that a wrong "stable" would have shown.
static void stable_reads_are_of_one_instant(void)
{
	uint64_t words[WORDS], end = gb_clock_ns() + PATIENCE;
	unsigned plain_torn = 0, said_torn = 0, stable = 0, wrong = 0;
	struct gb_error err = {};
	struct writer w;

	if (one_cpu())
		TAP_SKIP("a writer at the same time needs two CPUs");
	REQUIRE(writer_start(&w));
	while ((plain_torn < 1000 || stable < 1000) && gb_clock_ns() < end) {
		size_t n =
			2 + stable % 1000; // small ones are stable now and then, large ones hardly
		bool torn = true;

		CHECK_OK(gb_ram_read(w.image.ram, (gb_gpa){0}, words, sizeof(words), &err), err);
		plain_torn += !of_one_instant(words, WORDS);
		CHECK_OK(gb_ram_read_stable(w.image.ram, (gb_gpa){0}, words, n * 8, &torn, &err),
			 err);
		said_torn += torn;
		stable += !torn;
		wrong += !torn && !of_one_instant(words, n);
	}
	writer_stop(&w);
	CHECK_EQ(wrong, 0);
	CHECK(plain_torn >= 50); // on a busy machine the two seldom run at the same time
	CHECK(stable >= 1000);
	printf("# plain reads torn %u, stable %u, said to be torn %u\n", plain_torn, stable,
	       said_torn);
}

struct far_apart {
	uint64_t words[4];
	unsigned calls;
};

static int read_far_apart(struct gb_guard *g, void *arg, struct gb_error *err)
{
	static const uint64_t at[] = {0, 8, 64 * 8, (WORDS - 1) * 8};
	struct far_apart *f = arg;
	int r = 0;

	f->calls++;
	for (size_t i = 0; i < 4 && r == 0; i++)
		r = gb_guard_read(g, (gb_gpa){at[i]}, &f->words[i], 8, err);
	return r;
}

static void guarded_reads_belong_together(void)
{
	uint64_t end = gb_clock_ns() + PATIENCE;
	unsigned stable = 0, retried = 0, wrong = 0;
	struct gb_error err = {};
	struct writer w;

	if (one_cpu())
		TAP_SKIP("a writer at the same time needs two CPUs");
	REQUIRE(writer_start(&w));
	while ((stable < 1000 || retried < 1000) && gb_clock_ns() < end) {
		struct far_apart f = {};
		bool torn = true;

		CHECK_OK(gb_guard_run(w.image.ram, read_far_apart, &f, &torn, &err), err);
		CHECK(f.calls >= 1 && f.calls <= GB_STABLE_TRIES);
		retried += f.calls > 1;
		stable += !torn;
		wrong += !torn && !of_one_instant(f.words, 4);
	}
	writer_stop(&w);
	CHECK_EQ(wrong, 0);
	CHECK(stable >= 1000);
	CHECK(retried >= 1000);
}

// A "writer" that acts between two reads of ours, for what time alone would rarely show.
struct meddler {
	struct test_image *image;
	struct gb_space space;
	unsigned calls, stop_after;
	uint64_t table; // the entry to change, by index of the word
	uint64_t got;
};

static int read_through_tables(struct gb_guard *g, void *arg, struct gb_error *err)
{
	struct meddler *m = arg;
	uint64_t *words = (uint64_t *)(void *)m->image->bytes;
	int r = gb_guard_space_read_u64(g, m->space, (gb_gva){0}, &m->got, err);

	if (m->calls++ < m->stop_after)
		words[m->table] ^= GB_PTE_ACCESSED;
	return r;
}

static void make_tables(struct test_image *i)
{
	uint64_t *words = (uint64_t *)(void *)i->bytes;

	for (uint64_t t = 1; t <= 4; t++)
		words[t * 512] = (t + 1) << 12 | GB_PTE_PRESENT;
	words[5 * 512] = 42;
}

static void changed_tables_are_noticed(void)
{
	for (unsigned level = 1; level <= 4; level++) {
		struct test_image i;
		struct meddler m = {.image = &i, .space = {{0x1000}, 4}, .table = level * 512};
		struct gb_error err = {};
		bool torn = true;

		REQUIRE(test_image_make(&i, 1 << 20, NULL));
		make_tables(&i);
		CHECK_OK(gb_guard_run(i.ram, read_through_tables, &m, &torn, &err), err);
		CHECK(!torn && m.calls == 1 && m.got == 42);
		m.calls = 0;
		m.stop_after = 3;
		CHECK_OK(gb_guard_run(i.ram, read_through_tables, &m, &torn, &err), err);
		CHECK(!torn);
		CHECK_EQ(m.calls, 4);
		m.calls = 0;
		m.stop_after = 100;
		CHECK_OK(gb_guard_run(i.ram, read_through_tables, &m, &torn, &err), err);
		CHECK(torn);
		CHECK_EQ(m.calls, GB_STABLE_TRIES);
		test_image_free(&i);
	}
}

static int follow_a_bad_pointer(struct gb_guard *g, void *arg, struct gb_error *err)
{
	struct meddler *m = arg;
	uint64_t *words = (uint64_t *)(void *)m->image->bytes, to;
	int r = gb_guard_read(g, (gb_gpa){0}, &to, 8, err);

	if (m->calls++ == 0)
		words[0] = 64; // the guest has repaired it meanwhile
	return r != 0 ? r : gb_guard_read(g, (gb_gpa){to}, &m->got, 8, err);
}

static void errors_count_only_when_stable(void)
{
	struct test_image i;
	struct meddler m = {.image = &i};
	struct gb_error err = {};
	bool torn = true;

	REQUIRE(test_image_make(&i, 1 << 20, NULL));
	memset(i.bytes, 0xff, 8);
	i.bytes[64] = 5;
	CHECK_OK(gb_guard_run(i.ram, follow_a_bad_pointer, &m, &torn, &err), err);
	CHECK(!torn && m.got == 5 && m.calls == 2);
	memset(i.bytes, 0xff, 8);
	CHECK_EQ(gb_guard_run(i.ram, follow_a_bad_pointer, &m, &torn, &err), GB_EFAULT);
	CHECK(!torn);
	test_image_free(&i);
}

static void guards_pass_errors_on(void)
{
	struct gb_error err = {};
	struct far_apart f = {};
	struct test_image i;
	bool torn = true;

	REQUIRE(test_image_make(&i, 1 << 20, NULL));
	CHECK_EQ(gb_ram_read_stable(i.ram, (gb_gpa){1 << 20}, f.words, 8, &torn, &err), GB_EFAULT);
	CHECK(torn); // untouched
	REQUIRE(ftruncate(i.fd, 0) == 0);
	CHECK_EQ(gb_guard_run(i.ram, read_far_apart, &f, &torn, &err), GB_EGONE);
	test_image_free(&i);
}

// A guard that is full has seen too little to say that nothing has changed; it does not grow.
static void full_guards_say_so(void)
{
	GB_CLEANUP(gb_guard_deinit) struct gb_guard g = {};
	char word[8], copy[64];
	struct test_image i;
	bool unchanged = true;
	size_t len;

	REQUIRE(test_image_make(&i, 1 << 20, NULL));
	g = gb_guard_init(i.ram);
	CHECK_EQ(gb_guard_read(&g, (gb_gpa){0}, word, 8, NULL), 0);
	len = g.seen.len;
	REQUIRE(len <= sizeof(copy));
	memcpy(copy, g.seen.data, len);
	g.limit = 2 * len;
	CHECK_EQ(gb_guard_append(&g, copy, len, NULL), 0);
	CHECK_EQ(g.seen.len, 2 * len);
	CHECK_EQ(gb_guard_check(&g, &unchanged, NULL), 0);
	CHECK(unchanged);
	i.bytes[3] ^= 1; // in both records
	CHECK_EQ(gb_guard_check(&g, &unchanged, NULL), 0);
	CHECK(!unchanged);
	i.bytes[3] ^= 1;
	CHECK_EQ(gb_guard_append(&g, copy, len, NULL), 0);
	CHECK_EQ(gb_guard_read(&g, (gb_gpa){0}, word, 8, NULL), 0);
	CHECK_EQ(g.seen.len, 2 * len);
	CHECK_EQ(gb_guard_check(&g, &unchanged, NULL), 0);
	CHECK(!unchanged && g.full);
	gb_guard_reset(&g);
	CHECK(!g.full);
	test_image_free(&i);
}

TAP_MAIN(TAP_CASE(stable_reads_are_of_one_instant), TAP_CASE(guarded_reads_belong_together),
	 TAP_CASE(changed_tables_are_noticed), TAP_CASE(errors_count_only_when_stable),
	 TAP_CASE(guards_pass_errors_on), TAP_CASE(full_guards_say_so))
