#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# RAM images that are no Linux, or a Linux that is damaged: refused with a reason and the promised status, or told to be
# torn; never a crash, a hang or an empty list. usage: damage.sh MATRIX ROW (GLASSBOX is the program)
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/frozen.sh"
# The status of a command must be one of a list, and if it is not 0, its message must have some text.
expect() { # STATUSES MESSAGE TEXT COMMAND...
	statuses=$1 message=$2 text=$3
	shift 3
	timeout 60 "$@" >"$work/out" 2>"$work/err"
	got=$?
	case " $statuses " in *" $got "*) fits=0 ;; *) fits=1 ;; esac
	[ "$got" = 0 ] || grep -q -- "$message" "$work/err" || fits=1
	[ "$got" != 0 ] || [ -s "$work/out" ] || fits=1
	[ "$fits" = 0 ] || { echo "# status $got: $(head -c 300 "$work/err")"; }
	report "$fits" "$text"
}

truncate -s 16M "$work/zeros"
expect 4 'no Linux kernel was found' "zeros are no Linux" "$GLASSBOX" ps "$work/zeros"
head -c 16777216 /dev/urandom >"$work/random"
expect 4 'no Linux kernel' "random bytes are no Linux" "$GLASSBOX" info "$work/random"
truncate -s 4095 "$work/odd"
expect 1 'whole number of 4 KiB pages' "half a page is no RAM" "$GLASSBOX" info "$work/odd"
expect 3 'no such file' "nothing is no RAM" "$GLASSBOX" info "$work/nothing.img"

frozen "$1" "$2"
cp --sparse=always "$image/ram.img" "$work/whole"
# 24 MiB hold the beginning of the kernel's image, but not its end
head -c 25165824 "$work/whole" >"$work/cut"
expect 4 'Linux' "a Linux that is cut short is not understood" "$GLASSBOX" ps "$work/cut"

# Every 4 KiB of the image has a byte changed, at places that differ in each round.
cat >"$work/flip.awk" <<'AWK'
BEGIN { srand(seed); for (i = 0; i < size; i += step) printf "%d\n", i + int(rand() * step) }
AWK
size=$(stat -c %s "$work/whole")
for step in 4096 65536 1048576; do
	for seed in 1 2; do
		cp --sparse=always "$work/whole" "$work/flipped"
		awk -v seed="$seed" -v step="$step" -v size="$size" -f "$work/flip.awk" >"$work/places"
		python3 - "$work/flipped" "$work/places" <<'PY'
import mmap, sys
with open(sys.argv[1], 'r+b') as f:
    ram = mmap.mmap(f.fileno(), 0)
    for line in open(sys.argv[2]):
        ram[int(line)] ^= 0x10
PY
		for command in ps frames 'maps:1' symbols; do
			words=$(echo "$command" | cut -d: -f1)
			pid=$(echo "$command:" | cut -d: -f2)
			# shellcheck disable=SC2086 # the pid may be no word at all
			expect '0 3 4 5' . "a byte changed in each $step, seed $seed: $words" "$GLASSBOX" "$words" "$work/flipped" $pid
		done
	done
done
end_of_tests
