#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The verbs that read a guest, as text, JSON and CSV, against what the guest's own kernel said of itself.
# usage: verbs.sh MATRIX ROW (GLASSBOX is the program)
set -u
. "$(dirname "$0")/../kernel/frozen.sh"
frozen "$1" "$2"
exec python3 "$(dirname "$0")/verbs.py" "$GLASSBOX" "$image"
