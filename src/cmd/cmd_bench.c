// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox bench
#include "bench/bench.h"
#include "cmd/commands.h"
#include "cmd/output.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <string.h>

static void say(const char *text)
{
	fprintf(stderr, "\r\033[K%s", text);
	fflush(stderr);
}

static int find(const char *name, size_t *ret, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf names = {};

	for (size_t i = 0; gb_benches[i].name; i++) {
		if (strcmp(gb_benches[i].name, name) == 0)
			return *ret = i, 0;
		gb_buf_printf(&names, " %s", gb_benches[i].name);
	}
	return gb_fail(err, GB_EUSAGE, "there is no bench '%s'; there is:%s", name, names.data);
}

static const char *verdict(const struct gb_bench_result *r)
{
	if (r->limit == GB_BENCH_NONE)
		return "";
	return gb_bench_passes(r) ? "ok" : "MISSED";
}

static void print_skipped(const struct gb_bench *b, const struct gb_bench_result *r)
{
	printf("%-8s %-30s not measured: %s\n", b->name, r->name, r->skipped);
}

static void print_table(const struct gb_bench *b)
{
	static const char *const limits[] = {"", "at least", "at most"};

	for (size_t i = 0; i < b->count; i++) {
		const struct gb_bench_result *r = &b->results[i];
		char value[64], target[64] = "";

		if (*r->skipped) {
			print_skipped(b, r);
			continue;
		}
		snprintf(value, sizeof(value), "%.3g", r->value);
		if (r->value >= 1000)
			snprintf(value, sizeof(value), "%.0f", r->value);
		if (r->limit != GB_BENCH_NONE)
			snprintf(target, sizeof(target), "%s %g", limits[r->limit], r->target);
		printf("%-8s %-30s %9s %-18s %-14s %s\n", b->name, r->name, value, r->unit, target,
		       verdict(r));
	}
}

static void put_results(struct gb_json *j, const struct gb_bench *b)
{
	static const char *const limits[] = {NULL, "at-least", "at-most"};

	for (size_t i = 0; i < b->count; i++) {
		const struct gb_bench_result *r = &b->results[i];

		gb_json_object(j);
		gb_json_pair(j, "bench", str, b->name);
		gb_json_pair(j, "name", str, r->name);
		if (*r->skipped) {
			gb_json_pair(j, "skipped", str, r->skipped);
			gb_json_end_object(j);
			continue;
		}
		gb_json_pair(j, "value", double, r->value);
		gb_json_pair(j, "unit", str, r->unit);
		if (r->limit != GB_BENCH_NONE) {
			gb_json_pair(j, "limit", str, limits[r->limit]);
			gb_json_pair(j, "target", double, r->target);
			gb_json_pair(j, "pass", bool, gb_bench_passes(r));
		}
		gb_json_end_object(j);
	}
}

static void put_machine(struct gb_json *j, const struct gb_bench_machine *m)
{
	gb_json_key(j, "machine");
	gb_json_object(j);
	gb_json_pair(j, "cpu", str, m->cpu);
	gb_json_pair(j, "cores", u64, m->cores);
	gb_json_pair(j, "memory_mib", u64, m->memory >> 20);
	gb_json_pair(j, "kernel", str, m->kernel);
	gb_json_pair(j, "load", double, m->load);
	gb_json_end_object(j);
}

static int run_one(size_t i, struct gb_answer *answer, struct gb_error *err)
{
	struct gb_bench *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return gb_fail(err, GB_ENOMEM, "no memory for the results");
	b->name = gb_benches[i].name;
	b->say = isatty(STDERR_FILENO) ? say : NULL;
	r = gb_benches[i].run(b, err);
	gb_bench_say(b, "");
	if (r != 0)
		gb_error_prefix(err, "%s", b->name);
	else if (answer)
		put_results(&answer->json, b);
	else
		print_table(b);
	free(b);
	return r;
}

static int run_some(size_t first, size_t count, struct gb_answer *answer, struct gb_error *err)
{
	int r = 0;

	for (size_t i = first; i < first + count && gb_benches[i].name && r == 0; i++) {
		r = run_one(i, answer, err);
		if (r == GB_ELACKS && count > 1) { // one of all: the others can still run
			fprintf(stderr, "glassbox bench: %s\n", err->message);
			r = 0;
		}
	}
	return r;
}

static int run(struct gb_args *args, struct gb_error *err)
{
	size_t first = 0, count = args->count ? 1 : SIZE_MAX / 2;
	struct gb_bench_machine machine;
	struct gb_answer answer;
	int r = args->count ? find(args->positional[0], &first, err) : 0;

	if (r != 0)
		return r;
	gb_bench_machine_look(&machine);
	if (!args->json) {
		printf("%s, %u cores, %" PRIu64 " MiB, Linux %s, load %.2f\n", machine.cpu,
		       machine.cores, machine.memory >> 20, machine.kernel, machine.load);
		r = run_some(first, count, NULL, err);
		return r != 0 ? r : gb_flush_stdout(err);
	}
	gb_answer_begin(&answer, "bench", NULL);
	put_machine(&answer.json, &machine);
	gb_json_key(&answer.json, "results");
	gb_json_array(&answer.json);
	r = run_some(first, count, &answer, err);
	gb_json_end_array(&answer.json);
	if (r == 0)
		return gb_answer_end(&answer, err);
	gb_buf_deinit(&answer.text);
	return r;
}

const struct gb_command gb_cmd_bench = {
	.name = "bench",
	.usage = "[NAME]",
	.summary = "measure this machine and print the figures next to their targets",
	.detail =
		"What is promised is a ratio of two things measured in turns in the same run. Values "
		"are medians. A missed target is printed as MISSED and is no failure of the command. "
		"Without NAME all benches run.",
	.example =
		"  glassbox bench ram\n  glassbox bench --json | jq '.results[] | select(.pass == false)'",
	.max_args = 1,
	.run = run,
};
