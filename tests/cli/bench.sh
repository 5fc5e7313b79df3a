#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# glassbox bench, what of it takes no time: a name that is none.
set -u
failed=0
echo 1..2
status=0
said=$("$GLASSBOX" bench no-such 2>&1 >/dev/null) || status=$?
case $status:$said in
2:*no-such*ram*) echo "ok 1 - an unknown bench is refused and the known are named" ;;
*) echo "not ok 1 - an unknown bench: $status, $said"; failed=1 ;;
esac
status=0
"$GLASSBOX" bench no-such --json 2>/dev/null |
	python3 -c 'import json, sys; assert json.load(sys.stdin)["error"]["code"] == "usage"' || status=$?
if [ "$status" = 0 ]; then echo "ok 2 - also in JSON"; else echo "not ok 2 - also in JSON"; failed=1; fi
exit $failed
