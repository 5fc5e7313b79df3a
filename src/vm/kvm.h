// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Does KVM work here? Asked by running a virtual CPU, because the device node proves nothing: it is
// there without permission, without nesting, and in sandboxes that refuse the ioctls behind it.
#pragma once

#include "base/error.h"

// Make a VM, run 4 million instructions of 64-bit code on a CPU of it and see it halt, in a child
// process with a time limit, because a broken KVM may also hang. A KVM that only emulates (some
// sandboxes have one) is not taken: TCG is faster and more complete. Takes some ms where KVM
// works. GB_ELACKS with the reason and what to do.
int gb_kvm_probe(const char *device, struct gb_error *err);
