// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The state of one gb_process_list() call, shared by the files that read tasks, VMAs and paths; lists of other things
// are read with it, too.
//
// Everything that says something about a process is read through the gb_listing_* functions below.
// They remember it in a guard, which is checked when the process has been read: what is not torn
// was so at one instant, but for rss_pages. Of an object only the members count that members.h asks for; its
// neighbours in RAM (locks, counters, links to other tasks) may change.
#pragma once

#include "kernel/internal.h"
#include "kernel/process.h"
#include "ram/guard.h"

#define GB_PATH_CACHE 1024

// What a struct path of the guest is called.
struct gb_path_entry {
	uint64_t mnt, dentry; // the key; dentry 0: empty
	const char *name;
	struct gb_buf seen; // what it was made of, as a guard remembers it
	uint64_t attempt;   // that used it last
};

// What is left to spend: a guest's RAM can hold only so many of each.
struct gb_budget {
	uint64_t tasks, vmas, nodes;
	uint64_t fds;   // entries of tables of descriptors
	uint64_t bytes; // of what a guard remembers
};

struct gb_listing {
	const struct gb_kernel *k;
	struct gb_arena *arena;
	unsigned what;
	struct gb_budget left, share; // share: of the process that is being read
	struct gb_guard guard;        // what was read of it
	bool broken;                  // something of it could not be read, or moved meanwhile
	uint64_t attempt;             // to read a process, counted
	// grows with the largest process
	struct gb_vma *vmas;
	size_t vma_count, vma_cap;
	uint64_t thread_mm; // of a thread of the process that is being read; 0: none has one
	uint64_t root_mnt, root_dentry; // of pid 1, where paths begin
	struct gb_path_entry *paths;    // cache of GB_PATH_CACHE; NULL without names
	size_t kept;                    // bytes in it
	struct gb_object task, mm, object;
};

// Begin to read a process, once more or the next one. So many bytes are remembered; who reads more
// is torn.
void gb_listing_begin(struct gb_listing *l, uint64_t bytes);
// As the gb_read_va, gb_object_read and gb_kernel_read_string of this folder, and remember. GB_EFAULT, GB_EGONE.
int gb_listing_read(struct gb_listing *l, uint64_t va, void *ret, size_t len);
int gb_listing_object(struct gb_listing *l, enum gb_struct_id type, uint64_t va,
		      struct gb_object *ret);
int gb_listing_text(struct gb_listing *l, uint64_t va, char *ret, size_t size);
// A line of text of the guest in the arena, of max bytes at most; "" when it cannot be read.
const char *gb_listing_string(struct gb_listing *l, uint64_t va, size_t max);

// What hangs on a circular list: the addresses of the objects whose list_head lies at offset in them.
struct gb_chain {
	uint64_t *objects; // free() it
	size_t count, cap;
	bool whole; // came back to its head
};
// From the head, itself not an object, on. Ends early, and not whole, at what cannot be read, at a cycle without the
// head, or when the budget is spent. list may be used again. GB_EGONE, GB_ENOMEM.
int gb_listing_chain(struct gb_listing *l, uint64_t head, uint64_t offset, uint64_t budget,
		     struct gb_chain *list, struct gb_error *err);

// Read struct task_struct into l->task and from there into a thread. GB_EFAULT.
int gb_task_read(struct gb_listing *l, uint64_t task, struct gb_thread *ret);
// Fill vmas of a process whose struct mm_struct is in l->mm. What does not fit sets p->torn.
int gb_vmas_read(struct gb_listing *l, struct gb_process *p, struct gb_error *err);
// Fill files of a process from its struct files_struct. GB_ENOMEM.
int gb_files_read(struct gb_listing *l, struct gb_process *p, uint64_t files, struct gb_error *err);
// The name of a file as seq_file_path() prints it, in the arena; "" when it cannot be read.
const char *gb_path_read(struct gb_listing *l, uint64_t mnt, uint64_t dentry);
// Keep no name that an attempt used since this one.
void gb_paths_forget(struct gb_listing *l, uint64_t attempt);
// The root directory of a task, to where paths are walked.
void gb_path_root(struct gb_listing *l, uint64_t fs);
