// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// One run of a guest from start to end.
#include "cmd/run_session.h"

#include "cmd/browser.h"
#include "cmd/run_report.h"
#include "cmd/signals.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "vm/console.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

// The command's output goes out as it comes: it belongs to the user, who asked for it. A reader that
// is slow holds the command up, not Ctrl-C; one that went away ends the run.
static bool pass_output(void *arg, bool error, const char *bytes, size_t len)
{
	const struct gb_run *run = arg;
	int fd = error ? STDERR_FILENO : STDOUT_FILENO;

	while (len) {
		struct pollfd p[] = {{.fd = fd, .events = POLLOUT},
				     {.fd = run->request.interrupt_fd, .events = POLLIN}};
		size_t some = len < PIPE_BUF ? len : PIPE_BUF; // as much as never blocks then
		ssize_t n = 0;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return false;
		if (p[1].revents)
			return false;
		if (p[0].revents)
			n = write(fd, bytes, some);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static int prepare(struct gb_run *run, struct gb_claim *claim, struct gb_vm_info *info,
		   struct gb_error *err)
{
	int r = gb_claim_take(run->name ? run->name : run->plan.name, run->name != NULL, claim,
			      err);

	if (r == 0)
		r = gb_claim_sign(claim, info, err);
	if (r != 0)
		return r;
	r = gb_claim_place_ram(claim, gb_guest_room(&run->plan), info, err);
	if (r == 0 && run->plan.archive_count)
		r = gb_guest_seed(&run->plan, claim, run->request.command,
				  run->request.interrupt_fd, err);
	return r;
}

static int start(struct gb_run *run, struct gb_machine **ret, struct gb_error *err)
{
	GB_CLEANUP(gb_claim_release) struct gb_claim claim = GB_CLAIM_NONE;
	struct gb_vm_info info = {};
	struct gb_machine_start s = {
		.config = &run->plan.config,
		.claim = &claim,
		.info = &info,
		.interrupt_fd = run->request.interrupt_fd,
		.input_fd = run->request.command ? STDIN_FILENO : -1,
		.output = pass_output,
		.arg = run,
	};
	int r = prepare(run, &claim, &info, err);

	return r == 0 ? gb_machine_start(&s, ret, err) : r;
}

static int interrupted(struct gb_run *run, struct gb_error *err)
{
	run->signal = gb_signals_take(run->request.interrupt_fd);
	return gb_fail(err, GB_ECANCELLED, "interrupted");
}

static int not_up(struct gb_machine *m, enum gb_step step, const struct gb_run *run,
		  struct gb_error *err)
{
	struct gb_error why = {};

	gb_run_report_console(gb_machine_info(m));
	switch (step) {
	case GB_STEP_TIMEOUT:
		return gb_fail(
			err, GB_ETIMEOUT,
			"the guest was not up after %.0f s; --boot-timeout gives it more time",
			(double)run->boot_ns / GB_SECOND);
	case GB_STEP_FAILED:
		return gb_fail(err, GB_EGONE, "the guest says that its services did not come up");
	case GB_STEP_BROKEN:
		return gb_fail(err, GB_EFORMAT,
			       "the guest breaks the protocol of its control port");
	default:
		if (gb_machine_end_reason(m, &why) != 0)
			return gb_fail(err, GB_EGONE, "the guest ended before it was up: %s",
				       why.message);
		return gb_fail(err, GB_EGONE, "the guest ended before it was up");
	}
}

static int await_ready(struct gb_run *run, struct gb_machine *m, struct gb_error *err)
{
	uint64_t deadline = gb_clock_ns() + run->boot_ns;
	enum gb_step step;
	int r = gb_machine_step(m, deadline, &step, err);

	if (r != 0 || step == GB_STEP_READY)
		return r;
	return step == GB_STEP_INTERRUPT ? interrupted(run, err) : not_up(m, step, run, err);
}

// Nobody reads the command's output any more, or a signal came while it was written.
static int unwanted(struct gb_run *run, struct gb_error *err)
{
	run->signal = gb_signals_take(run->request.interrupt_fd);
	if (run->signal == 0)
		run->signal = SIGPIPE;
	return gb_fail(err, GB_ECANCELLED, "interrupted");
}

// Until the guest's command has ended.
static int await_command(struct gb_run *run, struct gb_machine *m, struct gb_error *err)
{
	for (;;) {
		enum gb_step step;
		int r = gb_machine_step(m, 0, &step, err);

		if (r != 0)
			return r;
		switch (step) {
		case GB_STEP_COMMAND_ENDED:
			run->args->exit_status = gb_machine_command_status(m);
			return 0;
		case GB_STEP_INTERRUPT:
			return interrupted(run, err);
		case GB_STEP_UNWANTED:
			return unwanted(run, err);
		case GB_STEP_ENDED:
			r = gb_machine_end_reason(m, err);
			return r ? r
				 : gb_fail(err, GB_EGONE, "the guest ended before its command did");
		case GB_STEP_BROKEN:
			return gb_fail(err, GB_EFORMAT,
				       "the guest breaks the protocol of its control port");
		default:
			break;
		}
	}
}

// Until the guest ends or the user does not want it any more.
static int await_end(struct gb_run *run, struct gb_machine *m, struct gb_error *err)
{
	for (;;) {
		enum gb_step step;
		int r = gb_machine_step(m, 0, &step, err);

		if (r != 0)
			return r;
		if (step == GB_STEP_INTERRUPT)
			return interrupted(run, err);
		if (step == GB_STEP_ENDED) {
			r = gb_machine_end_reason(m, err);
			if (r == 0)
				fprintf(stderr, "%s has ended.\n", gb_machine_info(m)->name);
			return r;
		}
		if (step == GB_STEP_BROKEN)
			fputs("glassbox run: the guest breaks the protocol of its control port; it is "
			      "closed\n",
			      stderr);
	}
}

// The page is started when the guest is up: until then its boot has the processors for itself.
static int show(struct gb_run *run, struct gb_machine *m, struct gb_error *err)
{
	struct gb_page_options options = {.command = run->args->command->name,
					  .vm = gb_machine_info(m),
					  .port = run->port,
					  .watched = true};
	int r = 0;

	if (run->view)
		r = gb_page_start(&options, &run->page, err);
	if (r == 0 && run->page)
		r = gb_machine_set_url(m, gb_page_url(run->page), err);
	if (r == 0)
		r = gb_run_report_up(run, gb_machine_info(m), err);
	if (r == 0 && run->page)
		gb_browser_open(gb_machine_info(m));
	return r;
}

static int supervise(struct gb_run *run, struct gb_machine *m, struct gb_error *err)
{
	int r = run->plan.config.control ? await_ready(run, m, err) : 0;

	if (r == 0 && run->request.command) {
		r = await_command(run, m, err);
		if (r != 0 || run->detach.ready_fd < 0)
			return r;
	} else if (r == 0) {
		r = show(run, m, err);
	}
	if (r == 0)
		r = gb_detach_ready(&run->detach, run->args->exit_status, err);
	return r == 0 ? await_end(run, m, err) : r;
}

// QEMU goes first, then the page, which tells its viewers how the guest has ended, and the name last: who
// takes it next finds nothing of this guest any more.
static void end(struct gb_run *run, struct gb_machine *m)
{
	struct gb_page_ending ending = {.guest_ended = true};

	ending.wait_status = gb_machine_end(m, false);
	ending.why = gb_machine_killed(m);
	if (*ending.why)
		fprintf(stderr, "glassbox run: %s\n", ending.why);
	gb_page_end(run->page, &ending, run->request.interrupt_fd);
	gb_machine_stop(m, false);
}

int gb_run_session(struct gb_run *run, struct gb_error *err)
{
	struct gb_machine *m = NULL;
	int r = start(run, &m, err);

	if (r != 0)
		return r;
	r = supervise(run, m, err);
	end(run, m);
	return r;
}
