// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Showing the page on the desktop, where there is one.
#pragma once

#include <stdbool.h>

// Open url in the user's browser with xdg-open, without waiting for it. false when there is no
// desktop (neither DISPLAY nor WAYLAND_DISPLAY is set) or no xdg-open.
bool gb_browser_open(const char *url);
