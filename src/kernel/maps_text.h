// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// A memory map as /proc/PID/maps prints it.
//
// Linux fs/proc/task_mmu.c, show_map_vma(): addresses and offset with at least 8 digits, device as
// two hexadecimal digits each, the name from column 73 on.
#pragma once

#include "kernel/process.h"

#include "base/buf.h"

// "rwxp": what show_map_vma() makes of the flags.
void gb_vma_rights(const struct gb_vma *v, char ret[5]);
// One line per VMA; names as they stand in the VMA (already escaped as the kernel does).
void gb_maps_text(const struct gb_process *p, struct gb_buf *out);
