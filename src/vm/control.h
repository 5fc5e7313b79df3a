// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The host's end of a built-in guest's control port (the guest's end is guest/init/control.h).
//
// The guest first writes one line, GLASSBOX-READY or GLASSBOX-FAILED. Then follow frames, each a line
// of a letter, a space and a decimal number, in some cases followed by that many bytes:
//
//	guest to host	o N	N bytes of the command's standard output follow
//			e N	N bytes of its standard error follow
//			a N	N bytes of its standard input were taken
//			x N	the command ended with exit code N
//	host to guest	i N	N bytes of standard input follow; i 0 closes it
//
// At most GB_CONTROL_WINDOW bytes of input may be on their way. This is only the state machine: it
// reads and writes no descriptor. A guest that breaks the protocol gets GB_EFORMAT, nothing worse.
#pragma once

#include "base/buf.h"

#define GB_CONTROL_WINDOW 1024

struct gb_control {
	// What the command wrote, as it comes; error: its standard error. false: nobody wants more.
	bool (*output)(void *arg, bool error, const char *bytes, size_t len);
	void *arg;
	bool ready, failed; // what the first line said
	bool unwanted;      // output() said so; it is not called any more
	bool ended;         // the command did, with exit_code
	int exit_code;
	size_t in_flight; // bytes of input that the guest did not confirm yet
	char line[64];
	size_t line_len;
	size_t payload; // bytes of an o or e frame still to come
	bool payload_is_error;
};

// Take what came from the guest. GB_EFORMAT: it broke the protocol, the port is of no use any more.
int gb_control_feed(struct gb_control *c, const char *bytes, size_t len, struct gb_error *err);
// How many bytes of input may be sent now.
size_t gb_control_room(const struct gb_control *c);
// Append an input frame to what goes to the guest; len 0 closes the command's input.
void gb_control_send(struct gb_control *c, const char *bytes, size_t len, struct gb_buf *out);
