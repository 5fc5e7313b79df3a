#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Answers that do not hold together: each verb gives what it has, one JSON document that says so, and status 5.
# usage: torn.sh MATRIX ROW FLIP (GLASSBOX is the program; flip.c)
set -u
# shellcheck disable=SC3045 # dash has ulimit -v
work=$(mktemp -d) || exit 1
flipper=''
trap '[ -z "$flipper" ] || kill "$flipper"; rm -rf "$work"' EXIT
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/../program.sh"
. "$(dirname "$0")/frozen.sh"

torn() { [ "$status" = 5 ] && grep -q 'torn:' "$work/err" && json 'd["consistent"] is False and d["how"] == "torn"'; }

poke() { printf %b "$2" | dd of="$work/ram" bs=1 seek="$1" conv=notrunc status=none; } # OFFSET BYTES

flip=$3
frozen "$1" "$2"
cp --sparse=always "$image/ram.img" "$work/ram"

# Of a machine that is whole, text says on standard error how it was read, and standard output is data alone.
for words in info ps 'maps 1' files dmesg modules symbols 'sym init_task' 'type list_head' frames 'frames --csv' 'read 0x1000000 64' 'walk 0xffffffff81000000'; do
	verb=${words%% *}
	rest=${words#"$verb"}
	# shellcheck disable=SC2086 # words
	gb $verb "$work/ram" $rest
	[ "$status" = 0 ] && [ "$(cat "$work/err")" = "glassbox $verb: read from an image" ]
	report $? "$words: how it was read is said on standard error"
	# shellcheck disable=SC2086
	gb $verb "$work/ram" $rest --json
	[ "$status" = 0 ] && [ ! -s "$work/err" ] && json 'd["consistent"] is True and d["how"] == "image" and d["vm"] == "ram"'
	report $? "$words --json: and in the document"
done

# A process that counts another number of threads than it has.
member() { # STRUCT MEMBER: its offset
	gb type "$work/ram" "$1"
	sed -n "s|^\t[^\t].*[ *]$2;[^0-9]*\([0-9]*\).*|\1|p" "$work/out"
}
signal=$(member task_struct signal) threads=$(member signal_struct nr_threads)
gb ps "$work/ram" --json
gb read "$work/ram" "$(json "[hex(int(p['task'], 16) + $signal) for p in d['processes'] if p['pid'] == 1][0]")" 8 --json
gb walk "$work/ram" "$(json "hex(int.from_bytes(bytes.fromhex(d['bytes']), 'little') + $threads)")" --json
poke "$(json 'int(d["gpa"], 16)')" '\0005'
gb ps "$work/ram"
[ "$status" = 5 ] && grep -q 'torn: .*the image was taken of a running guest, or is damaged' "$work/err" && grep -q 'changed while' "$work/out"
report $? 'ps'
gb ps "$work/ram" --json
torn && json 'len(d["processes"]) > 10'
report $? 'ps --json is one document'
gb maps "$work/ram" 1
[ "$status" = 5 ] && grep -q 'torn:' "$work/err" && grep -q ' r-xp ' "$work/out"
report $? 'maps'
gb maps "$work/ram" 1 --json
torn && json 'len(d["maps"]) > 3'
report $? 'maps --json is one document'
gb maps "$work/ram" 54321 --json
[ "$status" = 5 ] && json 'd["error"]["code"] == "torn"'
report $? 'a process that is not there may be among those that could not be read'
gb frames "$work/ram"
[ "$status" = 5 ] && grep -q 'torn:' "$work/err" && grep -q '^all .*torn$' "$work/out"
report $? 'frames'
gb frames "$work/ram" --json
torn && json 'd["frames"] == sum(d["classes"].values())'
report $? 'frames --json is one document'
gb frames "$work/ram" --csv
[ "$status" = 5 ] && [ "$(wc -l <"$work/out")" = $(($(stat -c %s "$work/ram") / 4096 + 1)) ]
report $? 'frames --csv'
gb read "$work/ram" 0x400000 16 --pid 1 --json
[ "$status" = 5 ] && json 'd["error"]["code"] == "torn"'
report $? 'read --pid of it is refused'

# Bytes that change faster than they can be read, while they are read.
flip() { # OFFSET MASK: another value there all the time
	"$flip" "$work/ram" "$1" "$2" &
	flipper=$!
}
end_flip() { kill "$flipper"; wait "$flipper" 2>/dev/null; flipper=''; }
# torn_once VERB WORDS...: so it ends sooner or later
torn_once() {
	end=$(($(date +%s) + 60))
	until gb "$@" && [ "$status" = 5 ]; do
		[ "$(date +%s)" -lt "$end" ] || return 1
	done
}
flip 8192 255
torn_once read "$work/ram" 0 0x3000000 --json && torn && json 'd["length"] == 0x3000000'
report $? 'read --json is one document'
torn_once read "$work/ram" 0 0x3000000 --raw && [ "$(stat -c %s "$work/out")" = $((0x3000000)) ] && grep -q 'torn:' "$work/err"
report $? 'read --raw'
end_flip
# A file that is too large to be mapped is read by system calls, so that a walk takes long enough. Bits 9 to 11 of an entry
# are the kernel's own, and no page moves with them.
gb walk "$work/ram" 0xffffffff81000000 --json
flip "$(json 'int(d["tables"][-1]["entry_gpa"], 16) + 1')" 14
truncate -s 64G "$work/ram"
# shellcheck disable=SC3045 # dash has it
ulimit -v 2000000
torn_once walk "$work/ram" 0xffffffff81000000 && grep -q '^GPA' "$work/out" && grep -q 'torn:' "$work/err"
report $? 'walk'
torn_once walk "$work/ram" 0xffffffff81000000 --json && torn && json 'd["gpa"] == "0x1000000"'
report $? 'walk --json is one document'
end_flip
end_of_tests
