#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Lint every shell script, found by its first line.
cd "$(dirname "$0")/.." || exit 1
files=$(git ls-files | while read -r f; do
	[ -f "$f" ] && head -n 1 "$f" | grep -q '^#!.*sh$' && echo "$f"
done)
exec shellcheck -S warning $files
