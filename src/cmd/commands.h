// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Declarations of all commands, for the table in commands.c.
#pragma once

#include "cmd/command.h"

extern const struct gb_command gb_cmd_help;
extern const struct gb_command gb_cmd_version;
extern const struct gb_command gb_cmd_info;
extern const struct gb_command gb_cmd_ps;
extern const struct gb_command gb_cmd_maps;
extern const struct gb_command gb_cmd_symbols;
extern const struct gb_command gb_cmd_sym;
extern const struct gb_command gb_cmd_type;
extern const struct gb_command gb_cmd_frames;
extern const struct gb_command gb_cmd_read;
extern const struct gb_command gb_cmd_walk;
