// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox view: the page of a running guest or of a RAM file.
#include "cmd/commands.h"
#include "cmd/output.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "serve/serve.h"
#include "vm/registry.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static const struct gb_option options[] = {
	{"port", 'p', "PORT", "listen on this port of 127.0.0.1 (default: a free one)"},
	{},
};

// A file, unless a guest of that name runs.
static int open_target(const char *target, struct gb_vm_info *vm, struct gb_ram **ram_ret,
		       struct gb_error *err)
{
	struct gb_error none = {};

	if (gb_vm_name_valid(target) && gb_vm_find(target, vm, &none) == 0)
		return gb_vm_open_ram(vm, ram_ret, err);
	if (access(target, F_OK) != 0 && gb_vm_name_valid(target))
		return gb_fail(err, GB_ENOTFOUND,
			       "no guest named '%s' runs and there is no such file; 'glassbox ls' lists "
			       "the guests",
			       target);
	vm->name[0] = 0;
	return gb_ram_open(target, NULL, ram_ret, err);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static int announce(const struct gb_args *args, const char *name, const char *url,
		    struct gb_error *err)
{
	struct gb_answer a;

	if (args->json) {
		gb_answer_begin(&a, "view", name);
		gb_json_pair(&a.json, "url", str, url);
		return gb_answer_end(&a, err);
	}
	puts(url);
	fputs("Open this in a browser with WebGPU; who has it sees all of the guest's memory. "
	      "Ctrl-C ends it.\n",
	      stderr);
	return gb_flush_stdout(err);
}

// Blocked before any thread starts, so that only this waits for them.
static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
	sigprocmask(SIG_BLOCK, ret, NULL);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_ram_cleanup) struct gb_ram *ram = NULL;
	struct gb_serve_options o = {};
	struct gb_vm_info vm = {};
	struct gb_serve *serve;
	uint64_t port = 0;
	sigset_t signals;
	int r = gb_args_number(args, "port", 0, 65535, &port, err), got;

	if (r == 0)
		r = open_target(args->positional[0], &vm, &ram, err);
	if (r != 0)
		return r;
	block_signals(&signals);
	o.ram = ram;
	o.name = vm.name[0] ? vm.name : base_name(args->positional[0]);
	o.guest = vm.name[0] ? vm.guest : NULL;
	o.started_real_ns = vm.started_real_ns;
	o.port = (unsigned)port;
	r = gb_serve_start(&o, &serve, err);
	if (r != 0)
		return r;
	r = announce(args, o.name, gb_serve_url(serve), err);
	if (r == 0)
		sigwait(&signals, &got);
	gb_serve_stop(serve);
	return r;
}

const struct gb_command gb_cmd_view = {
	.name = "view",
	.usage = "T",
	.summary = "show the memory of a running guest or of a RAM file in a browser",
	.detail = "Serves the page on 127.0.0.1 and prints its URL, until Ctrl-C. The URL holds a random "
		  "token: without it, from another site or from another machine nothing is answered.",
	.example = "glassbox view demo\nglassbox view ram.img --port 8080",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
