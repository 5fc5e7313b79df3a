// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The table of commands: a new one is a file cmd_NAME.c, a line here and one in meson.build.
#include "cmd/commands.h"

#include <string.h>

const struct gb_command *const gb_commands[] = {
	&gb_cmd_run,
	&gb_cmd_view,
	&gb_cmd_version,
	&gb_cmd_help,
	NULL,
};

const struct gb_command *gb_command_find(const char *name)
{
	for (size_t i = 0; gb_commands[i]; i++)
		if (strcmp(gb_commands[i]->name, name) == 0)
			return gb_commands[i];
	return NULL;
}
