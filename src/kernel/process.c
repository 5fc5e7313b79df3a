// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The list of processes.
//
// All thread group leaders hang on init_task.tasks; the threads of a group on signal->thread_head.
// The guest changes both while we read. A list is believed when walking it again finds the same
// tasks; a process, when all that it was made of is as it was read (see listing.h). Each process is
// verified for itself: one that never rests takes its own tries and tears no other.
#include "kernel/process.h"

#include "kernel/listing.h"

#include <stdlib.h>

#define PF_KTHREAD 0x200000
#define LIST_TRIES 6
// Bytes of the caller's arena: a guest may link text without end.
#define LISTING_MAX ((size_t)512 << 20)
#define PROCESS_TRIES GB_STABLE_TRIES
// Of one process. Linux allows 4 M threads in all, and 65,530 VMAs each if nobody asks for more.
#define SHARE_MAX ((uint64_t)1 << 20)
// Bytes remembered of all processes, one after the other, and of one: 65,530 VMAs take a quarter of it, and each path of
// a file that is not in the cache some kilobytes.
#define BYTES_MAX ((uint64_t)2 << 30)
#define BYTES_SHARE_MAX ((uint64_t)128 << 20)
#define ARGS_MAX 4096

// Twice what the RAM could hold of each kind of object, however the guest links them.
static void set_budgets(struct gb_listing *l)
{
	uint64_t bytes = gb_layout_size(gb_ram_layout(l->k->ram));
	uint32_t task = l->k->offsets.structs[GB_S_TASK].size,
		 vma = l->k->offsets.structs[GB_S_VMA].size;

	l->left.tasks = 2 * bytes / (task > 1024 ? task : 1024) + 1024;
	l->left.vmas = 2 * bytes / (vma > 64 ? vma : 64) + 1024;
	l->left.nodes = 2 * bytes / 64 + 1024; // of a tree: 256 bytes, or those in a VMA
	l->left.fds = bytes / 8 + 1024;        // pointers
	l->left.bytes = 2 * bytes < BYTES_MAX ? 2 * bytes : BYTES_MAX;
}

static int walk_tasks(struct gb_listing *l, struct gb_chain *list, struct gb_error *err)
{
	uint64_t offset = gb_offset(l->k, GB_M_TASK_TASKS);

	set_budgets(l);
	gb_listing_begin(l, 0); // walking it again verifies it, not the guard
	return gb_listing_chain(l, l->k->symbol[GB_Y_INIT_TASK] + offset, offset, l->left.tasks,
				list, err);
}

static bool same(const struct gb_chain *a, const struct gb_chain *b)
{
	return a->whole && b->whole && a->count == b->count &&
	       (a->count == 0 ||
		memcmp(a->objects, b->objects, a->count * sizeof(*a->objects)) == 0);
}

static int copy_thread(struct gb_listing *l, uint64_t task, const struct gb_thread *leader,
		       struct gb_process *p)
{
	struct gb_thread *t = &p->threads[p->thread_count];

	l->share.tasks--;        // the list has no more than that
	if (task == p->task.v) { // read already
		*t = *leader;
		p->thread_count++;
		return 0;
	}
	if (gb_task_read(l, task, t) != 0 || (int32_t)gb_get(&l->task, GB_M_TASK_TGID) != p->pid)
		return GB_ETORN;
	p->thread_count++;
	l->thread_mm = gb_get(&l->task, GB_M_TASK_MM);
	return 0;
}

