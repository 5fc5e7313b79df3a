// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What `glassbox run` tells its user.
#include "cmd/run_report.h"

#include "cmd/output.h"
#include "cmd/summary.h"
#include "cmd/vm_json.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "vm/console.h"

#include <string.h>

#define TAIL_BYTES 1000

int gb_run_print_line(const struct gb_run *run, const char *line, struct gb_error *err)
{
	struct gb_answer a;

	if (!run->args->json) {
		puts(line);
		return gb_flush_stdout(err);
	}
	gb_answer_begin(&a, "run", NULL);
	gb_json_pair(&a.json, "qemu", str, line);
	return gb_answer_end(&a, err);
}

// What is understood of a built-in guest's memory; another has only begun to boot. A memory that
// could not be read is no reason to end the guest.
static void print_summary(const struct gb_run *run, const struct gb_vm_info *info)
{
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *ram = NULL;
	struct gb_error why = {};
	int r = 0;

	if (run->plan.config.control)
		r = gb_vm_open_ram(info, &ram, &why);
	if (r == 0 && ram)
		r = gb_summary_print(stdout, ram, &why);
	if (r != 0) {
		fputs("  memory     cannot be read: ", stdout);
		gb_print_text(stdout, why.message, 0);
		putchar('\n');
	}
}

static int print_text(const struct gb_run *run, const struct gb_vm_info *info, struct gb_error *err)
{
	char size[24];

	if (info->boot_ns)
		printf("%s is up, %.2f s after QEMU was started.\n\n", info->name,
		       (double)info->boot_ns / GB_SECOND);
	else
		printf("%s is started.\n\n", info->name);
	fputs("  guest      ", stdout);
	gb_print_text(stdout, info->guest, 0);
	printf(" on %s with %s, %u CPU%s, %s of RAM\n", info->machine,
	       strcmp(info->accel, "kvm") == 0 ? "KVM" : "TCG", info->cpus,
	       info->cpus == 1 ? "" : "s", gb_format_size(info->memory, size));
	print_summary(run, info);
	putchar('\n');
	if (info->ssh_port)
		printf("  ssh        glassbox ssh %s   (127.0.0.1 port %u)\n", info->name,
		       info->ssh_port);
	printf("  console    %s/console.log\n", info->dir);
	if (*info->url)
		printf("  page       %s\n", info->url);
	if (run->detach.ready_fd >= 0)
		printf("\nglassbox stop %s ends it.\n", info->name);
	else
		puts("\nCtrl-C ends it.");
	return gb_flush_stdout(err);
}

int gb_run_report_up(const struct gb_run *run, const struct gb_vm_info *info, struct gb_error *err)
{
	struct gb_answer a;

	if (!run->args->json)
		return print_text(run, info, err);
	gb_answer_begin(&a, "run", info->name);
	gb_vm_json(&a.json, info, "running");
	return gb_answer_end(&a, err);
}

static void print_lines(const char *text, size_t len)
{
	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) : len;
		GB_CLEANUP(gb_buf_deinit) struct gb_buf line = {};

		gb_escape(&line, text, n && text[n - 1] == '\r' ? n - 1 : n);
		fprintf(stderr, "  | %s\n", line.data ? line.data : "");
		n += newline != NULL;
		text += n;
		len -= n;
	}
}

void gb_run_report_console(const struct gb_vm_info *info)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf tail = {};

	gb_console_tail(info->dir, TAIL_BYTES, &tail);
	if (!tail.len) {
		fputs("glassbox run: the guest wrote nothing to its console\n", stderr);
		return;
	}
	fputs("glassbox run: the last lines of the guest's console:\n", stderr);
	print_lines(tail.data, tail.len);
}
