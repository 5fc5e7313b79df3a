// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox help
#include "cmd/commands.h"
#include "cmd/help.h"
#include "cmd/output.h"

#include "base/cleanup.h"

// What is meant for other programs to read is one string in JSON.
static int print_text_json(const struct gb_args *args, const struct gb_command *c,
			   struct gb_error *err)
{
	GB_CLEANUP(gb_cleanup_free) char *text = NULL;
	struct gb_answer a;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return gb_fail(err, GB_ENOMEM, "no memory for the text");
	if (gb_args_has(args, "man"))
		gb_help_man(out);
	else
		gb_help_complete(out, c);
	fclose(out);
	gb_answer_begin(&a, "help", NULL);
	gb_json_pair(&a.json, "text", str, text);
	return gb_answer_end(&a, err);
}

static int run(struct gb_args *args, struct gb_error *err)
{
	const struct gb_command *c = args->count ? gb_command_find(args->positional[0]) : NULL;

	if (args->count && !c && gb_args_has(args, "complete"))
		return 0; // a shell asks while somebody types
	if (args->count && !c)
		return gb_fail(err, GB_EUSAGE,
			       "there is no command '%s'; 'glassbox help' lists them",
			       args->positional[0]);
	if (args->json && (gb_args_has(args, "man") || gb_args_has(args, "complete")))
		return print_text_json(args, c, err);
	if (args->json)
		return gb_help_json(c, err);
	if (gb_args_has(args, "man"))
		gb_help_man(stdout);
	else if (gb_args_has(args, "complete"))
		gb_help_complete(stdout, c);
	else if (c)
		gb_help_command(stdout, c);
	else
		gb_help_overview(stdout);
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
