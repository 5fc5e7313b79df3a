// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Processes and owners at one moment.
#include "serve/census.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

// Bytes that one census may take for processes, threads, VMAs and names.
#define ARENA_LIMIT ((size_t)256 << 20)

struct gb_guest_kernel {
	int refs;
	bool borrowed;
	struct gb_kernel *kernel;
};

static int wrap(struct gb_kernel *k, bool borrowed, struct gb_guest_kernel **ret,
		struct gb_error *err)
{
	struct gb_guest_kernel *g = calloc(1, sizeof(*g));

	if (!g)
		return gb_fail(err, GB_ENOMEM, "no memory for the guest's kernel");
	*g = (struct gb_guest_kernel){.refs = 1, .borrowed = borrowed, .kernel = k};
	*ret = g;
	return 0;
}

int gb_guest_kernel_borrow(struct gb_kernel *k, struct gb_guest_kernel **ret, struct gb_error *err)
{
	return wrap(k, true, ret, err);
}

int gb_guest_kernel_open(struct gb_ram *ram, const struct gb_log *log, struct gb_guest_kernel **ret,
			 struct gb_error *err)
{
	struct gb_kernel_options options = {.log = log};
	struct gb_kernel *k;
	int r = gb_kernel_open(ram, &options, &k, err);

	if (r == 0)
		r = wrap(k, false, ret, err);
	else
		return r;
	if (r != 0)
		gb_kernel_close(k);
	return r;
}

struct gb_guest_kernel *gb_guest_kernel_ref(struct gb_guest_kernel *g)
{
	if (g)
		__atomic_add_fetch(&g->refs, 1, __ATOMIC_RELAXED);
	return g;
}

