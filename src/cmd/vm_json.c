// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A running guest in JSON.
#include "cmd/vm_json.h"

#include "base/clock.h"

static void optional_text(struct gb_json *j, const char *key, const char *text)
{
	gb_json_pair(j, key, str, *text ? text : NULL);
}

void gb_vm_json(struct gb_json *j, const struct gb_vm_info *vm, const char *state)
{
	gb_json_pair(j, "name", str, vm->name);
	gb_json_pair(j, "state", str, state);
	gb_json_pair(j, "guest", str, vm->guest);
	optional_text(j, "machine", vm->machine);
	optional_text(j, "accel", vm->accel);
	gb_json_pair(j, "memory", u64, vm->memory);
	gb_json_pair(j, "cpus", u64, vm->cpus);
	gb_json_pair(j, "attached", bool, vm->attached);
	gb_json_pair(j, "qemu_pid", u64, (uint64_t)vm->qemu_pid);
	gb_json_pair(j, "supervisor_pid", u64, (uint64_t)vm->supervisor_pid);
	gb_json_pair(j, "started_ms", u64, vm->started_real_ns / GB_MS);
	gb_json_key(j, "boot_ms");
	if (vm->boot_ns)
		gb_json_double(j, (double)vm->boot_ns / GB_MS);
	else
		gb_json_null(j);
	gb_json_key(j, "ssh_port");
	if (vm->ssh_port)
		gb_json_u64(j, vm->ssh_port);
	else
		gb_json_null(j);
	optional_text(j, "url", vm->url);
	gb_json_pair(j, "dir", str, vm->dir);
	gb_json_pair(j, "ram", str, vm->ram_path);
	optional_text(j, "qmp", vm->qmp_path);
}
