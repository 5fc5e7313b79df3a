// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The network of a built-in guest: one card with the addresses that QEMU's user network hands out.
#pragma once

#include <stdbool.h>

// Brings an interface up; with an IPv4 address (in a /24) and a default route when these are given.
// 0, or -1 with errno.
int gb_net_up(const char *name, const char *address, const char *gateway);

// Whether some process listens on this TCP port (IPv4).
bool gb_net_listens(unsigned port);
