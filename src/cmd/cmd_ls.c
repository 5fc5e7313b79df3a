// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox ls
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/vm_json.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/monitor.h"

#include <inttypes.h>
#include <string.h>

static const struct gb_option options[] = {
	{"names", 0, NULL, "print the names alone, one a line, and nothing when there is none"},
	{},
};

static const char *format_age(uint64_t ns, char buf[24])
{
	uint64_t s = ns / GB_SECOND;

	if (s < 120)
		snprintf(buf, 24, "%" PRIu64 "s", s);
	else if (s < 7200)
		snprintf(buf, 24, "%" PRIu64 "m", s / 60);
	else if (s < 172800)
		snprintf(buf, 24, "%" PRIu64 "h", s / 3600);
	else
		snprintf(buf, 24, "%" PRIu64 "d", s / 86400);
	return buf;
}

static void print_row(const struct gb_vm_info *vm, const char *state, int name_width)
{
	uint64_t now = gb_clock_real_ns();
	char size[24], age[24], ssh[16] = "-";

	if (vm->ssh_port)
		snprintf(ssh, sizeof(ssh), "%u", vm->ssh_port);
	printf("%-*s  ", name_width, vm->name);
	gb_print_text(stdout, state, 9);
	fputs("  ", stdout);
	gb_print_text(stdout, vm->guest, 12);
	fputs("  ", stdout);
	gb_print_text(stdout, vm->machine, 8);
	printf("  %-5s %4u  %8s  %5s  %8d  %5s  %s%s\n", vm->accel, vm->cpus,
	       gb_format_size(vm->memory, size),
	       format_age(now > vm->started_real_ns ? now - vm->started_real_ns : 0, age),
	       (int)vm->qemu_pid, ssh, *vm->url ? vm->url : "-",
	       vm->attached ? "  (attached)" : "");
}

static void print_table(const struct gb_vm_info *vms, size_t n)
{
	int width = 8;

	for (size_t i = 0; i < n; i++)
		if ((int)strlen(vms[i].name) > width)
			width = (int)strlen(vms[i].name);
	if (n)
		printf("%-*s  %-9s  %-12s  %-8s  %-5s %4s  %8s  %5s  %8s  %5s  %s\n", width, "NAME",
		       "STATE", "GUEST", "MACHINE", "ACCEL", "CPUS", "RAM", "UP", "PID", "SSH",
		       "PAGE");
	else
		fputs("no guest runs; 'glassbox run' starts one\n", stderr);
	for (size_t i = 0; i < n; i++) {
		char state[32];

		gb_vm_state(&vms[i], state);
		print_row(&vms[i], state, width);
	}
}

static void print_names(const struct gb_vm_info *vms, size_t n)
{
	for (size_t i = 0; i < n; i++)
		puts(vms[i].name);
}

static int print_json(const struct gb_vm_info *vms, size_t n, struct gb_error *err)
{
	struct gb_answer a;

	gb_answer_begin(&a, "ls", NULL);
	gb_json_key(&a.json, "vms");
	gb_json_array(&a.json);
	for (size_t i = 0; i < n; i++) {
		char state[32];

		gb_vm_state(&vms[i], state);
		gb_json_object(&a.json);
		gb_vm_json(&a.json, &vms[i], state);
		gb_json_end_object(&a.json);
	}
	gb_json_end_array(&a.json);
	return gb_answer_end(&a, err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) struct gb_vm_info *vms = NULL;
	size_t n = 0;
	int r = gb_vm_list_all(&vms, &n, err);

	if (r != 0)
		return r;
	if (args->json)
		return print_json(vms, n, err);
	if (gb_args_has(args, "names"))
		print_names(vms, n);
	else
		print_table(vms, n);
	return gb_flush_stdout(err);
}

const struct gb_command gb_cmd_ls = {
	.name = "ls",
	.usage = "",
	.summary = "list the guests that run",
	.options = options,
	.run = run,
};
