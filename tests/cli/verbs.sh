#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The verbs that read a guest, as text, JSON and CSV, against what the guest's own kernel said of itself.
# usage: verbs.sh MATRIX ROW (GLASSBOX is the program)
set -u
code=0
image=$("$1" "$2") || code=$?
if [ "$code" = 77 ]; then
	echo "1..0 # SKIP this release of Debian does not have the kernel of $2"
	exit 0
fi
[ "$code" = 0 ] || { echo "Bail out! there is no image of $2"; exit 1; }
exec python3 "$(dirname "$0")/verbs.py" "$GLASSBOX" "$image"
