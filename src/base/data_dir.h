// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Where the program finds its page, shaders and guests.
#pragma once

#include "base/error.h"

#include <limits.h>

// $GLASSBOX_DATA; else, for a program that was built and not installed, its source directory; else
// the installed data directory. GB_ENOTFOUND when GLASSBOX_DATA is no directory.
int gb_data_dir(char ret[PATH_MAX], struct gb_error *err);
