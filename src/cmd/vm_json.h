// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A running guest in JSON, the same in every command.
#pragma once

#include "base/json.h"
#include "vm/registry.h"

// Pairs for an object that is open: name, state, guest, machine, ...
void gb_vm_json(struct gb_json *j, const struct gb_vm_info *vm, const char *state);
