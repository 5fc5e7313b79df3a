// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox view: the page of a running guest or of a RAM file.
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/page.h"
#include "cmd/signals.h"
#include "cmd/target.h"

#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>

static const struct gb_option options[] = {
	{"port", 'p', "PORT", "listen on this port of 127.0.0.1 (default: a free one)"},
	GB_TARGET_OPTIONS,
	{},
};

// An image that is not all, or not known to lie so, is shown as far as it goes, and not without a word.
static void warn(const struct gb_target *t)
{
	struct gb_error err = {};

	if (gb_target_check_image(t, &err) != 0)
		fprintf(stderr, "glassbox view: %s\n", err.message);
}

static int announce(const struct gb_args *args, const struct gb_target *t, const char *url,
		    struct gb_error *err)
{
	struct gb_answer a;

	warn(t);
	if (args->json) {
		gb_answer_begin(&a, "view", t->name);
		if (!t->live)
			gb_target_stamp(t, false, &a.json);
		gb_json_pair(&a.json, "url", str, url);
		return gb_answer_end(&a, err);
	}
	puts(url);
	fputs("Open this in a browser with WebGPU; who has it sees all of the guest's memory. "
	      "Ctrl-C ends it.\n",
	      stderr);
	return gb_flush_stdout(err);
}

// Owners are for RAM that is known to lie so; of other RAM the bytes are shown.
static const char *why_unknown(struct gb_target *t)
{
	if (t->unproved)
		gb_target_check_image(t, &t->why);
	return t->unproved || t->unplaced ? t->why.message : NULL;
}

static int serve_until_signal(struct gb_args *args, struct gb_target *t, unsigned port,
			      struct gb_error *err)
{
	const struct gb_page_options o = {.command = args->command->name,
					  .vm = t->live ? &t->vm : NULL,
					  .ram = t->ram,
					  .name = t->name,
					  .missing = t->missing,
					  .unknown = why_unknown(t),
					  .port = port};
	GB_CLEANUP(gb_cleanup_fd) int signals = -1;
	struct gb_page *page = NULL;
	struct pollfd p;
	int r = gb_signals_open(&signals, err);

	if (r == 0)
		r = gb_page_start(&o, &page, err);
	if (r == 0)
		r = announce(args, t, gb_page_url(page), err);
	p = (struct pollfd){.fd = signals, .events = POLLIN};
	while (r == 0 && poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			r = gb_fail_os(err, "cannot wait for a signal");
	if (r == 0)
		args->exit_status = 128 + gb_signals_take(signals);
	if (!gb_page_end(page, &(struct gb_page_ending){}, signals))
		t->ram = NULL; // the page still reads it
	return r;
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	uint64_t port = 0;
	int r = gb_args_number(args, "port", 0, 65535, &port, err);

	if (r == 0)
		r = gb_target_open(args, false, &t, err);
	return r ? r : serve_until_signal(args, &t, (unsigned)port, err);
}

const struct gb_command gb_cmd_view = {
	.name = "view",
	.usage = "T",
	.summary = "show the memory of a running guest or of a RAM file in a browser",
	.detail =
		"Serves the page on 127.0.0.1 and prints its URL, until Ctrl-C. The URL holds a random "
		"token: without it, from another site or from another machine nothing is answered.",
	.example = "glassbox view demo\nglassbox view ram.img --port 8080",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
