// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The kernel's types, through BTF (btf.h has the details).
#pragma once

#include "kernel/btf.h"
#include "kernel/kernel.h"

const struct gb_btf *gb_kernel_types(const struct gb_kernel *k);
