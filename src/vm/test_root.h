// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// For tests of the registry: each case has a runtime directory of its own.
#pragma once

#include "tests/tap.h"
#include "vm/claim.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SET(array, text) snprintf((array), sizeof(array), "%s", (text))

static char base_dir[64];

static void fresh_root(void)
{
	snprintf(base_dir, sizeof(base_dir), "/dev/shm/test_registry.XXXXXX");
	gb_assert(mkdtemp(base_dir));
	setenv("XDG_RUNTIME_DIR", base_dir, 1);
}

static void check_and_remove_root(void)
{
	char root[128];

	snprintf(root, sizeof(root), "%s/glassbox", base_dir);
	rmdir(root);
	// Nothing may be left in it.
	CHECK(rmdir(base_dir) == 0);
}

// A guest whose QEMU is this very process.
__attribute__((unused)) static void fill_info(const struct gb_claim *c, struct gb_vm_info *ret)
{
	struct gb_host_process self = {};

	gb_assert(gb_process_identify(getpid(), &self, NULL) == 0);
	*ret = (struct gb_vm_info){.guest = "tiny",
				   .machine = "q35",
				   .accel = "tcg",
				   .qemu_pid = self.pid,
				   .qemu_start = self.start,
				   .supervisor_pid = self.pid,
				   .supervisor_start = self.start,
				   .memory = 8192,
				   .cpus = 2,
				   .ssh_port = 40000,
				   .attached = true};
	SET(ret->name, c->name);
	SET(ret->dir, c->dir);
	snprintf(ret->ram_path, sizeof(ret->ram_path), "%.1000s/ram", c->dir);
	gb_layout_identity(8192, &ret->layout);
}
