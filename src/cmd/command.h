// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Commands: one file and one row in commands.c each. Usage, --help, the man page and the shell
// completions are generated from these tables, so a command is described nowhere else.
#pragma once

#include "base/error.h"

#include <stddef.h>

struct gb_option {
	const char *name; // long name without dashes
	char letter;      // 0: none
	const char *arg;  // NULL: a flag; else the placeholder of its value
	const char *help; // one line
};

#define GB_ARGS_MAX 32

// The parsed command line of one command.
struct gb_args {
	const struct gb_command *command;
	const char *positional[GB_ARGS_MAX];
	size_t count;
	char **rest;                     // after "--", NULL-terminated; NULL if there was no "--"
	const char *values[GB_ARGS_MAX]; // by index into command->options; flags hold ""
	bool json;
	int exit_status; // what the program exits with when run() returns 0 (`run -- CMD`)
};

struct gb_command {
	const char *name;
	const char *usage;               // operands: "T PID"
	const char *summary;             // one line, lower case, no full stop
	const char *detail;              // paragraphs for --help and the man page; may be NULL
	const char *example;             // lines of examples; may be NULL
	const struct gb_option *options; // ends with a row whose name is NULL; may be NULL
	size_t min_args, max_args;
	bool hidden; // not in help, man page or completion
	// 0, or a negative gb_code with err filled: main prints it and exits with its status.
	int (*run)(struct gb_args *args, struct gb_error *err);
};

// All commands in the order of `glassbox help`, ending with NULL.
extern const struct gb_command *const gb_commands[];
const struct gb_command *gb_command_find(const char *name);

// The value of an option ("" for a flag that was given), or NULL when it was not given.
const char *gb_args_get(const struct gb_args *args, const char *name);
bool gb_args_has(const struct gb_args *args, const char *name);
// A number: decimal or 0x. GB_EUSAGE with the option's name when it is none or out of range.
int gb_args_number(const struct gb_args *args, const char *name, uint64_t min, uint64_t max,
		   uint64_t *ret, struct gb_error *err);
// Parse text as a number, or as a size with K, M or G (powers of 1024).
int gb_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
		    struct gb_error *err);
int gb_parse_size(const char *text, uint64_t *ret, struct gb_error *err);

// Parse argv (without the program and command names) for a command.
int gb_args_parse(const struct gb_command *command, int argc, char **argv, struct gb_args *ret,
		  struct gb_error *err);
