#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Compares a frozen guest with its truth. usage: truth.sh MATRIX ROW TEST-PROGRAM
set -eu
. "$(dirname "$0")/frozen.sh"
frozen "$1" "$2"
exec "$3" "$image"
