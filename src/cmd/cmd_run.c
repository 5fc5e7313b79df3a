// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox run: its options, and what is done before the guest is supervised (run_session.c).
#include "cmd/commands.h"
#include "cmd/detach.h"
#include "cmd/output.h"
#include "cmd/run_session.h"
#include "cmd/signals.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/qemu_version.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_MIN ((uint64_t)8 << 20)
#define MEMORY_MAX ((uint64_t)1 << 42)
#define BOOT_SECONDS 120

static const struct gb_option options[] = {
	{"name", 'n', "NAME", "the name by which other commands find it (default: the guest's)"},
	{"mem", 'm', "SIZE", "its RAM, as 128M or 2G"},
	{"cpus", 'c', "N", "its virtual CPUs (default 1)"},
	{"cpu", 0, "MODEL", "its CPU model (default: one with 4-level paging)"},
	{"machine", 0, "KIND", "q35 (default), microvm or pc"},
	{"accel", 0, "WHICH", "tcg, kvm or auto: KVM where it works (default auto)"},
	{"kernel", 'k', "FILE", "boot this kernel (ELF with a PVH note, or bzImage)"},
	{"initrd", 0, "FILE", "with this initramfs instead of ours"},
	{"append", 'a', "WORDS", "more words for the kernel's command line"},
	{"forward", 'f', "H:G,...", "forward ports H of 127.0.0.1 to ports G of the guest"},
	{"snapshot", 0, NULL, "throw away what the guest writes to its disk"},
	{"boot-timeout", 0, "SECONDS", "give up when it is not up by then (default 120)"},
	{"no-view", 0, NULL, "serve no page"},
	{"port", 'p', "PORT", "serve the page on this port of 127.0.0.1 (default: a free one)"},
	{"detach", 'd', NULL, "go to the background when it is up"},
	{"dry-run", 0, NULL, "print the QEMU command line and start nothing"},
	{},
};

static int parse_numbers(struct gb_args *args, struct gb_run *run, struct gb_error *err)
{
	uint64_t cpus = 0, port = 0, seconds = BOOT_SECONDS;
	const char *memory = gb_args_get(args, "mem");
	int r = gb_args_number(args, "cpus", 1, 64, &cpus, err);

	if (r == 0)
		r = gb_args_number(args, "port", 1, 65535, &port, err);
	if (r == 0)
		r = gb_args_number(args, "boot-timeout", 1, 86400, &seconds, err);
	if (r == 0 && memory)
		r = gb_parse_size(memory, &run->request.memory, err);
	if (r != 0)
		return r;
	if (memory && (run->request.memory < MEMORY_MIN || run->request.memory > MEMORY_MAX))
		return gb_fail(err, GB_EUSAGE, "--mem must be between 8M and 4T");
	run->request.cpus = (unsigned)cpus;
	run->port = (unsigned)port;
	run->boot_ns = seconds * GB_SECOND;
	return 0;
}

static int parse(struct gb_args *args, struct gb_run *run, struct gb_error *err)
{
	int r;

	run->args = args;
	run->name = gb_args_get(args, "name");
	run->view = !gb_args_has(args, "no-view") && !args->rest;
	run->request = (struct gb_request){
		.target = args->count ? args->positional[0] : NULL,
		.kernel = gb_args_get(args, "kernel"),
		.initrd = gb_args_get(args, "initrd"),
		.append = gb_args_get(args, "append"),
		.cpu = gb_args_get(args, "cpu"),
		.machine = gb_args_get(args, "machine"),
		.accel = gb_args_get(args, "accel"),
		.forwards = gb_args_get(args, "forward"),
		.snapshot = gb_args_has(args, "snapshot"),
		.command = args->rest,
	};
	if (args->rest && !args->rest[0])
		return gb_fail(err, GB_EUSAGE, "a command is missing after --");
	// Told before a guest is made for minutes; decided when the name is claimed.
	r = run->name ? gb_claim_check(run->name, err) : 0;
	return r == 0 ? parse_numbers(args, run, err) : r;
}

// What would be run now, with the name and the directories that the guest would get.
static int dry_run(struct gb_run *run, struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};
	struct gb_words words = {};
	struct gb_vm_info info = {};
	int r = gb_claim_preview(run->name ? run->name : run->plan.name, run->name != NULL,
				 gb_guest_room(&run->plan), &info, err);

	if (r != 0)
		return r;
	if (run->plan.archive_count)
		snprintf(run->plan.config.initrd, PATH_MAX, "%.*s/initrd", PATH_MAX - 8, info.dir);
	r = gb_config_line(&run->plan.config, &info, &words, err);
	if (r != 0)
		return r;
	gb_words_quote(&words, &text);
	gb_words_deinit(&words);
	if (gb_buf_failed(&text))
		return gb_fail(err, GB_ENOMEM, "no memory for the command line");
	return gb_run_print_line(run, text.data, err);
}

static int start_and_supervise(struct gb_run *run, struct gb_error *err)
{
	int r = gb_signals_open(&run->request.interrupt_fd, err);

	if (r == 0)
		r = gb_qemu_check(run->request.interrupt_fd, err);
	if (r == 0)
		r = gb_guest_plan(&run->request, &run->plan, err);
	if (r == 0)
		r = gb_args_has(run->args, "dry-run") ? dry_run(run, err)
						      : gb_run_session(run, err);
	if (r == GB_ECANCELLED) {
		int number = run->signal ? run->signal : gb_signals_take(run->request.interrupt_fd);

		run->args->exit_status = number ? 128 + number : 1;
		r = 0;
	}
	close(run->request.interrupt_fd);
	return r;
}

static int run_command(struct gb_args *args, struct gb_error *err)
{
	struct gb_run *run = calloc(1, sizeof(*run));
	bool parent = false;
	int r;

	if (!run)
		return gb_fail(err, GB_ENOMEM, "no memory");
	run->detach.ready_fd = -1;
	r = parse(args, run, err);
	if (r == 0 && gb_args_has(args, "detach") && !gb_args_has(args, "dry-run"))
		r = gb_detach_fork(&run->detach, &parent, &args->exit_status, err);
	if (r == 0 && !parent)
		r = start_and_supervise(run, err);
	free(run);
	return r;
}

const struct gb_command gb_cmd_run = {
	.name = "run",
	.usage = "[debian|tiny|alpine|DISK|CD] [-- CMD...]",
	.summary = "start a guest and show it",
	.detail =
		"Without an operand the debian guest is started: Debian's cloud kernel with a small "
		"userland of busybox and dropbear. tiny is a small kernel of our own with the same "
		"userland. Both are made when they are first used, from Debian's archive, and cached. "
		"alpine is Alpine Linux's own kernel and initramfs, fetched from "
		"GLASSBOX_ALPINE_MIRROR (default: Alpine's), which installs itself into its RAM. "
		"A disk image (qcow2 or raw) or an ISO image is booted as it is.\n\n"
		"With a command after --, the command is run in the guest as root, with our standard "
		"input and output; its exit status is ours, and the guest ends with it (with --detach it "
		"goes on).\n\n"
		"Ctrl-C ends the guest and removes all that belongs to it; a second one waits "
		"neither for QEMU to end in order nor for the page's viewers.",
	.example = "glassbox run\n"
		   "glassbox run tiny -- cat /proc/meminfo\n"
		   "glassbox run --kernel arch/x86/boot/bzImage --name mine --detach",
	.options = options,
	.max_args = 1,
	.run = run_command,
};
