// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Showing the page on the desktop, where there is one.
#pragma once

#include "vm/registry.h"

// Open the guest's page in the user's browser with xdg-open, without waiting for it. false when there
// is no desktop (neither DISPLAY nor WAYLAND_DISPLAY is set) or no xdg-open.
//
// Every user of a machine sees every program's arguments, so the address with its token is none: the
// browser is given a file in the guest's private directory that leads on to it.
bool gb_browser_open(const struct gb_vm_info *vm);
