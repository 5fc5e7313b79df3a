// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Ending a guest that another process supervises.
#include "vm/stop.h"

#include "base/cleanup.h"
#include "vm/claim.h"

int gb_vm_stop(const struct gb_vm_info *vm, int timeout_ms, struct gb_error *err)
{
	struct gb_host_process supervisor = gb_vm_supervisor(vm);
	GB_CLEANUP(gb_cleanup_fd) int fd = -1;
	int r = gb_process_open(&supervisor, &fd, err);

	if (r == 0)
		r = gb_pidfd_end(fd, timeout_ms, err);
	// Ended meanwhile, or killed: what it left is swept here.
	if (r == 0 || r == GB_EGONE)
		r = gb_claim_sweep(err);
	return r;
}
