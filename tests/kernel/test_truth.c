// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What src/kernel reads out of a frozen guest's RAM is what the guest's own kernel says.
//
// usage: test_truth DIR      a directory that guest/truth/run.sh made
#include "compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ENTRY_PRESENT (UINT64_C(1) << 63)

static struct section *reading(const struct frozen *f, const char *name, uint32_t pid, unsigned n)
{
	return frozen_section(f, name, pid, n);
}

// Flips a bit at the same place of all readings of a section. The section has an even number of them or one.
static bool flip(const struct frozen *f, const char *name, uint32_t number, size_t at)
{
	struct section *first = reading(f, name, number, 1), *second = reading(f, name, number, 2);

	if (!first || at >= first->head.len || (second && at >= second->head.len))
		return false;
	first->bytes[at] ^= 1;
	if (second)
		second->bytes[at] ^= 1;
	return true;
}

static bool falsify_facts(const struct frozen *f)
{
	return flip(f, "version", 0, 30);
}

static bool falsify_symbols(const struct frozen *f)
{
	return flip(f, "kallsyms", 0, 20);
}

static bool falsify_log(const struct frozen *f)
{
	return flip(f, "log", 0, 40);
}

// A guest that has loaded none has no such section: another one takes the name, and gives it back.
static bool falsify_modules(const struct frozen *f)
{
	struct section *modules = reading(f, "modules", 0, 1),
		       *version = reading(f, "version", 0, 1);
	struct section *other = version ? version : modules;

	if (modules && version)
		return flip(f, "modules", 0, 3);
	snprintf(other->head.name, sizeof(other->head.name), version ? "modules" : "version");
	return true;
}

// "1 (init) S 0": the name
static bool falsify_process(const struct frozen *f)
{
	return flip(f, "stat", 1, 3);
}

static bool falsify_thread(const struct frozen *f)
{
	return flip(f, "task", 1, 3);
}

static bool falsify_maps(const struct frozen *f)
{
	return flip(f, "maps", 1, 40);
}

// "0", a zero, "/dev/console": the name
static bool falsify_files(const struct frozen *f)
{
	return flip(f, "fd", 1, 5);
}

static size_t first_present(const struct frozen *f)
{
	struct section *s = frozen_stable(f, "pagemap", 1);
	struct gb_truth_mapping m;
	size_t at = 0;

	for (; s && at < s->head.len; at += sizeof(m)) {
		memcpy(&m, s->bytes + at, sizeof(m));
		if (m.entry & ENTRY_PRESENT)
			break;
	}
	return at;
}

static bool falsify_frame(const struct frozen *f)
{
	return flip(f, "pagemap", 1, first_present(f) + offsetof(struct gb_truth_mapping, entry));
}

static bool falsify_address(const struct frozen *f)
{
	return flip(f, "pagemap", 1, first_present(f) + 2);
}

// Free frames become used and used ones free: a share that is more than what is allowed.
static bool falsify_flags(const struct frozen *f)
{
	const uint64_t buddy = 1 << 10;
	bool some = false;

	for (unsigned n = 1; n <= 2; n++) {
		struct section *s = reading(f, "kpageflags", 0, n);

		for (size_t at = 0; s && at + 8 <= s->head.len; at += 64 * 8) {
			uint64_t flags;

			memcpy(&flags, s->bytes + at, 8);
			flags ^= buddy;
			memcpy(s->bytes + at, &flags, 8);
			some = true;
		}
	}
	return some;
}

// "MemFree:    40588 kB": 10 MB more or less, since what a CPU has not added to the sum yet is allowed
static bool falsify_counts(const struct frozen *f)
{
	struct section *s = reading(f, "meminfo", 0, 2);
	const uint8_t *at = s ? memmem(s->bytes, s->head.len, "MemFree:", 8) : NULL;
	const uint8_t *end = at ? memchr(at, '\n', s->head.len - (size_t)(at - s->bytes)) : NULL;

	return end && flip(f, "meminfo", 0, (size_t)(end - s->bytes) - 8);
}

const struct comparison comparisons[] = {
	{"facts", compare_facts, falsify_facts, 0},
	{"symbols", compare_symbols, falsify_symbols, 0},
	{"log", compare_log, falsify_log, 0},
	{"modules", compare_modules, falsify_modules, 0},
	{"processes", compare_processes, falsify_process, 0},
	{"threads", compare_threads, falsify_thread, 0},
	{"maps", compare_maps, falsify_maps, 0},
	{"files", compare_files, falsify_files, 0},
	{"pages", compare_pages, falsify_frame, 0},
	{"absent-pages", compare_absent_pages, falsify_address, 0},
	{"frames", compare_frames, falsify_flags, 0.01},
	{"owners", compare_owners, falsify_frame, 0},
	{"counts", compare_counts, falsify_counts, 0},
};
const size_t comparison_count = sizeof(comparisons) / sizeof(comparisons[0]);

static int number;

static int report(bool good, const char *what, const char *name)
{
	printf("%sok %d - %s%s\n", good ? "" : "not ", ++number, name, what);
	return !good;
}

static int run(const struct comparison *c, const struct frozen *f)
{
	int failed = 0;

	printf("# %s\n", c->name);
	struct tally t = c->compare(f);
	printf("# %s: %" PRIu64 " compared, %" PRIu64 " different, %" PRIu64 " in motion\n",
	       c->name, t.compared, t.different, t.in_motion);
	failed += report(t.compared > 0 && (double)t.different <= c->allowed * (double)t.compared,
			 "", c->name);
	printf("# %s, the truth falsified:\n", c->name);
	bool falsified = c->falsify(f);
	struct tally false_t = c->compare(f);
	failed += report(falsified && false_t.different > t.different, " against a falsified truth",
			 c->name);
	c->falsify(f);
	return failed;
}

int main(int argc, char **argv)
{
	struct gb_error err = {};
	struct frozen f;
	int failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: test_truth DIR\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", 1 + 2 * comparison_count);
	int r = frozen_open(argv[1], &f, &err);
	if (r != 0)
		printf("# %s: %s\n", gb_code_name(r), err.message);
	failed += report(r == 0, "", "open");
	for (size_t i = 0; r == 0 && i < comparison_count; i++)
		failed += run(&comparisons[i], &f);
	frozen_close(&f);
	return failed != 0;
}