static int by_tid(const void *a, const void *b)
{
	const struct gb_thread *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int read_threads(struct gb_listing *l, uint64_t signal, uint64_t count,
			const struct gb_thread *leader, struct gb_process *p, struct gb_error *err)
{
	uint64_t head = signal + gb_offset(l->k, GB_M_SIGNAL_THREAD_HEAD);
	struct gb_chain list = {};
	int r = gb_listing_chain(l, head, gb_offset(l->k, GB_M_TASK_THREAD_NODE),
				 l->share.tasks < count + 64 ? l->share.tasks : count + 64, &list,
				 err);

	p->threads = r == 0 ? gb_arena_array(l->arena, list.count + 1, sizeof(*p->threads)) : NULL;
	if (r == 0 && !p->threads)
		r = gb_fail(err, GB_ENOMEM, "no memory for the guest's threads");
	p->torn |= !list.whole || list.count != count;
	p->thread_count = 0;
	for (size_t i = 0; i < list.count && r == 0; i++)
		p->torn |= copy_thread(l, list.objects[i], leader, p) != 0;
	if (r == 0)
		qsort(p->threads, p->thread_count, sizeof(*p->threads), by_tid);
	free(list.objects);
	return r;
}

static const char *read_args(struct gb_listing *l, const struct gb_process *p, uint64_t start,
			     uint64_t end)
{
	struct gb_space space = {p->pgd, l->k->info.paging_levels};
	char args[ARGS_MAX];
	size_t len = end > start ? end - start : 0, done = 0;

	if (len > sizeof(args))
		len = sizeof(args);
	while (done < len) { // page by page: a page that is not there ends it
		size_t n = GB_PAGE_SIZE - (start + done) % GB_PAGE_SIZE;

		if (n > len - done)
			n = len - done;
		if (gb_guard_space_read(&l->guard, space, (gb_gva){start + done}, args + done, n,
					NULL) != 0)
			break;
		done += n;
	}
	while (done > 0 && args[done - 1] == 0)
		done--;
	for (size_t i = 0; i < done; i++)
		if (args[i] == 0)
			args[i] = ' ';
	return gb_arena_strndup(l->arena, args, done);
}

static uint64_t percpu_sum(struct gb_listing *l, uint64_t counter)
{
	struct gb_object *o = &l->object;
	uint64_t base, sum; // without a sign: a guest's numbers may wrap

	if (gb_object_read(l->k, GB_S_PERCPU_COUNTER, counter, o) != 0)
		return 0;
	sum = gb_get(o, GB_M_PERCPU_COUNTER_COUNT);
	base = gb_get(o, GB_M_PERCPU_COUNTER_COUNTERS);
	for (unsigned i = 0; i < l->k->cpus; i++) {
		int32_t delta = 0;

		if (gb_read_va(l->k, base + l->k->per_cpu[i], &delta, 4) == 0)
			sum += (uint64_t)(int64_t)delta;
	}
	return sum;
}

// File, anonymous and shared pages: counters 0, 1 and 3. They became per-CPU counters with 6.2.
static uint64_t read_rss(struct gb_listing *l, uint64_t mm)
{
	static const unsigned which[] = {0, 1, 3};
	uint64_t at = mm + gb_offset(l->k, GB_M_MM_RSS);
	uint32_t size = l->k->offsets.structs[GB_S_PERCPU_COUNTER].size;
	uint64_t pages = 0, v;

	if (!gb_has(l->k, GB_M_MM_RSS))
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (l->k->offsets.members[GB_M_MM_RSS].size >= 4 * size && size > 8)
			pages += percpu_sum(l, at + which[i] * size);
		else if (gb_read_va(l->k, at + which[i] * 8, &v, 8) == 0)
			pages += v;
	}
	return (int64_t)pages > 0 ? pages : 0;
}

static int read_mm(struct gb_listing *l, struct gb_process *p, struct gb_error *err)
{
	struct gb_object *o = &l->mm;
	int r = gb_listing_object(l, GB_S_MM, p->mm.v, o);

	if (r == GB_EGONE)
		return gb_fail(err, r, "the guest's RAM went away");
	if (r != 0 || gb_kernel_locate(l->k, gb_get(o, GB_M_MM_PGD), &p->pgd) != 0) {
		p->torn = true;
		return 0;
	}
	p->vma_count = (size_t)(uint32_t)gb_get(o, GB_M_MM_MAP_COUNT);
	p->rss_pages = read_rss(l, p->mm.v);
	if (l->what & GB_PROCESS_ARGS)
		p->args = read_args(l, p, gb_get(o, GB_M_MM_ARG_START), gb_get(o, GB_M_MM_ARG_END));
	if (!p->args)
		return gb_fail(err, GB_ENOMEM, "no memory for the guest's command lines");
	return l->what & GB_PROCESS_VMAS ? gb_vmas_read(l, p, err) : 0;
}

// A leader that has ended while its threads go on has no memory map in /proc; its threads still
// have pages.
static void find_orphaned_pages(struct gb_listing *l, struct gb_process *p)
{
	if (l->thread_mm && gb_listing_object(l, GB_S_MM, l->thread_mm, &l->mm) == 0)
		gb_kernel_locate(l->k, gb_get(&l->mm, GB_M_MM_PGD), &p->pgd);
}

static void copy_leader(struct gb_listing *l, const struct gb_thread *leader, struct gb_process *p)
{
	const struct gb_object *o = &l->task;
	uint32_t tgid = 0;

	p->pid = (int32_t)gb_get(o, GB_M_TASK_TGID);
	p->mm.v = gb_get(o, GB_M_TASK_MM);
	p->kernel_thread = gb_get(o, GB_M_TASK_FLAGS) & PF_KTHREAD;
	p->start_ns = gb_get(o, GB_M_TASK_START);
	p->state = leader->state;
	memcpy(p->comm, leader->comm, sizeof(p->comm));
	if (gb_listing_read(l, gb_get(o, GB_M_TASK_REAL_PARENT) + gb_offset(l->k, GB_M_TASK_TGID),
			    &tgid, 4) != 0)
		p->torn = true;
	p->ppid = (int32_t)tgid;
}

