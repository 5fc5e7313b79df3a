// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// One task: its name and state as /proc shows them.
//
// A name is comm, of 15 bytes, but for kernel threads: since 5.17 struct kthread keeps the whole
// name when it is longer, and the name of a worker goes on with the work queue it works for ("+"
// while it does, "-" after). Rescuers became "kworker/R-" with 6.10; a worker's own struct has the
// whole name of the queue.
#include "kernel/listing.h"

#include <stdio.h>

#define PF_WQ_WORKER 0x20
#define PF_KTHREAD 0x200000
#define TASK_NOLOAD 0x400
#define TASK_UNINTERRUPTIBLE 2

// The letters of fs/proc/array.c: the index is the highest bit of the state.
static char state_of(const struct gb_object *t)
{
	static const char letters[] = "RSDTtXZP";
	uint64_t state = gb_get(t, GB_M_TASK_STATE),
		 all = (state | gb_get(t, GB_M_TASK_EXIT_STATE)) & 0x7f;

	if ((state & 0xffff) == (TASK_NOLOAD | TASK_UNINTERRUPTIBLE))
		return 'I';
	if (!all)
		return state & (0x1000 | 0x8000) ? 'D' : 'R'; // waits for an RT lock; frozen
	return letters[64 - __builtin_clzll(all)];
}

static void worker_name(struct gb_listing *l, uint64_t worker, struct gb_thread *t)
{
	struct gb_object *o = &l->object;
	size_t len = strlen(t->comm);
	char part[64];
	uint64_t rescue;

	if (!worker || gb_listing_object(l, GB_S_WORKER, worker, o) != 0)
		return;
	rescue = gb_get(o, GB_M_WORKER_RESCUE);
	if (gb_get(o, GB_M_WORKER_POOL) && gb_object_text(o, GB_M_WORKER_DESC, part, sizeof(part)))
		snprintf(t->comm + len, sizeof(t->comm) - len, "%c%s",
			 gb_get(o, GB_M_WORKER_CURRENT) ? '+' : '-', part);
	else if (rescue && strncmp(t->comm, "kworker/R-", 10) == 0 &&
		 gb_listing_object(l, GB_S_WORKQUEUE, rescue, o) == 0)
		gb_object_text(o, GB_M_WORKQUEUE_NAME, t->comm + 10, sizeof(t->comm) - 10);
}

static void kthread_name(struct gb_listing *l, uint64_t flags, uint64_t kthread,
			 struct gb_thread *t)
{
	struct gb_object *o = &l->object;
	char text[sizeof(t->comm)];
	uint64_t name;

	if (!kthread || gb_listing_object(l, GB_S_KTHREAD, kthread, o) != 0)
		return;
	if (flags & PF_WQ_WORKER) {
		if (gb_has(l->k, GB_M_KTHREAD_DATA))
			worker_name(l, gb_get(o, GB_M_KTHREAD_DATA), t);
		return;
	}
	name = gb_get(o, GB_M_KTHREAD_FULL_NAME);
	if (name && gb_listing_text(l, name, text, sizeof(text)) == 0)
		memcpy(t->comm, text, strlen(text) + 1);
}

int gb_task_read(struct gb_listing *l, uint64_t task, struct gb_thread *ret)
{
	struct gb_object *o = &l->task;
	int r = gb_listing_object(l, GB_S_TASK, task, o);
	uint64_t flags;

	if (r != 0)
		return r;
	flags = gb_get(o, GB_M_TASK_FLAGS);
	ret->task.v = task;
	ret->tid = (int32_t)gb_get(o, GB_M_TASK_PID);
	ret->stack.v = gb_get(o, GB_M_TASK_STACK);
	ret->state = state_of(o);
	gb_object_text(o, GB_M_TASK_COMM, ret->comm, sizeof(ret->comm));
	if (flags & PF_KTHREAD)
		kthread_name(l, flags, gb_get(o, GB_M_TASK_KTHREAD), ret);
	return 0;
}
