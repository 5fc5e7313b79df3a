#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Rules of the code that a script can see: licence lines, file and function length, forbidden calls.
cd "$(dirname "$0")/.." || exit 1
bad=0
say() { echo "$*"; bad=1; }
for f in $(git ls-files '*.c' '*.h' '*.js' '*.wgsl' '*.sh' '*.py' '*/meson.build' meson.build); do
	[ -f "$f" ] || continue
	head -n 4 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || say "$f: no licence line"
	[ "$(wc -l <"$f")" -le 1000 ] || say "$f: over 1000 lines"
	[ -z "$(tail -c 1 "$f")" ] || say "$f: no newline at the end"
done
grep -nE '\b(strcpy|strcat|sprintf|gets|strtok|system|tmpnam|mktemp)\(' $(git ls-files 'src/*.c') &&
	say "these calls are not used here"
awk 'FNR == 1 { start = 0 }
	/^[a-z_].*\)$/ || /^[a-z_].*,$/ { start = FNR }
	/^{/ { open = FNR }
	/^}/ { if (open && FNR - open > 120) { printf "%s:%d: a function of %d lines\n", FILENAME, open, FNR - open; long = 1 } open = 0 }
	END { exit long }' $(git ls-files 'src/*.c' 'bench/*.c' 'fuzz/*.c') || bad=1
exit $bad
