// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// glassbox: finds the command, parses its words, runs it, prints its error.
#include "cmd/commands.h"
#include "cmd/help.h"
#include "cmd/output.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

static void print_error(const char *command, const struct gb_error *err)
{
	GB_CLEANUP(gb_buf_deinit) struct gb_buf text = {};

	gb_escape(&text, err->message, strlen(err->message));
	fprintf(stderr, "glassbox%s%s: %s\n", command ? " " : "", command ? command : "",
		text.data ? text.data : "");
}

static void print_error_json(const char *command, const struct gb_error *err)
{
	struct gb_answer a;

	gb_answer_begin(&a, command, NULL);
	gb_json_key(&a.json, "error");
	gb_json_object(&a.json);
	gb_json_pair(&a.json, "code", str, gb_code_name(err->code));
	gb_json_pair(&a.json, "message", str, err->message);
	if (err->has_address)
		gb_json_pair(&a.json, "address", hex, err->address);
	gb_json_end_object(&a.json);
	gb_answer_end(&a, NULL);
}

static bool wants(int argc, char **argv, const char *word)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

// A command that gave its answer before it failed (torn, a full disk) has said there what is to be said.
static int fail(const char *command, int argc, char **argv, struct gb_error *err)
{
	print_error(command, err);
	if (wants(argc, argv, "--json") && !gb_answer_given())
		print_error_json(command, err);
	return gb_code_exit(err->code);
}

static int run_command(const struct gb_command *c, int argc, char **argv)
{
	bool help = wants(argc, argv, "--help") || wants(argc, argv, "-h");
	struct gb_error err = {};
	struct gb_args args;
	int r;

	if (help && wants(argc, argv, "--json")) {
		r = gb_help_json(c, &err);
	} else if (help) {
		gb_help_command(stdout, c);
		return 0;
	} else {
		r = gb_args_parse(c, argc, argv, &args, &err);
		if (r == 0)
			r = c->run(&args, &err);
		if (r == 0)
			return args.exit_status;
	}
	err.code = r;
	return r == 0 ? 0 : fail(c->name, argc, argv, &err);
}

static int unknown_command(int argc, char **argv)
{
	struct gb_error err = {};

	gb_fail(&err, GB_EUSAGE, "there is no command '%s'; 'glassbox help' lists them", argv[1]);
	return fail(NULL, argc - 1, argv + 1, &err);
}

int main(int argc, char **argv)
{
	const struct gb_command *c;

	// A descriptor that the caller closed would be given to the next file that is opened.
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return 1;
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		gb_help_overview(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return run_command(&gb_cmd_help, argc - 2, argv + 2);
	if (strcmp(argv[1], "--version") == 0)
		return run_command(&gb_cmd_version, argc - 2, argv + 2);
	c = gb_command_find(argv[1]);
	return c ? run_command(c, argc - 2, argv + 2) : unknown_command(argc, argv);
}
