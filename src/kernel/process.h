// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Processes, threads and VMAs.
#pragma once

#include "kernel/kernel.h"

struct gb_vma {
	uint64_t start, end; // [start, end)
	uint64_t flags;      // VM_READ 1, VM_WRITE 2, VM_EXEC 4, VM_SHARED 8 as in the kernel
	uint64_t pgoff;      // in pages, as in the kernel
	gb_gva file;         // struct file, 0: anonymous
	uint64_t inode;
	uint32_t dev;     // as printed in maps: major << 20 | minor
	const char *name; // path, "[heap]", "[stack]", "[vdso]", "" - as /proc/PID/maps prints it
};

struct gb_file {
	uint32_t fd;
	uint32_t flags;   // as given to open(), but for O_CLOEXEC
	gb_gva file;      // struct file
	const char *name; // as the link in /proc/PID/fd, but for newlines: as in gb_vma
};

struct gb_thread {
	gb_gva task;  // struct task_struct
	gb_gva stack; // the lowest address of its kernel stack; 0: freed already
	int32_t tid;
	char comm[64]; // as /proc shows it (full name for kernel threads)
	char state;    // as ps shows it: R S D T t Z X I
};

struct gb_process {
	gb_gva task; // of the leader
	gb_gva mm;   // 0: kernel thread
	gb_gpa pgd; // 0: no user memory (without mm it is that of a thread that outlived its leader)
	int32_t pid, ppid;
	uint32_t uid;
	bool kernel_thread;
	bool torn; // its values, threads and VMAs are not all from one instant, or not all there
	bool cut;  // torn because there is more of it than is read of anyone: no other time helps
	char comm[64];
	char state;
	const char *args;  // command line with spaces, "" when there is none
	uint64_t start_ns; // since boot
	struct gb_thread *threads;
	size_t thread_count;
	struct gb_vma *vmas; // by address; NULL unless asked for
	size_t vma_count;    // always set (mm->map_count is checked against it when vmas are read)
	struct gb_file *files; // by descriptor; NULL unless asked for, or of a kernel thread
	size_t file_count;
	uint64_t rss_pages; // a sum of counters that never rest: as it was found, never verified
};

struct gb_processes {
	struct gb_process *list; // by pid
	size_t count;
	// the list, or one of its processes, changed while it was read, after all retries
	bool torn;
};

enum { GB_PROCESS_VMAS = 1, GB_PROCESS_NAMES = 2, GB_PROCESS_ARGS = 4, GB_PROCESS_FILES = 8 };

// what: GB_PROCESS_VMAS reads VMAs, GB_PROCESS_NAMES also their paths, GB_PROCESS_ARGS the command
// line, GB_PROCESS_FILES open files. GB_EUNKNOWN: there is none yet, the kernel is still starting. GB_EGONE, GB_ENOMEM.
int gb_process_list(struct gb_kernel *k, unsigned what, struct gb_arena *arena,
		    struct gb_processes *ret, struct gb_error *err);
const struct gb_process *gb_process_find(const struct gb_processes *p, int32_t pid);
// The first that is cut; NULL: none is.
const struct gb_process *gb_process_find_cut(const struct gb_processes *p);
