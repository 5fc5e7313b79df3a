# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Running the program under test and looking at what it wrote in $work. To be sourced.
# shellcheck shell=sh
g=$(readlink -f "${GLASSBOX:-none}")
[ -x "$g" ] || { echo "Bail out! GLASSBOX must name the program"; exit 1; }

# gb WORDS...: the exit status is in $status, what it writes in $work/out and $work/err.
gb() {
	status=0
	timeout -k 5 180 "$g" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# json_of FILE EXPRESSION: the file is one document, and the expression of it, as d, is true (or printed).
json_of() {
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
value = eval(sys.argv[2])
value is True or value is False or print(value)
sys.exit(value is False)' "$1" "$2"
}

json() { json_of "$work/out" "$1"; }
