// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// Where the program finds its page, shaders and guests.
#pragma once

#include "base/error.h"

#include <limits.h>

// $GLASSBOX_DATA; else ../share/glassbox from where the program lies, which is there when it was installed; else the
// source directory that it was built from; else PREFIX/share/glassbox. GB_ENOTFOUND when GLASSBOX_DATA is no directory.
int gb_data_dir(char ret[PATH_MAX], struct gb_error *err);
