// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox symbols
#include "cmd/commands.h"
#include "cmd/target.h"

#include "base/cleanup.h"
#include "kernel/symbols.h"

#include <inttypes.h>

static int print_json(const struct gb_target *t, bool torn, struct gb_error *err)
{
	size_t count = gb_kernel_info(t->kernel)->symbols;
	struct gb_answer a;

	gb_answer_begin(&a, "symbols", t->name);
	gb_target_stamp(t, torn, &a.json);
	gb_json_key(&a.json, "symbols");
	gb_json_array(&a.json);
	for (size_t i = 0; i < count; i++) {
		struct gb_symbol s;
		char type[2] = {};

		gb_symbol_at(t->kernel, i, &s);
		type[0] = s.type;
		gb_json_object(&a.json);
		gb_json_pair(&a.json, "address", hex, s.address.v);
		gb_json_pair(&a.json, "type", str, type);
		gb_json_pair(&a.json, "name", str, s.name);
		gb_json_end_object(&a.json);
	}
	gb_json_end_array(&a.json);
	return gb_answer_end(&a, err);
}

// The lines are the kernel's own; what could harm a terminal is escaped only when there is one.
static int print_text(const struct gb_target *t, struct gb_error *err)
{
	size_t count = gb_kernel_info(t->kernel)->symbols;
	bool terminal = isatty(STDOUT_FILENO);

	for (size_t i = 0; i < count; i++) {
		struct gb_symbol s;

		gb_symbol_at(t->kernel, i, &s);
		printf("%016" PRIx64 " %c ", s.address.v, s.type);
		if (terminal)
			gb_print_text(stdout, s.name, 0);
		else
			fputs(s.name, stdout);
		putchar('\n');
	}
	return gb_flush_stdout(err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	GB_CLEANUP(gb_target_close) struct gb_target t = {};
	bool torn = false;
	int r = gb_target_open(args, true, &t, err);

	if (r == 0)
		r = gb_target_verify(&t, &torn, err);
	if (r == 0)
		r = args->json ? print_json(&t, torn, err) : print_text(&t, err);
	return r ? r : gb_target_end(args, &t, torn, GB_TARGET_KERNEL_TORN, err);
}

const struct gb_command gb_cmd_symbols = {
	.name = "symbols",
	.usage = "T",
	.summary = "print the kernel's symbols as its /proc/kallsyms does",
	.detail =
		"The lines of the kernel's image, in its order; symbols of modules are not among them. The bytes are "
		"the guest's own; they are escaped only where standard output is a terminal (see maps).",
	.example = "glassbox symbols debian | grep ' T '",
	.options = gb_target_options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
