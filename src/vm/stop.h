// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Ending a guest that another process supervises.
#pragma once

#include "vm/registry.h"

// Ask the supervisor to end its guest (or, if it only attached to it, to let go of it) and wait until
// all is removed. A supervisor that does not end within timeout_ms is killed, and QEMU with it.
int gb_vm_stop(const struct gb_vm_info *vm, int timeout_ms, struct gb_error *err);
