// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Declarations of all commands, for the table in commands.c.
#pragma once

#include "cmd/command.h"

extern const struct gb_command gb_cmd_attach;
extern const struct gb_command gb_cmd_bench;
extern const struct gb_command gb_cmd_dmesg;
extern const struct gb_command gb_cmd_doctor;
extern const struct gb_command gb_cmd_files;
extern const struct gb_command gb_cmd_frames;
extern const struct gb_command gb_cmd_help;
extern const struct gb_command gb_cmd_info;
extern const struct gb_command gb_cmd_ls;
extern const struct gb_command gb_cmd_maps;
extern const struct gb_command gb_cmd_modules;
extern const struct gb_command gb_cmd_pause;
extern const struct gb_command gb_cmd_ps;
extern const struct gb_command gb_cmd_read;
extern const struct gb_command gb_cmd_resume;
extern const struct gb_command gb_cmd_run;
extern const struct gb_command gb_cmd_ssh;
extern const struct gb_command gb_cmd_stop;
extern const struct gb_command gb_cmd_sym;
extern const struct gb_command gb_cmd_symbols;
extern const struct gb_command gb_cmd_type;
extern const struct gb_command gb_cmd_version;
extern const struct gb_command gb_cmd_view;
extern const struct gb_command gb_cmd_walk;
