// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What `glassbox doctor` looks at: a table of checks, each of which looks and changes nothing.
#pragma once

#include <stdbool.h>

struct gb_finding {
	bool ok;
	bool needed;      // without it no guest runs; set from the row before look() is called
	char detail[512]; // what was found
	char fix[512];    // the command to run, or what to do; "" when there is nothing to do
};

struct gb_checkup {
	const char *name, *purpose;
	bool needed;
	void (*look)(const struct gb_checkup *row, struct gb_finding *ret);
	const char *arg; // of look()
};

// The host (doctor_host.c).
void gb_doctor_qemu(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_kvm(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_state(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_ram(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_leftovers(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_limits(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_attach(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_gpu(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_browser(const struct gb_checkup *row, struct gb_finding *ret);

// Guests and what makes them (doctor_guest.c).
void gb_doctor_data(const struct gb_checkup *row, struct gb_finding *ret);
void gb_doctor_cache(const struct gb_checkup *row, struct gb_finding *ret);
// row->arg: group of tools/deps.sh, then the programs.
void gb_doctor_programs(const struct gb_checkup *row, struct gb_finding *ret);
// The same, but needed as long as the default guest was not made.
void gb_doctor_guest_programs(const struct gb_checkup *row, struct gb_finding *ret);
// row->arg: name of the guest, then the file that makes it complete.
void gb_doctor_guest(const struct gb_checkup *row, struct gb_finding *ret);

// The command that installs a group of packages.
void gb_doctor_install(const char *group, struct gb_finding *ret);