void gb_guest_kernel_unref(struct gb_guest_kernel **g)
{
	struct gb_guest_kernel *old = *g;

	*g = NULL;
	if (!old || __atomic_sub_fetch(&old->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (!old->borrowed)
		gb_kernel_close(old->kernel);
	free(old);
}

struct gb_kernel *gb_guest_kernel_get(struct gb_guest_kernel *g)
{
	return g->kernel;
}

static void count_use(struct gb_census *c, const struct gb_process *p, size_t frame)
{
	struct gb_census_use *u = &c->uses[p - c->processes.list];

	switch (c->frames.classes[frame]) {
	case GB_FRAME_CODE:
		u->code++;
		break;
	case GB_FRAME_HEAP:
		u->heap++;
		break;
	case GB_FRAME_STACK:
		u->stack++;
		break;
	case GB_FRAME_MAPPED:
		u->mapped++;
		break;
	default:
		break;
	}
}

// Neighbouring frames mostly have the same owner, so the last one found is tried first.
static int count_uses(struct gb_census *c, struct gb_error *err)
{
	const struct gb_process *last = NULL;

	c->uses = calloc(c->processes.count + 1,
			 sizeof(*c->uses)); // not of what processes may use up
	if (!c->uses)
		return gb_fail(err, GB_ENOMEM, "no memory to count the frames of processes");
	for (size_t i = 0; i < c->frames.count; i++) {
		int32_t pid = c->frames.pids[i];

		if (pid == 0)
			continue;
		if (!last || last->pid != pid)
			last = gb_process_find(&c->processes, pid);
		if (last)
			count_use(c, last, i);
	}
	return 0;
}

static void put_process(struct gb_json *j, const struct gb_process *p,
			const struct gb_census_use *u)
{
	gb_json_object(j);
	gb_json_pair(j, "pid", i64, p->pid);
	gb_json_pair(j, "ppid", i64, p->ppid);
	gb_json_pair(j, "uid", u64, p->uid);
	gb_json_pair(j, "comm", str, p->comm);
	gb_json_pair(j, "args", str, p->args ? p->args : "");
	gb_json_pair(j, "state", strn, &p->state, p->state ? 1 : 0);
	gb_json_pair(j, "kernel", bool, p->kernel_thread);
	gb_json_pair(j, "threads", u64, p->thread_count);
	gb_json_pair(j, "vmas", u64, p->vma_count);
	gb_json_pair(j, "rss_pages", u64, p->rss_pages);
	gb_json_pair(j, "torn", bool, p->torn);
	gb_json_pair(j, "cut", bool, p->cut);
	gb_json_key(j, "frames");
	gb_json_object(j);
	gb_json_pair(j, "code", u64, u->code);
	gb_json_pair(j, "heap", u64, u->heap);
	gb_json_pair(j, "stack", u64, u->stack);
	gb_json_pair(j, "mapped", u64, u->mapped);
	gb_json_end_object(j);
	gb_json_end_object(j);
}

// The hash covers the list alone, so a later stamp is no change.
static void put_processes(struct gb_census *c)
{
	struct gb_json j = gb_json_init(&c->processes_json);

	gb_json_object(&j);
	gb_json_key(&j, "processes");
	gb_json_array(&j);
	for (size_t i = 0; i < c->processes.count; i++)
		put_process(&j, &c->processes.list[i], &c->uses[i]);
	gb_json_end_array(&j);
	if (!gb_buf_failed(&c->processes_json))
		c->processes_hash = gb_hash(c->processes_json.data, c->processes_json.len);
	gb_json_pair(&j, "torn", bool, c->processes.torn);
	gb_json_pair(&j, "time_ns", u64, c->time_ns);
	gb_json_end_object(&j);
}

static void put_owners(struct gb_census *c)
{
	struct gb_json j = gb_json_init(&c->owners_json);
	uint64_t groups[GB_FRAME_GROUP_COUNT] = {};

	gb_json_object(&j);
	gb_json_key(&j, "classes");
	gb_json_object(&j);
	for (unsigned k = 0; k < GB_FRAME_CLASS_COUNT; k++) {
		gb_json_pair(&j, gb_frame_class_name(k), u64, c->frames.by_class[k]);
		groups[gb_frame_class_group(k)] += c->frames.by_class[k];
	}
	gb_json_end_object(&j);
	gb_json_key(&j, "groups");
	gb_json_object(&j);
	for (unsigned g = 0; g < GB_FRAME_GROUP_COUNT; g++)
		gb_json_pair(&j, gb_frame_group_info(g)->key, u64, groups[g]);
	gb_json_end_object(&j);
	gb_json_pair(&j, "time_ns", u64, c->time_ns);
	gb_json_end_object(&j);
}

static int unknown_frames(struct gb_census *c, uint64_t frames, struct gb_error *err)
{
	size_t n = frames ? (size_t)frames : 1;

	c->frames.classes = calloc(n, sizeof(*c->frames.classes));
	c->frames.pids = calloc(n, sizeof(*c->frames.pids));
	c->frames.mappers = calloc(n, sizeof(*c->frames.mappers));
	c->frames.count = (size_t)frames;
	c->frames.by_class[GB_FRAME_UNKNOWN] = frames;
	if (!c->frames.classes || !c->frames.pids || !c->frames.mappers)
		return gb_fail(err, GB_ENOMEM, "no memory for the owners of %llu frames",
			       (unsigned long long)frames);
	memset(c->frames.classes, GB_FRAME_UNKNOWN, n);
	return 0;
}

static int read_guest(struct gb_census *c, uint64_t frames, struct gb_error *err)
{
	static const unsigned what = GB_PROCESS_VMAS | GB_PROCESS_NAMES | GB_PROCESS_ARGS;
	struct gb_kernel *k = gb_guest_kernel_get(c->kernel);
	int r = gb_process_list(k, what, &c->arena, &c->processes, err);

	if (r == 0)
		r = gb_frames_classify(k, &c->processes, &c->frames, err);
	if (r == 0 && c->frames.count != frames)
		r = gb_fail(err, GB_EBUG, "%zu frames were classified, there are %llu",
			    c->frames.count, (unsigned long long)frames);
	return r;
}

static void set_versions(struct gb_census *c, const struct gb_census *previous)
{
	uint64_t parts[] = {gb_hash(c->frames.classes, c->frames.count),
			    gb_hash(c->frames.pids, c->frames.count * sizeof(*c->frames.pids))};

	c->owners_hash = gb_hash(parts, sizeof(parts));
	c->version = c->owners_version = c->processes_version = 1;
	if (!previous)
		return;
	c->version = previous->version + 1;
	c->owners_version = previous->owners_version + (c->owners_hash != previous->owners_hash);
	c->processes_version =
		previous->processes_version + (c->processes_hash != previous->processes_hash);
}

static int fill(struct gb_census *c, uint64_t frames, struct gb_error *err)
{
	int r = c->kernel ? read_guest(c, frames, err) : unknown_frames(c, frames, err);

	if (r == 0)
		r = count_uses(c, err);
	if (r != 0)
		return r;
	put_processes(c);
	put_owners(c);
	if (gb_buf_failed(&c->processes_json) || gb_buf_failed(&c->owners_json))
		return gb_fail(err, GB_ENOMEM, "no memory for the list of processes");
	return 0;
}

int gb_census_take(struct gb_guest_kernel *kernel, uint64_t frames,
		   const struct gb_census *previous, struct gb_census **ret, struct gb_error *err)
{
	struct gb_census *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return gb_fail(err, GB_ENOMEM, "no memory for the owners of frames");
	c->refs = 1;
	c->kernel = gb_guest_kernel_ref(kernel);
	c->time_ns = gb_clock_real_ns();
	c->arena.limit = ARENA_LIMIT;
	r = fill(c, frames, err);
	if (r == 0) {
		set_versions(c, previous);
		*ret = c;
	} else {
		gb_census_unref(&c);
	}
	return r;
}

struct gb_census *gb_census_ref(struct gb_census *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void gb_census_unref(struct gb_census **c)
{
	struct gb_census *old = *c;

	*c = NULL;
	if (!old || __atomic_sub_fetch(&old->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	gb_frames_deinit(&old->frames);
	gb_buf_deinit(&old->processes_json);
	gb_buf_deinit(&old->owners_json);
	gb_arena_deinit(&old->arena);
	free(old->uses);
	gb_guest_kernel_unref(&old->kernel);
	free(old);
}
