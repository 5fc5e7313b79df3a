// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The page of one guest or RAM file, for as long as a command runs.
#pragma once

#include "ram/ram.h"
#include "vm/registry.h"

struct gb_page;

struct gb_page_options {
	const char *command;         // that serves it, for what the user is told
	const struct gb_vm_info *vm; // a running guest; NULL: a file
	struct gb_ram *ram;          // its RAM, the caller's; NULL: opened and closed by the page
	const char *name;            // of the file; a guest has its own
	unsigned port;               // 0: a free one
	uint64_t missing;            // bytes of RAM that the file lacks, because it was cut short
	const char *unknown;         // why no kernel is to be looked for; NULL: it is
	bool watched;                // the caller will tell of the end with gb_page_end()
};

// Block SIGINT and its like before: the page's threads take no signals, and leave them to others.
int gb_page_start(const struct gb_page_options *options, struct gb_page **ret,
		  struct gb_error *err);
const char *gb_page_url(const struct gb_page *page);

struct gb_page_ending {
	bool guest_ended; // its viewers are told
	int wait_status;  // as from waitpid(), -1: not known
	const char *why;  // in words; NULL or "": what wait_status says
};

// Say goodbye to the viewers and close the port. false: signals became readable before that was done, and the
// user is told; what is left of the page goes with the process, which is to end now. Accepts NULL.
bool gb_page_end(struct gb_page *page, const struct gb_page_ending *ending, int signals);
