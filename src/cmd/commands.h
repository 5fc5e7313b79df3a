// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Declarations of all commands, for the table in commands.c.
#pragma once

#include "cmd/command.h"

extern const struct gb_command gb_cmd_help;
extern const struct gb_command gb_cmd_run;
extern const struct gb_command gb_cmd_version;
extern const struct gb_command gb_cmd_view;
