// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// struct gb_machine, for machine.c (start and stop) and machine_step.c (the loop).
#pragma once

#include "vm/console.h"
#include "vm/machine.h"
#include "vm/qmp.h"

#define GB_QEMU_WORDS_MAX ((size_t)8 << 10) // of QEMU's standard error that are kept

struct gb_machine {
	struct gb_claim claim;
	struct gb_vm_info info;
	pid_t pid;
	int pidfd;
	int wait_status; // valid when reaped
	bool reaped;
	bool quit_asked;
	bool hurried;    // the user does not want to wait for its end
	char killed[64]; // by us, and why
	uint64_t exec_ns;
	int listen_fd[3]; // console, control, monitor, until QEMU has connected
	int console_fd, control_fd, errors_fd;
	int interrupt_fd, input_fd;
	struct gb_qmp *qmp;
	struct gb_console console;
	struct gb_control control;
	struct gb_buf to_guest; // on its way into the control port
	struct gb_buf words;    // QEMU's standard error
	bool ready_told, failed_told, unwanted_told, ended_told, input_ended;
};

// Take what QEMU wrote to its standard error; at its end the fd is closed.
void gb_machine_take_words(struct gb_machine *m);
// Reap QEMU if it has ended.
bool gb_machine_reap(struct gb_machine *m);
