#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# glassbox bench, what of it takes no time: a name that is none.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/../tap.sh"

status=0
"$GLASSBOX" bench no-such >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 2 ] && grep -q 'no-such.*ram' "$work/err"
report $? "an unknown bench is refused and the known are named"
"$GLASSBOX" bench no-such --json >"$work/out" 2>"$work/err"
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["error"]["code"] == "usage"' "$work/out"
report $? "also in JSON"
end_of_tests
