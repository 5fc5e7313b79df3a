// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// One run of a guest from start to end, as `glassbox run` does it.
#pragma once

#include "cmd/command.h"
#include "cmd/detach.h"
#include "cmd/page.h"
#include "vm/guest.h"
#include "vm/machine.h"

struct gb_run {
	struct gb_args *args;
	struct gb_request request;
	struct gb_plan plan;
	const char *name; // NULL: derived from the guest
	uint64_t boot_ns; // how long it may take to come up
	bool view;
	unsigned port;        // of the page; 0: a free one
	struct gb_page *page; // NULL: none is served
	struct gb_detach detach;
	int signal; // that ended the run, or 0
};

// Start the guest, tell the user, supervise it until its end, the end of its command or a signal,
// and remove all of it. GB_ECANCELLED after a signal (run->signal); GB_ETIMEOUT when it did not come
// up.
int gb_run_session(struct gb_run *run, struct gb_error *err);
// --dry-run: QEMU's command line, quoted for a shell.
int gb_run_print_line(const struct gb_run *run, const char *line, struct gb_error *err);
