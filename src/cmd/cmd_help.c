// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox help
#include "cmd/commands.h"
#include "cmd/help.h"
#include "cmd/output.h"

static int run(struct gb_args *args, struct gb_error *err)
{
	const struct gb_command *c = args->count ? gb_command_find(args->positional[0]) : NULL;

	if (gb_args_has(args, "man")) {
		gb_help_man(stdout);
	} else if (gb_args_has(args, "complete")) {
		gb_help_complete(stdout, c);
	} else if (c) {
		gb_help_command(stdout, c);
	} else if (args->count) {
		return gb_fail(err, GB_EUSAGE,
			       "there is no command '%s'; 'glassbox help' lists them",
			       args->positional[0]);
	} else {
		gb_help_overview(stdout);
	}
	return gb_flush_stdout(err);
}

const struct gb_command gb_cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "say what a command does",
	.options =
		(const struct gb_option[]){
			{"man", 0, NULL, "print the manual page in scdoc's language"},
			{"complete", 0, NULL, "print what a shell may complete"},
			{},
		},
	.max_args = 1,
	.run = run,
};
