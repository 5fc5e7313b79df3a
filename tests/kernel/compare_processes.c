// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Processes, threads and their memory maps against /proc/PID/{stat,status,cmdline,maps} and /proc/PID/task/TID/stat.
#include "compare.h"

#include "kernel/maps_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PF_KTHREAD 0x200000
#define NS_PER_TICK 10000000 // /proc counts in hundredths of a second
#define ARGS_COMPARED 4096   // what /proc shows of the command line is not limited; what we read is

// The fields of a stat that we know too.
struct stat_line {
	char comm[256];
	size_t comm_len;
	char state;
	int32_t ppid;
	bool kernel_thread;
	uint64_t start_ticks;
};

// comm may hold anything, so it reaches from the first "(" to the last ")".
static bool parse_stat(const struct section *s, struct stat_line *ret)
{
	char text[2048];
	unsigned flags;

	if (!s || s->head.len >= sizeof(text))
		return false;
	memcpy(text, s->bytes, s->head.len);
	text[s->head.len] = '\0';
	const char *open = memchr(text, '(', s->head.len);
	const char *close = memrchr(text, ')', s->head.len);
	if (!open || !close || close < open || (size_t)(close - open) > sizeof(ret->comm))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->comm_len = (size_t)(close - open) - 1;
	memcpy(ret->comm, open + 1, ret->comm_len);
	// 3 state, 4 ppid, 9 flags, 22 start
	if (sscanf(close + 2,
		   "%c %" SCNd32
		   " %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		   "%" SCNu64,
		   &ret->state, &ret->ppid, &flags, &ret->start_ticks) != 4)
		return false;
	ret->kernel_thread = flags & PF_KTHREAD;
	return true;
}

static bool stable_stat(const struct frozen *f, const char *name, uint32_t number,
			struct stat_line *ret)
{
	struct stat_line first;

	return parse_stat(frozen_section(f, name, number, 1), &first) &&
	       parse_stat(frozen_section(f, name, number, 2), ret) &&
	       memcmp(&first, ret, sizeof(first)) == 0;
}

// Nothing runs between the second reading and the freeze, but a timer may still wake a sleeper: of a few, "sleeps" is then no
// longer true.
#define WOKEN_MAX 8
static void compare_state(const char *what, int32_t number, char state, char truth, struct tally *t)
{
	if (state == 'R' && strchr("SDI", truth) && t->in_motion < WOKEN_MAX)
		t->in_motion++;
	else
		tally_count(t, state == truth, "%s %d: state %c, truth %c", what, number, state,
			    truth);
}

static bool same_comm(const char *comm, const struct stat_line *line)
{
	return strlen(comm) == line->comm_len && memcmp(comm, line->comm, line->comm_len) == 0;
}

// The scheduler gives ordinary tasks their share even beside real-time ones (fair server, Linux 6.12), so a worker may do its
// work between the reading and the freeze: then it is idle again, and named after that work. "kworker/0:0" stays.
static bool worker_moved_on(const char *comm, char state, const struct stat_line *line,
			    const struct tally *t)
{
	size_t id = strncmp(comm, "kworker/", 8) == 0 ? strcspn(comm, "-+") : 0;

	return id > 0 && t->in_motion < WOKEN_MAX && id <= line->comm_len &&
	       memcmp(comm, line->comm, id) == 0 &&
	       (id == line->comm_len || strchr("-+", line->comm[id])) && strchr("RID", state) &&
	       strchr("RID", line->state);
}

static void compare_name(const char *what, int32_t number, const char *comm, char state,
			 const struct stat_line *line, struct tally *t)
{
	if ((!same_comm(comm, line) || state != line->state) &&
	    worker_moved_on(comm, state, line, t)) {
		t->in_motion++;
		return;
	}
	tally_count(t, same_comm(comm, line), "%s %d: comm \"%s\", truth \"%s\"", what, number,
		    shown(comm, strlen(comm)), shown(line->comm, line->comm_len));
	compare_state(what, number, state, line->state, t);
}

// The effective user: /proc/PID/status, "Uid:\treal\teffective\tsaved\tfilesystem".
static bool status_uid(const struct section *s, uint32_t *ret)
{
	const char *at = s ? memmem(s->bytes, s->head.len, "\nUid:\t", 6) : NULL;
	char text[64] = "";

	if (!at || s->bytes + s->head.len - (const uint8_t *)at < (ptrdiff_t)sizeof(text))
		return false;
	memcpy(text, at, sizeof(text) - 1);
	return sscanf(text, "\nUid:\t%*u\t%" SCNu32, ret) == 1;
}

static void compare_uid(const struct frozen *f, const struct gb_process *p, struct tally *t)
{
	uint32_t first, second;

	if (!status_uid(frozen_section(f, "status", (uint32_t)p->pid, 1), &first) ||
	    !status_uid(frozen_section(f, "status", (uint32_t)p->pid, 2), &second) ||
	    first != second)
		t->in_motion++;
	else
		tally_count(t, p->uid == second, "pid %d: uid %u, truth %u", p->pid, p->uid,
			    second);
}

