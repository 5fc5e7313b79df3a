#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# A process that anybody in a guest can run, and that would cost gigabytes to look at (deep.c): it is cut, it is said to be, and
# whatever else is asked of the guest is answered as always. usage: deep.sh
# shellcheck disable=SC2154,SC3045 # work, g and status come from lib.sh; dash has ulimit -v
. "$(dirname "$0")/../vm/lib.sh"
here=$(cd "$(dirname "$0")/../.." && pwd)

cc -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$work/deep" "$here/tests/kernel/deep.c" &&
	cc -std=gnu17 -D_GNU_SOURCE -O2 -o "$work/cpio" "$here/guest/cpio.c" && cat >"$work/list" <<END && "$work/cpio" <"$work/list" >"$work/initrd"
dir dev 0755 0
nod dev/console 0600 5 1
file init $work/deep 0755 0
END
report $? 'a userland of one program is made'
kernel=$("$here/guest/tiny.sh" 2>"$work/err") && gb run --kernel "$kernel/vmlinux" --initrd "$work/initrd" --mem 128M --name deep --detach --no-view
[ "$status" = 0 ]
report $? 'a guest runs it'
ready() { gb ps deep && grep -q ' ready ' "$work/out"; }
eventually ready
report $? 'its child has 48,000 mappings'
child=$(awk '$8 == "ready" { print $1 }' "$work/out")

# Seven times the RAM of the guest.
ulimit -v 1000000
cut() { [ "$status" = 5 ] && grep -q "incomplete: process $child has more threads, mappings or names" "$work/err"; }
gb maps deep "$child"
cut && [ "$(wc -l <"$work/out")" -gt 48000 ] && grep -q '/d/d/d/.*/[0-9]*$' "$work/out"
report $? 'its map is there, with as many names as may be read, and said to be cut'
gb frames deep --csv
cut && [ "$(wc -l <"$work/out")" = 32769 ]
report $? 'every frame has an owner'
gb frames deep
[ "$status" = 0 ]
report $? 'where names are not asked for nothing is cut'
gb maps deep 1
[ "$status" = 0 ] && grep -q ' /init$' "$work/out"
report $? "its parent's map is whole"
gb ps deep
[ "$status" = 0 ]
report $? 'the list is whole'
gb stop deep
nothing_left
report $? 'nothing is left'
end_of_tests
