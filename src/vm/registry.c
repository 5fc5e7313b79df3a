// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The registry of running guests.
#include "vm/registry.h"

#include <string.h>

bool gb_vm_name_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len < GB_VM_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       strspn(name, allowed) == len;
}
