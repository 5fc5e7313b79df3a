// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The registry of running guests: one private directory each under $XDG_RUNTIME_DIR/glassbox
// (or where else runtime.h says), mode 0700.
//
// vm.json in it says what the guest is; QMP sockets, console log, keys and a lock stand beside it.
// The lock is held by the guest's supervisor for as long as it lives, so that a directory whose
// lock is free is a leftover of a crash: the next start removes it (claim.h).
#pragma once

#include "ram/ram.h"
#include "vm/process.h"

#include <limits.h>
#include <sys/types.h>

#define GB_VM_NAME_MAX 64
#define GB_VM_SOCKET_ROOM 16 // what a socket adds to the path of its directory, with the NUL

struct gb_vm_info {
	char name[GB_VM_NAME_MAX];
	char dir[PATH_MAX];      // its private directory
	char ram_path[PATH_MAX]; // RAM file (or /proc/PID/fd/N of an attached memfd)
	char qmp_path[PATH_MAX]; // a QMP socket that is free for command-line tools
	char guest[64];          // debian, tiny, alpine, or what was booted
	char machine[16];
	char accel[8];
	char url[256];       // of the page, "" if none is served
	pid_t qemu_pid;      // 0 while it is being started
	uint64_t qemu_start; // see struct gb_host_process
	pid_t supervisor_pid;
	uint64_t supervisor_start;
	uint64_t memory; // bytes
	unsigned cpus;
	unsigned ssh_port; // on 127.0.0.1, 0 if none
	uint64_t started_real_ns;
	uint64_t boot_ns; // from exec of QEMU to userland ready; 0 while unknown
	bool attached;    // started by somebody else: never killed by us
	struct gb_layout layout;
};

// A name is 1..63 of [A-Za-z0-9._-], not beginning with '.' or '-'.
bool gb_vm_name_valid(const char *name);
// The guest's host name, and what ssh calls it: host names know no underscore.
void gb_vm_host_name(const char *name, char ret[GB_VM_NAME_MAX]);
// GB_ENOTFOUND when no such guest runs (one that is just being started does not run yet).
int gb_vm_find(const char *name, struct gb_vm_info *ret, struct gb_error *err);
// All running guests, by name. The array is the caller's to free.
int gb_vm_list(struct gb_vm_info **ret, size_t *count_ret, struct gb_error *err);
// Open the RAM of a running guest. GB_EGONE when it ended meanwhile.
int gb_vm_open_ram(const struct gb_vm_info *vm, struct gb_ram **ret, struct gb_error *err);

// Does QEMU still run? For the end of a long read: RAM that was removed stays readable to those who have
// it open, but is no running guest's any more. GB_EGONE, with what to do.
int gb_vm_check(const struct gb_vm_info *vm, struct gb_error *err);

// The same for guests in any state, also those still being started (qemu_pid may be 0).
int gb_vm_lookup(const char *name, struct gb_vm_info *ret, struct gb_error *err);
int gb_vm_list_all(struct gb_vm_info **ret, size_t *count_ret, struct gb_error *err);

static inline struct gb_host_process gb_vm_qemu(const struct gb_vm_info *vm)
{
	return (struct gb_host_process){.pid = vm->qemu_pid, .start = vm->qemu_start};
}

static inline struct gb_host_process gb_vm_supervisor(const struct gb_vm_info *vm)
{
	return (struct gb_host_process){.pid = vm->supervisor_pid, .start = vm->supervisor_start};
}
