// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The machine that the figures are of.
#include "bench/bench.h"

#include "base/cleanup.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static void cpu_name(char *ret, size_t size)
{
	GB_CLEANUP(gb_cleanup_file) FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512];

	snprintf(ret, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !colon)
			continue;
		colon += 1 + (colon[1] == ' ');
		snprintf(ret, size, "%.*s", (int)strcspn(colon, "\n"), colon);
		break;
	}
}

void gb_bench_machine_look(struct gb_bench_machine *ret)
{
	struct utsname name;
	cpu_set_t set;

	*ret = (struct gb_bench_machine){.load = -1};
	cpu_name(ret->cpu, sizeof(ret->cpu));
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		ret->cores = (unsigned)CPU_COUNT(&set);
	ret->memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	if (uname(&name) == 0)
		snprintf(ret->kernel, sizeof(ret->kernel), "%.64s", name.release);
	getloadavg(&ret->load, 1);
}
