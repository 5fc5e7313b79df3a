// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Help, man page and completion data, all from the command table.
#include "cmd/help.h"

#include "cmd/output.h"

#include <string.h>

static const struct {
	const char *name, *help;
} variables[] = {
	{"XDG_RUNTIME_DIR",
	 "in its glassbox directory the state of running guests is kept. Where it is not set, that is "
	 "/run/user/UID/glassbox; where that is not there either, glassbox/run below XDG_STATE_HOME"},
	{"XDG_STATE_HOME",
	 "where running guests are registered when there is no runtime directory (default: "
	 "~/.local/state)"},
	{"XDG_CACHE_HOME", "where kernels and images are cached (default: ~/.cache)"},
	{"GLASSBOX_DATA", "where the guests' scripts, the page and the shaders are"},
	{"GLASSBOX_ALPINE_MIRROR", "where the alpine guest is fetched from"},
	{"NO_COLOR", "no colour on a terminal"},
};

void gb_help_overview(FILE *out)
{
	fputs("Glass Box runs an x86-64 machine in QEMU and makes it transparent while it runs.\n\n"
	      "usage: glassbox COMMAND [TARGET] [options]\n"
	      "TARGET is the name of a running guest, or a file: a raw RAM image.\n\n",
	      out);
	for (size_t i = 0; gb_commands[i]; i++)
		if (!gb_commands[i]->hidden)
			fprintf(out, "  %-10s %s\n", gb_commands[i]->name, gb_commands[i]->summary);
	fputs("\n'glassbox help COMMAND' says more. Every command takes --json.\n", out);
}

static void print_option(FILE *out, const struct gb_option *o)
{
	char left[64];
	int n = 0;

	if (o->letter)
		n = snprintf(left, sizeof(left), "-%c, ", o->letter);
	snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", o->name, o->arg ? " " : "",
		 o->arg ? o->arg : "");
	fprintf(out, "  %-26s %s\n", left, o->help);
}

void gb_help_command(FILE *out, const struct gb_command *c)
{
	fprintf(out, "glassbox %s: %s\n\nusage: glassbox %s%s%s%s\n", c->name, c->summary, c->name,
		*c->usage ? " " : "", c->usage, c->options ? " [options]" : "");
	if (c->detail)
		fprintf(out, "\n%s\n", c->detail);
	fputs("\n", out);
	for (const struct gb_option *o = c->options; o && o->name; o++)
		print_option(out, o);
	print_option(out, &(struct gb_option){"json", 0, NULL, "print JSON"});
	if (c->example)
		fprintf(out, "\nExamples:\n%s\n", c->example);
}

static void option_json(struct gb_json *j, const struct gb_option *o)
{
	char letter[2] = {o->letter};

	gb_json_object(j);
	gb_json_pair(j, "name", str, o->name);
	gb_json_pair(j, "letter", str, o->letter ? letter : NULL);
	gb_json_pair(j, "value", str, o->arg);
	gb_json_pair(j, "help", str, o->help);
	gb_json_end_object(j);
}

static void command_json(struct gb_json *j, const struct gb_command *c)
{
	gb_json_object(j);
	gb_json_pair(j, "name", str, c->name);
	gb_json_pair(j, "usage", str, c->usage);
	gb_json_pair(j, "summary", str, c->summary);
	gb_json_pair(j, "detail", str, c->detail);
	gb_json_pair(j, "example", str, c->example);
	gb_json_key(j, "options");
	gb_json_array(j);
	for (const struct gb_option *o = c->options; o && o->name; o++)
		option_json(j, o);
	gb_json_end_array(j);
	gb_json_end_object(j);
}

int gb_help_json(const struct gb_command *c, struct gb_error *err)
{
	struct gb_answer a;

	gb_answer_begin(&a, "help", NULL);
	gb_json_key(&a.json, "commands");
	gb_json_array(&a.json);
	for (size_t i = 0; gb_commands[i]; i++)
		if (c ? gb_commands[i] == c : !gb_commands[i]->hidden)
			command_json(&a.json, gb_commands[i]);
	gb_json_end_array(&a.json);
	return gb_answer_end(&a, err);
}

