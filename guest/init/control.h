// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The control port of a built-in guest: its second serial port (ttyS1), which every kernel has
// without a module.
//
// The guest first writes one line, GLASSBOX-READY or GLASSBOX-FAILED (a service did not come up
// within 20 s). Where there is no second serial port, that line goes to the console and nothing
// else works. Then follow frames, each a line of a letter, a space and a decimal number, in some
// cases followed by that many bytes:
//
//	guest to host	o N	N bytes of the command's standard output follow
//			e N	N bytes of its standard error follow
//			a N	N bytes of its standard input were taken
//			x N	the command ended with exit code N (128 + signal if one killed it,
//				127 if it was not found)
//	host to guest	i N	N bytes of standard input follow; i 0 closes it
//			s N	send signal N to the command and its children
//
// The host keeps at most GB_CONTROL_WINDOW bytes of input that were not taken on their way: a
// serial port loses what comes faster than it is read. The command runs once, as soon as the guest
// is ready, if /etc/glassbox/run is there: its words, each ended by a zero byte. It runs as root in
// /root and has no terminal.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define GB_CONTROL_WINDOW 1024

struct gb_control {
	int port;         // -1: there is none
	int signals;      // signalfd
	int in, out, err; // our ends of the command's pipes; -1 when closed
	pid_t command;    // 0: none
	char line[32];    // the frame's first line as far as it came
	size_t line_len;
	size_t input_left; // bytes of an i frame still to come
	bool input_ends;
	char input[GB_CONTROL_WINDOW]; // came from the host, not yet taken by the command
	size_t input_len;
};

// Opens the port and says whether the guest is up.
void gb_control_open(struct gb_control *c, bool up);

// Runs the command in the file, if there is one.
void gb_control_run(struct gb_control *c, const char *path);

// Moves what is to be moved, waits for the next thing to happen. Returns the signal that came (one
// of set), or 0.
int gb_control_wait(struct gb_control *c, const sigset_t *set);

// Tells of a child that ended.
void gb_control_child(struct gb_control *c, pid_t pid, int status);
