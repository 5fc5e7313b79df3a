// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Calling the scripts of guest/ in the data directory.
#pragma once

#include "vm/claim.h"

// Run guest/SCRIPT, which makes what is not cached yet and talks on standard error; *ret is the
// directory it prints. GB_ECANCELLED; GB_ELACKS when the script cannot do its work (it said why).
int gb_guest_script(const char *script, int interrupt_fd, char ret[PATH_MAX], struct gb_error *err);
// Run guest/seed.sh: initrd, ssh keys and ssh_config in the claim's directory. archives and command
// (may be NULL) end with NULL.
int gb_guest_seed_script(const struct gb_claim *claim, const char *const *archives, char **command,
			 int interrupt_fd, struct gb_error *err);
