// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Declarations of all commands, for the table in commands.c.
#pragma once

#include "cmd/command.h"

extern const struct gb_command gb_cmd_doctor;
extern const struct gb_command gb_cmd_help;
extern const struct gb_command gb_cmd_attach;
extern const struct gb_command gb_cmd_ls;
extern const struct gb_command gb_cmd_pause;
extern const struct gb_command gb_cmd_resume;
extern const struct gb_command gb_cmd_run;
extern const struct gb_command gb_cmd_ssh;
extern const struct gb_command gb_cmd_stop;
extern const struct gb_command gb_cmd_version;
