// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Finding out about a QEMU that somebody else started.
//
// Its RAM must be shared memory that a file descriptor of QEMU stands for: a memory-backend-file or
// memory-backend-memfd (which libvirt makes) with share=on. The descriptor is opened through
// /proc/PID/fd; where guest-physical memory lies in it, QEMU's monitor tells. Where another program holds
// the only monitor, as libvirt does, RAM in one piece is known from the command line (attach_line.c), and
// qmp_path is "".
#pragma once

#include "vm/registry.h"

// target: the path of a QMP socket, or a pid. Fills what concerns QEMU: pids, qmp_path, ram_path,
// memory, layout, machine, accel, cpus, attached; and name with QEMU's own -name, or qemu-PID.
// GB_ENOTFOUND: no such process or socket; GB_EFORMAT: it is no QEMU; GB_ELACKS: private RAM, no
// usable monitor, no permission, each with what to do; GB_EBUSY: the monitor is in use.
int gb_attach_probe(const char *target, struct gb_vm_info *ret, struct gb_error *err);
// The QMP sockets on a QEMU command line (words ended by NUL bytes, as in /proc/PID/cmdline): the
// index-th path. false when there is none. Paths may be relative to QEMU's working directory.
bool gb_attach_socket(const char *cmdline, size_t len, size_t index, char ret[PATH_MAX]);
