// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A guest that this process supervises: QEMU as a child, its monitor, console and control port.
//
// The supervisor is one thread with one loop around gb_machine_step(). QEMU dies with that thread
// (PR_SET_PDEATHSIG), and the claim's directory goes with gb_machine_stop() or the next sweep.
// Other threads and processes look at the guest through the registry, never through this.
#pragma once

#include "vm/claim.h"
#include "vm/config.h"
#include "vm/control.h"

struct gb_machine;

struct gb_machine_start {
	const struct gb_config *config;
	struct gb_claim *claim;  // taken on success
	struct gb_vm_info *info; // what is known so far: name, dir, ram_path
	int interrupt_fd;        // becomes readable when the user wants to stop; -1: none
	int input_fd;            // of the command in the guest; -1: it has none
	bool (*output)(void *arg, bool error, const char *bytes, size_t len); // of the command
	void *arg;
};

enum gb_step {
	GB_STEP_TIMEOUT,
	GB_STEP_INTERRUPT,     // interrupt_fd is readable
	GB_STEP_READY,         // userland is up
	GB_STEP_FAILED,        // the guest said that its userland did not come up
	GB_STEP_BROKEN,        // the guest broke the protocol of its control port, which is closed
	GB_STEP_UNWANTED,      // output() said that nobody wants more of the command
	GB_STEP_COMMAND_ENDED, // see gb_machine_command_status()
	GB_STEP_ENDED,         // QEMU has ended
};

// Make the RAM file, start QEMU, shake hands on its monitor and ask for the memory layout; write
// vm.json. On failure everything but the claim is undone, and the message holds QEMU's own words.
int gb_machine_start(const struct gb_machine_start *s, struct gb_machine **ret,
		     struct gb_error *err);
// Serve the guest's ports until something happens that the caller wants to know, or until deadline
// (gb_clock_ns(); 0: none).
int gb_machine_step(struct gb_machine *m, uint64_t deadline, enum gb_step *ret,
		    struct gb_error *err);
const struct gb_vm_info *gb_machine_info(const struct gb_machine *m);
// Tell everybody the URL of the page.
int gb_machine_set_url(struct gb_machine *m, const char *url, struct gb_error *err);
int gb_machine_command_status(const struct gb_machine *m);
// After GB_STEP_ENDED: 0 when the guest or a `quit` ended QEMU in order, else GB_EGONE and why.
int gb_machine_end_reason(const struct gb_machine *m, struct gb_error *err);
// End QEMU if it still runs: `quit`, then SIGTERM, then SIGKILL (at once if impatient, or when
// interrupt_fd is readable again). Its status, as from waitpid().
int gb_machine_end(struct gb_machine *m, bool impatient);
// After gb_machine_end(): why QEMU had to be killed, in words; "" if it was not.
const char *gb_machine_killed(const struct gb_machine *m);
// The same, and remove all that the guest left on the host. Accepts NULL.
void gb_machine_stop(struct gb_machine *m, bool impatient);
