// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What is asked of a QEMU over its monitor, in our words.
#pragma once

#include "vm/mtree.h"
#include "vm/qmp.h"
#include "vm/registry.h"

// What makes the RAM of somebody else's QEMU visible.
#define GB_ADD_SHARE \
	"start it with share=on (-object memory-backend-memfd,id=mem,size=SIZE,share=on -machine " \
	"memory-backend=mem; libvirt: <memoryBacking><source type='memfd'/><access " \
	"mode='shared'/></memoryBacking>)"
// What to do where RAM is in several pieces that QEMU was given.
#define GB_ONE_BACKEND "not supported yet: give the guest all its RAM with -m, in one backend"

// The one RAM backend of a guest.
struct gb_backend {
	char id[128];
	uint64_t size;
	bool share;
};

// GB_ELACKS when the guest has none (RAM that was not made by a memory backend) or several: memory
// modules and NUMA nodes have their own.
int gb_monitor_backend(struct gb_qmp *q, struct gb_backend *ret, struct gb_error *err);
// Which bytes of the RAM file are where in guest-physical space.
int gb_monitor_layout(struct gb_qmp *q, const struct gb_backend *backend, struct gb_layout *ret,
		      struct gb_error *err);
// Control registers of all virtual CPUs (at most max).
int gb_monitor_cpus(struct gb_qmp *q, struct gb_cpu *ret, size_t max, size_t *count_ret,
		    struct gb_error *err);
// The host's port that is forwarded to a TCP port of the guest. GB_ENOTFOUND.
int gb_monitor_port(struct gb_qmp *q, unsigned guest_port, unsigned *ret, struct gb_error *err);
// QEMU's word for the state of the guest ("running", "paused", ...), and whether its CPUs run.
int gb_monitor_status(struct gb_qmp *q, char ret[32], bool *running_ret, struct gb_error *err);

// Short sessions on the monitor of a guest in the registry, for command-line tools and the page.
// As gb_monitor_status(), by when the time is over. GB_EGONE when the guest has ended, GB_EBUSY or GB_ETIMEOUT when
// its monitor is in use or slow, GB_EFORMAT when it is no monitor.
int gb_vm_status(const struct gb_vm_info *vm, int timeout_ms, char ret[32], bool *running_ret,
		 struct gb_error *err);
// The state of a guest in one word: QEMU's own, or ours where QEMU cannot be asked: starting, busy, ended,
// unknown (its only monitor is somebody else's, or is none).
void gb_vm_state(const struct gb_vm_info *vm, char ret[32]);
// Stop the virtual CPUs, or let them go on; both return when it is so. A guest that is in the
// wanted state already is fine.
int gb_vm_pause(const struct gb_vm_info *vm, struct gb_error *err);
int gb_vm_resume(const struct gb_vm_info *vm, struct gb_error *err);
