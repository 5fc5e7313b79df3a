// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// What `glassbox run` tells its user.
#pragma once

#include "cmd/run_session.h"

// The guest is up: one screen for people, or the JSON answer.
int gb_run_report_up(const struct gb_run *run, const struct gb_vm_info *info, struct gb_error *err);
// The last lines of the console, on standard error, escaped.
void gb_run_report_console(const struct gb_vm_info *info);
