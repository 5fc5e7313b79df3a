// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Prints what gb_monitor_cpus() understands of a real QEMU: a line of rip, cr0, cr3 and cr4 for each CPU.
//
// usage: registers QMP-SOCKET
#include "vm/monitor.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct gb_error err = {};
	struct gb_cpu cpus[8];
	struct gb_qmp *q = NULL;
	size_t n = 0;
	int r = argc == 2 ? gb_qmp_connect(argv[1], GB_QMP_TIMEOUT_MS, &q, &err) : GB_EUSAGE;

	if (r == 0)
		r = gb_monitor_cpus(q, cpus, 8, &n, &err);
	for (size_t i = 0; i < n; i++)
		printf("%u %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", cpus[i].index,
		       cpus[i].rip, cpus[i].cr0, cpus[i].cr3, cpus[i].cr4);
	if (r != 0)
		fprintf(stderr, "registers: %s\n", err.message);
	gb_qmp_close(q);
	return r == 0 ? 0 : 1;
}
