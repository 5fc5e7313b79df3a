// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Help, man page and completion data, all from the command table.
#pragma once

#include "cmd/command.h"

#include <stdio.h>

void gb_help_overview(FILE *out);
void gb_help_command(FILE *out, const struct gb_command *c);
// The same as JSON on stdout; c NULL: all commands.
int gb_help_json(const struct gb_command *c, struct gb_error *err);
// The manual page in scdoc's language.
void gb_help_man(FILE *out);
// One line a command ("name\tsummary"), or one a option of a command ("--name\thelp").
void gb_help_complete(FILE *out, const struct gb_command *c);