static int read_once(struct gb_listing *l, uint64_t task, struct gb_process *p,
		     struct gb_error *err)
{
	uint64_t signal, cred, fs, files;
	struct gb_thread leader;
	int r;

	*p = (struct gb_process){.task = {task}, .args = ""};
	if (gb_task_read(l, task, &leader) != 0) {
		p->torn = true;
		return 0;
	}
	copy_leader(l, &leader, p);
	signal = gb_get(&l->task, GB_M_TASK_SIGNAL);
	cred = gb_get(&l->task, GB_M_TASK_REAL_CRED);
	fs = gb_get(&l->task, GB_M_TASK_FS);
	files = gb_get(&l->task, GB_M_TASK_FILES);
	if (p->pid == 1)
		gb_path_root(l, fs);
	if (gb_listing_object(l, GB_S_CRED, cred, &l->object) == 0)
		p->uid = (uint32_t)gb_get(&l->object, GB_M_CRED_EUID);
	else
		p->torn = true;
	if (gb_listing_object(l, GB_S_SIGNAL, signal, &l->object) != 0) {
		p->torn = true;
		return 0;
	}
	l->thread_mm = 0;
	r = read_threads(l, signal, (uint32_t)gb_get(&l->object, GB_M_SIGNAL_NR_THREADS), &leader,
			 p, err);
	if (r == 0 && p->mm.v)
		r = read_mm(l, p, err);
	else if (r == 0 && !p->kernel_thread)
		find_orphaned_pages(l, p);
	if (r == 0 && l->what & GB_PROCESS_FILES && files && !p->kernel_thread)
		r = gb_files_read(l, p, files, err);
	return r;
}

// Half of what is left, so that a process made to cost much leaves enough to others.
static uint64_t share_of(uint64_t left, uint64_t most)
{
	return left / 2 < most ? left / 2 : most;
}

static struct gb_budget take_share(struct gb_budget *left)
{
	struct gb_budget share = {
		share_of(left->tasks, SHARE_MAX),       share_of(left->vmas, SHARE_MAX),
		share_of(left->nodes, SHARE_MAX),       share_of(left->fds, SHARE_MAX),
		share_of(left->bytes, BYTES_SHARE_MAX),
	};

	left->tasks -= share.tasks;
	left->vmas -= share.vmas;
	left->nodes -= share.nodes;
	left->fds -= share.fds;
	left->bytes -= share.bytes;
	return share;
}

static void give_back(struct gb_budget *left, const struct gb_budget *share)
{
	left->tasks += share->tasks;
	left->vmas += share->vmas;
	left->nodes += share->nodes;
	left->fds += share->fds;
	left->bytes += share->bytes;
}

// Is as much left as an attempt took? One that must end early finds less than the one before.
static bool allows_another(const struct gb_budget *share, const struct gb_budget *before)
{
	return share->tasks >= before->tasks - share->tasks &&
	       share->vmas >= before->vmas - share->vmas &&
	       share->nodes >= before->nodes - share->nodes &&
	       share->fds >= before->fds - share->fds &&
	       share->bytes >= before->bytes - share->bytes;
}

// Nothing is known of it but that it is there: it would take more memory than one may.
static void leave_out(struct gb_process *p)
{
	p->args = "";
	p->threads = NULL;
	p->vmas = NULL;
	p->files = NULL;
	p->thread_count = p->vma_count = p->file_count = 0;
	p->torn = true;
}

// More of anything would not have been read.
static bool is_spent(const struct gb_listing *l)
{
	return l->guard.full || l->arena->refused || l->share.tasks == 0 || l->share.vmas == 0 ||
	       l->share.nodes == 0 || l->share.fds == 0;
}

// One attempt. What a torn one used of the cache may be what had changed.
static int try_process(struct gb_listing *l, uint64_t task, struct gb_process *p,
		       struct gb_error *err)
{
	bool unchanged = false;
	int r;

	gb_listing_begin(l, l->share.bytes);
	r = read_once(l, task, p, err);
	if (r == 0)
		r = gb_guard_check(&l->guard, &unchanged, err);
	l->share.bytes -= l->guard.seen.len < l->share.bytes ? l->guard.seen.len : l->share.bytes;
	p->torn |= r != 0 || !unchanged || l->broken;
	p->cut = p->torn && is_spent(l);
	if (p->torn)
		gb_paths_forget(l, l->attempt);
	return r;
}