// scdoc reads _ and * as emphasis; a backslash takes that away.
static void man_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (strchr("_*\\<>#[]", *s))
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void man_term(FILE *out, const char *name, const char *arg, const char *help)
{
	fputs("*", out);
	man_text(out, name);
	fputs("*", out);
	if (arg) {
		fputs(" ", out);
		man_text(out, arg);
	}
	fputs("\n\t", out);
	man_text(out, help);
	fputs("\n\n", out);
}

static void man_command(FILE *out, const struct gb_command *c)
{
	char name[64];

	fprintf(out, "## %s\n\n*glassbox %s* ", c->name, c->name);
	man_text(out, c->usage);
	fputs("\n\n", out);
	man_text(out, c->summary);
	fputs(".\n\n", out);
	if (c->detail) {
		man_text(out, c->detail);
		fputs("\n\n", out);
	}
	for (const struct gb_option *o = c->options; o && o->name; o++) {
		snprintf(name, sizeof(name), "--%s", o->name);
		man_term(out, name, o->arg, o->help);
	}
}

void gb_help_man(FILE *out)
{
	fputs("glassbox(1) \"Glass Box " GB_VERSION "\"\n\n# NAME\n\n"
	      "glassbox - run a machine in QEMU and see into it while it runs\n\n# SYNOPSIS\n\n"
	      "*glassbox* COMMAND [TARGET] [options]\n\n# DESCRIPTION\n\n"
	      "TARGET is the name of a running guest, or a file that holds a raw RAM image. "
	      "Data goes to standard output, talk to standard error. *--json* works everywhere, and then "
	      "standard output is one document: the answer, or an error.\n\n"
	      "Every answer about a guest says how it was read, in JSON as _consistent_ and _how_, in text "
	      "as a line on standard error: _paused_ (the guest stood still from before to after the reading), "
	      "_verified_ (it was the same when read again), _image_ (a file), _torn_ (it changed at every "
	      "try, or a process has more than is read of any: that is _cut_), _incomplete_ (an image that ends before "
	      "the RAM of its kernel does), _unplaced_ (an image that is read as it lies, because nothing is known to fit "
	      "the kernel in it) or _unproved_ (an image that is read as *--split* says, because its kernel cannot tell). "
	      "The last four are not consistent, "
	      "and exit status 5; what could be read is printed all the same.\n\n"
	      "A document of JSON begins with _schema_, the number of its form: 1, and _command_. Addresses, and the "
	      "sizes and offsets of a memory's _layout_, are strings of hexadecimal digits, \"0x1000\", because "
	      "they may have more bits than a number of JSON; what is counted is a number.\n\n"
	      "A raw image does not say where in the machine its bytes lay: a machine with more RAM than fits "
	      "below the PCI hole had the rest from 4 GiB on. Its kernel says how much that is, and *--split* SIZE how "
	      "much lay below, for an image that was cut short; either is checked with what the kernel "
	      "keeps there. An image that makes no sense so is exit status 4, as is one that proves nothing, because its "
	      "kernel has hardly started. Without *--split*, *read* and *view* then take an address for the offset in "
	      "the file, and say so; with it, what is not contradicted is read as it says, and exit status 5.\n\n"
	      "# COMMANDS\n\n",
	      out);
	for (size_t i = 0; gb_commands[i]; i++)
		if (!gb_commands[i]->hidden)
			man_command(out, gb_commands[i]);
	fputs("# EXIT STATUS\n\n0 done, 1 failed, 2 usage, 3 not found, 4 guest not understood, "
	      "5 torn, or an image that is incomplete, unplaced or unproved, 6 verification failed, 77 this machine lacks it, "
	      "124 time-out, 128+n signal. *run -- CMD* passes on the status of the command.\n\n"
	      "# ENVIRONMENT\n\n",
	      out);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		man_term(out, variables[i].name, NULL, variables[i].help);
}

void gb_help_complete(FILE *out, const struct gb_command *c)
{
	if (!c) {
		for (size_t i = 0; gb_commands[i]; i++)
			if (!gb_commands[i]->hidden)
				fprintf(out, "%s\t%s\n", gb_commands[i]->name,
					gb_commands[i]->summary);
		return;
	}
	for (const struct gb_option *o = c->options; o && o->name; o++)
		fprintf(out, "--%s\t%s\n", o->name, o->help);
	fputs("--json\tprint JSON\n--help\tprint help\n", out);
}
