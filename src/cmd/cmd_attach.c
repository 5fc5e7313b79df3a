// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox attach
#include "cmd/browser.h"
#include "cmd/commands.h"
#include "cmd/detach.h"
#include "cmd/output.h"
#include "cmd/page.h"
#include "cmd/signals.h"
#include "cmd/summary.h"
#include "cmd/vm_json.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/attach.h"
#include "vm/claim.h"
#include "vm/info.h"
#include "vm/monitor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

static const struct gb_option options[] = {
	{"name", 'n', "NAME", "the name by which other commands find it (default: QEMU's)"},
	{"no-view", 0, NULL, "serve no page"},
	{"port", 'p', "PORT", "serve the page on this port of 127.0.0.1 (default: a free one)"},
	{"detach", 'd', NULL, "go to the background"},
	{},
};

static int tell(const struct gb_args *args, const struct gb_vm_info *info, struct gb_error *err)
{
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *ram = NULL;
	struct gb_answer a;
	char size[24], state[32];
	int r;

	gb_vm_state(info, state);
	if (args->json) {
		gb_answer_begin(&a, "attach", info->name);
		gb_vm_json(&a.json, info, state);
		return gb_answer_end(&a, err);
	}
	printf("%s is attached: QEMU is process %d, with %s of RAM.\n\n  state      ", info->name,
	       (int)info->qemu_pid, gb_format_size(info->memory, size));
	gb_print_text(stdout, state, 0);
	putchar('\n');
	r = gb_vm_open_ram(info, &ram, err);
	if (r == 0)
		r = gb_summary_print(stdout, ram, err);
	if (r != 0)
		return r;
	if (*info->url)
		printf("\n  page       %s\n", info->url);
	printf("\n%s\n", gb_args_has(args, "detach") ? "'glassbox stop' lets go of it; it runs on."
						     : "Ctrl-C lets go of it; it runs on.");
	return gb_flush_stdout(err);
}

// Until QEMU ends or a signal comes.
static int watch(struct gb_args *args, const struct gb_vm_info *info, int signals, bool *ended_ret,
		 struct gb_error *err)
{
	struct gb_host_process qemu = gb_vm_qemu(info);
	GB_CLEANUP(gb_cleanup_fd) int fd = -1;
	int number, r = gb_process_open(&qemu, &fd, err);
	struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

	if (r != 0)
		return r;
	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return gb_fail_os(err, "cannot wait for QEMU");
	number = p[1].revents ? gb_signals_take(signals) : 0;
	args->exit_status = number ? 128 + number : 0;
	*ended_ret = !number;
	return 0;
}

static int enter(const struct gb_args *args, struct gb_claim *claim, struct gb_vm_info *info,
		 struct gb_error *err)
{
	const char *name = gb_args_get(args, "name");
	int r = gb_claim_take(name ? name : info->name, name != NULL, claim, err);

	if (r == 0)
		r = gb_claim_sign(claim, info, err);
	if (r != 0)
		return r;
	info->started_real_ns = gb_clock_real_ns();
	return gb_info_write(info, err);
}

static int serve(const struct gb_args *args, struct gb_vm_info *info, struct gb_page **ret,
		 struct gb_error *err)
{
	struct gb_page_options o = {.command = args->command->name, .vm = info, .watched = true};
	uint64_t port = 0;
	int r = gb_args_number(args, "port", 1, 65535, &port, err);

	o.port = (unsigned)port;
	if (r != 0 || gb_args_has(args, "no-view"))
		return r;
	r = gb_page_start(&o, ret, err);
	if (r != 0)
		return r;
	snprintf(info->url, sizeof(info->url), "%s", gb_page_url(*ret));
	return gb_info_write(info, err);
}

static int attach(struct gb_args *args, struct gb_detach *detach, struct gb_error *err)
{
	GB_CLEANUP(gb_claim_release) struct gb_claim claim = GB_CLAIM_NONE;
	GB_CLEANUP(gb_cleanup_fd) int signals = -1;
	// Only QEMU's own parent learns its status.
	struct gb_page_ending ending = {.wait_status = -1};
	struct gb_page *page = NULL;
	struct gb_vm_info info;
	int r = gb_signals_open(&signals, err);

	if (r == 0)
		r = gb_attach_probe(args->positional[0], &info, err);
	if (r == 0)
		r = enter(args, &claim, &info, err);
	if (r == 0)
		r = serve(args, &info, &page, err);
	if (r == 0)
		r = tell(args, &info, err);
	if (r == 0 && page)
		gb_browser_open(&info);
	if (r == 0)
		r = gb_detach_ready(detach, 0, err);
	if (r == 0)
		r = watch(args, &info, signals, &ending.guest_ended, err);
	gb_page_end(page, &ending, signals);
	return r;
}

static int run(struct gb_args *args, struct gb_error *err)
{
	struct gb_detach detach = {.ready_fd = -1};
	bool parent = false;
	int r = 0;

	if (gb_args_has(args, "detach"))
		r = gb_detach_fork(&detach, &parent, &args->exit_status, err);
	return r == 0 && !parent ? attach(args, &detach, err) : r;
}

const struct gb_command gb_cmd_attach = {
	.name = "attach",
	.usage = "QMP-SOCKET|PID",
	.summary = "look into a guest that somebody else started",
	.detail =
		"Its RAM must be shared memory: a memory-backend-file or memory-backend-memfd with "
		"share=on, as libvirt makes it with <access mode='shared'/>. Where libvirt keeps the "
		"only monitor, a pid is enough for guests with less than 2.75 GiB of RAM and no room for "
		"more (no maxmem); their state is unknown then, and virsh pauses them. Memory modules "
		"(pc-dimm, nvdimm, virtio-mem) are not supported yet. QEMU is never changed "
		"or ended by this; the guest is in 'glassbox ls' until QEMU ends or 'glassbox stop' "
		"lets go of it.",
	.example = "glassbox attach /run/vm1/qmp.sock --name vm1\nglassbox attach 4711 --detach",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