static int read_process(struct gb_listing *l, uint64_t task, struct gb_process *p,
			struct gb_error *err)
{
	struct gb_arena_mark mark = gb_arena_mark(l->arena);
	size_t limit = l->arena->limit;
	struct gb_budget before;
	int r, tries = PROCESS_TRIES;

	l->share = take_share(&l->left);
	l->arena->limit -= (limit - mark.total) / 2;
	do {
		gb_arena_rewind(l->arena, mark);
		l->arena->refused = false;
		before = l->share;
		r = try_process(l, task, p, err);
	} while (r == 0 && p->torn && --tries > 0 && !l->arena->refused &&
		 allows_another(&l->share, &before));
	if (r == GB_ENOMEM && l->arena->refused) {
		gb_arena_rewind(l->arena, mark);
		leave_out(p);
		if (err)
			*err = (struct gb_error){};
		r = 0;
	}
	l->arena->limit = limit;
	give_back(&l->left, &l->share);
	return r;
}

static int by_pid(const void *a, const void *b)
{
	const struct gb_process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int read_all(struct gb_listing *l, const struct gb_chain *list, struct gb_processes *ret,
		    struct gb_error *err)
{
	int r = 0;

	ret->count = 0;
	gb_paths_forget(l, 0); // the names of an earlier pass are gone with it
	ret->list = gb_arena_array(l->arena, list->count + 1, sizeof(*ret->list));
	if (!ret->list)
		return gb_fail(err, GB_ENOMEM, "no memory for the guest's processes");
	for (size_t i = 0; i < list->count && r == 0; i++)
		r = read_process(l, list->objects[i], &ret->list[ret->count++], err);
	if (r == 0)
		qsort(ret->list, ret->count, sizeof(*ret->list), by_pid);
	return r;
}

static struct gb_listing *new_listing(struct gb_kernel *k, unsigned what, struct gb_arena *arena)
{
	struct gb_listing *l = malloc(sizeof(*l));

	if (!l)
		return NULL;
	memset(l, 0, offsetof(struct gb_listing, task)); // not the objects: they are large
	l->k = k;
	l->arena = arena;
	l->what = what & GB_PROCESS_NAMES ? what | GB_PROCESS_VMAS : what;
	if (!(what & (GB_PROCESS_NAMES | GB_PROCESS_FILES)))
		return l;
	l->paths = calloc(GB_PATH_CACHE, sizeof(*l->paths));
	if (l->paths)
		return l;
	free(l);
	return NULL;
}

static void free_listing(struct gb_listing *l)
{
	for (size_t i = 0; l->paths && i < GB_PATH_CACHE; i++)
		gb_buf_deinit(&l->paths[i].seen);
	gb_guard_deinit(&l->guard);
	free(l->paths);
	free(l->vmas);
	free(l);
}

// Read them until the list is the same before and after.
static int read_list(struct gb_listing *l, struct gb_processes *p, struct gb_error *err)
{
	struct gb_arena_mark mark = gb_arena_mark(l->arena);
	struct gb_chain before = {}, after = {};
	int r = walk_tasks(l, &before, err);

	for (int tries = LIST_TRIES; tries > 0 && r == 0; tries--) {
		struct gb_chain swap = before;

		gb_arena_rewind(l->arena, mark);
		r = read_all(l, &before, p, err);
		if (r == 0)
			r = walk_tasks(l, &after, err);
		p->torn = r == 0 && !same(&before, &after);
		if (!p->torn)
			break;
		before = after;
		after = swap;
	}
	free(before.objects);
	free(after.objects);
	return r;
}

int gb_process_list(struct gb_kernel *k, unsigned what, struct gb_arena *arena,
		    struct gb_processes *ret, struct gb_error *err)
{
	struct gb_listing *l = new_listing(k, what, arena);
	struct gb_processes p = {};
	size_t limit = arena->limit, most = arena->total + LISTING_MAX;
	int r;

	if (!l)
		return gb_fail(err, GB_ENOMEM, "no memory for the guest's processes");
	if (!limit || limit > most)
		arena->limit = most;
	r = read_list(l, &p, err);
	arena->limit = limit;
	free_listing(l);
	for (size_t i = 0; r == 0 && i < p.count; i++)
		p.torn |= p.list[i].torn;
	if (r == 0 && p.count == 0)
		r = gb_fail(err, GB_EUNKNOWN,
			    "the guest's kernel runs no process yet: it is still starting");
	if (r == 0)
		*ret = p;
	return r;
}

const struct gb_process *gb_process_find(const struct gb_processes *p, int32_t pid)
{
	struct gb_process key = {.pid = pid};

	return bsearch(&key, p->list, p->count, sizeof(*p->list), by_pid);
}

const struct gb_process *gb_process_find_cut(const struct gb_processes *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].cut)
			return &p->list[i];
	return NULL;
}
