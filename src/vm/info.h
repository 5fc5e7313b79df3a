// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// vm.json: struct gb_vm_info on disk, written by a supervisor and read by everybody else.
#pragma once

#include "vm/registry.h"

// Read DIR/vm.json. GB_ENOTFOUND when it is not there, GB_EFORMAT when it is damaged.
int gb_info_read(const char *dir, struct gb_vm_info *ret, struct gb_error *err);
// Replace DIR/vm.json, so that readers see the old one or the new one.
int gb_info_write(const struct gb_vm_info *info, struct gb_error *err);
