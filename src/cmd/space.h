// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The address an operand means: guest-physical, or virtual in the kernel's or a process's space.
#pragma once

#include "cmd/target.h"

// --pid P: the page tables of that process; without it, addresses in the upper half are the
// kernel's, and others are guest-physical. virtual_ret says which it is.
int gb_space_choose(struct gb_target *t, const struct gb_args *args, uint64_t address,
		    struct gb_space *space_ret, bool *virtual_ret, struct gb_error *err);
