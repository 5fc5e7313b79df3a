// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The table of commands: a new one is a file cmd_NAME.c, a line here, in commands.h and in meson.build.
#include "cmd/commands.h"

#include <string.h>

const struct gb_command *const gb_commands[] = {
	// Guests
	&gb_cmd_run,
	&gb_cmd_attach,
	&gb_cmd_ls,
	&gb_cmd_ssh,
	&gb_cmd_pause,
	&gb_cmd_resume,
	&gb_cmd_stop,
	// What a guest's memory says
	&gb_cmd_info,
	&gb_cmd_ps,
	&gb_cmd_maps,
	&gb_cmd_files,
	&gb_cmd_symbols,
	&gb_cmd_sym,
	&gb_cmd_type,
	&gb_cmd_modules,
	&gb_cmd_dmesg,
	&gb_cmd_frames,
	&gb_cmd_read,
	&gb_cmd_walk,
	&gb_cmd_view,
	// This program
	&gb_cmd_doctor,
	&gb_cmd_bench,
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
