#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Every command has help, a place in the manual page and completion; words that are off give exit 2.
set -eu
g=$GLASSBOX
fail() { echo "completeness: $*" >&2; exit 1; }

man=$("$g" help --man)
count=0
for command in $("$g" help --complete | cut -f1); do
	count=$((count + 1))
	"$g" help "$command" | grep -q "^usage: glassbox $command" || fail "'help $command' has no usage line"
	"$g" "$command" --help | grep -q "^usage: glassbox $command" || fail "'$command --help' has no usage line"
	printf '%s\n' "$man" | grep -q "^## $command" || fail "$command is not in the manual page"
	for option in $("$g" help --complete "$command" | cut -f1); do
		"$g" help "$command" | grep -qe "$option" || [ "$option" = --help ] || fail "$command $option has no help"
	done
	status=0
	"$g" "$command" --no-such-option >/dev/null 2>&1 || status=$?
	[ "$status" = 2 ] || fail "'$command --no-such-option' exits $status, not 2"
done
[ "$count" -ge 2 ] || fail "only $count commands are known"
status=0
# Of the environment: what the program reads, but for what is everybody's.
for variable in $(grep -rhoE 'getenv\("(XDG|GLASSBOX|NO)_[A-Z_]*"' "$(dirname "$0")/../../src" | cut -d'"' -f2 | sort -u); do
	printf '%s\n' "$man" | tr -d '\\' | grep -qx "\*$variable\*" || fail "$variable is not in the manual page"
done
printf '%s\n' "$man" | grep -q '_schema_' || fail 'the manual page does not say what schema is'
"$g" no-such-command >/dev/null 2>&1 || status=$?
[ "$status" = 2 ] || fail "an unknown command exits $status, not 2"
"$g" no-such-command 2>&1 | grep -q "glassbox help" || fail "the error does not say what to do"
# json EXPRESSION COMMAND...: standard output is one JSON document, and the expression of it, as d, is true.
json() {
	expression=$1
	shift
	"$@" 2>/dev/null | python3 -c 'import json, sys
d = json.load(sys.stdin)
sys.exit(not eval(sys.argv[1]))' "$expression" || fail "'$*' is not the JSON it should be"
}
json 'd["error"]["code"] == "usage" and "no-such-command" in d["error"]["message"]' "$g" no-such-command --json
json 'd["error"]["code"] == "usage"' "$g" info --json
json 'd["error"]["code"] == "not-found"' "$g" ps no-such-guest --json
json 'd["error"]["code"] == "usage"' "$g" help no-such-command --json
json 'len(d["commands"]) == '"$count" "$g" help --json
json '[c["name"] for c in d["commands"]] == ["ps"] and d["commands"][0]["options"]' "$g" help ps --json
json '[c["name"] for c in d["commands"]] == ["ps"]' "$g" ps --help --json
json 'd["text"].startswith("glassbox(1)")' "$g" help --man --json
"$g" version --json | python3 -c 'import json,sys; assert json.load(sys.stdin)["schema"] == 1' ||
	fail "version --json is not JSON"