static void compare_args(const struct frozen *f, const struct gb_process *p, struct tally *t)
{
	const struct section *s = frozen_stable(f, "cmdline", (uint32_t)p->pid);
	char want[ARGS_COMPARED];
	size_t len = s ? s->head.len : 0;

	len = len < sizeof(want) ? len : sizeof(want);
	if (s)
		memcpy(want, s->bytes, len);
	while (len > 0 && !want[len - 1])
		len--;
	for (size_t i = 0; i < len; i++) {
		if (!want[i])
			want[i] = ' ';
	}
	tally_count(t, strlen(p->args) == len && memcmp(p->args, want, len) == 0,
		    "pid %d: args \"%s\", truth \"%s\"", p->pid, shown(p->args, strlen(p->args)),
		    shown(want, len));
}

static void compare_stat(const struct gb_process *p, const struct stat_line *line, struct tally *t)
{
	tally_count(t, p->ppid == line->ppid, "pid %d: ppid %d, truth %d", p->pid, p->ppid,
		    line->ppid);
	compare_name("pid", p->pid, p->comm, p->state, line, t);
	tally_count(t, p->kernel_thread == line->kernel_thread,
		    "pid %d: kernel thread: %d, truth %d", p->pid, p->kernel_thread,
		    line->kernel_thread);
	tally_count(t, p->start_ns / NS_PER_TICK == line->start_ticks,
		    "pid %d: started at %" PRIu64 " ns, truth %" PRIu64 " ticks", p->pid,
		    p->start_ns, line->start_ticks);
}

struct tally compare_processes(const struct frozen *f)
{
	struct tally t = {};
	struct stat_line line;

	for (size_t i = 0; i < f->section_count; i++) {
		const struct gb_truth_section *head = &f->sections[i].head;

		if (head->reading != 2 || strcmp(head->name, "stat") != 0)
			continue;
		const struct gb_process *p = gb_process_find(&f->processes, (int32_t)head->pid);
		if (!tally_count(&t, p != NULL, "pid %u is missing", head->pid))
			continue;
		tally_count(&t, !p->torn, "pid %d is called torn", p->pid);
		if (!stable_stat(f, "stat", head->pid, &line)) {
			t.in_motion++;
			continue;
		}
		compare_stat(p, &line, &t);
		compare_uid(f, p, &t);
		compare_args(f, p, &t);
	}
	for (size_t i = 0; i < f->processes.count; i++) {
		uint32_t pid = (uint32_t)f->processes.list[i].pid;

		tally_count(&t, frozen_section(f, "stat", pid, 2), "pid %u is none", pid);
	}
	return t;
}

static void compare_one_thread(const struct frozen *f, const struct gb_process *p, uint32_t tid,
			       struct tally *t)
{
	const struct gb_thread *thread = NULL;
	struct stat_line line;

	for (size_t i = 0; i < p->thread_count; i++) {
		if (p->threads[i].tid == (int32_t)tid)
			thread = &p->threads[i];
	}
	if (!tally_count(t, thread != NULL, "pid %d: thread %u is missing", p->pid, tid))
		return;
	if (!stable_stat(f, "task", tid, &line)) {
		t->in_motion++;
		return;
	}
	compare_name("tid", (int32_t)tid, thread->comm, thread->state, &line, t);
}

struct tally compare_threads(const struct frozen *f)
{
	struct tally t = {};

	for (size_t i = 0; i < f->processes.count; i++) {
		const struct gb_process *p = &f->processes.list[i];
		const struct section *s = frozen_stable(f, "threads", (uint32_t)p->pid);

		if (!s) {
			t.in_motion++;
			continue;
		}
		tally_count(&t, p->thread_count == s->head.len / 4,
			    "pid %d: %zu threads, truth %" PRIu64, p->pid, p->thread_count,
			    s->head.len / 4);
		for (size_t k = 0; k + 4 <= s->head.len; k += 4) {
			uint32_t tid;

			memcpy(&tid, s->bytes + k, 4);
			compare_one_thread(f, p, tid, &t);
		}
	}
	return t;
}

// Compares line by line, so that a difference can be shown.
static void compare_map(const struct gb_process *p, const char *ours, size_t ours_len,
			const char *truth, size_t truth_len, struct tally *t)
{
	while (ours_len > 0 || truth_len > 0) {
		const char *end = memchr(ours, '\n', ours_len);
		size_t a = end ? (size_t)(end - ours) + 1 : ours_len;

		end = memchr(truth, '\n', truth_len);
		size_t b = end ? (size_t)(end - truth) + 1 : truth_len;
		if (!tally_count(t, a == b && memcmp(ours, truth, a) == 0,
				 "pid %d: \"%s\", truth \"%s\"", p->pid, shown(ours, a),
				 shown(truth, b)))
			return; // all that follows is shifted
		ours += a, ours_len -= a;
		truth += b, truth_len -= b;
	}
}

struct tally compare_maps(const struct frozen *f)
{
	struct tally t = {};
	struct gb_buf text = {};

	for (size_t i = 0; i < f->processes.count; i++) {
		const struct gb_process *p = &f->processes.list[i];
		const struct section *s = frozen_stable(f, "maps", (uint32_t)p->pid);

		if (!s && frozen_section(f, "maps", (uint32_t)p->pid, 2)) {
			t.in_motion++;
			continue;
		}
		gb_buf_clear(&text);
		gb_maps_text(p, &text);
		compare_map(p, text.data ? text.data : "", text.len,
			    s ? (const char *)s->bytes : "", s ? s->head.len : 0, &t);
	}
	gb_buf_deinit(&text);
	return t;
}
