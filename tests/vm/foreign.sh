#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Guests that are no Linux: memtest86+ and a firmware screen. Not understood is exit 4 with a reason, never an empty list, and
# memory can be looked at all the same.
. "$(dirname "$0")/lib.sh"

not_understood() { # GUEST
	for command in info ps frames symbols; do
		gb $command "$1"
		fails 4 'Linux' && [ ! -s "$work/out" ]
		report $? "$command of $1 is not understood, and says so"
	done
	gb info "$1" --json
	[ "$status" = 4 ] && grep -q '"code":"not-understood"' "$work/out"
	report $? "info --json of $1 says so, too"
	gb read "$1" 0x1000 64
	[ "$status" = 0 ] && [ "$(wc -l <"$work/out")" = 4 ]
	report $? "the bytes of $1 can be read"
}

iso=/usr/lib/memtest86+/memtest86+x64.iso
if [ -f "$iso" ]; then
	gb run "$iso" --name memtest --mem 64M --accel tcg --detach
	[ "$status" = 0 ]
	report $? 'memtest86+ runs'
	not_understood memtest
else
	skip 'memtest86+ runs' "there is no $iso"
fi

# A boot sector that halts: what is left on the screen is the firmware's.
truncate -s 1M "$work/halt.img"
printf '\364\353\375' | dd of="$work/halt.img" conv=notrunc status=none
printf '\125\252' | dd of="$work/halt.img" bs=1 seek=510 conv=notrunc status=none
gb run "$work/halt.img" --name firmware --mem 64M --accel tcg --detach
[ "$status" = 0 ]
report $? 'a disk that only halts leaves a firmware screen'
not_understood firmware

# QEMU dies while it is read.
pid=$(field firmware qemu_pid)
count=0
while gb read firmware 0x100000 4096 && [ "$status" = 0 ]; do
	count=$((count + 1))
	[ "$count" != 5 ] || kill -KILL "$pid"
done
[ "$count" -ge 5 ] && [ "$status" -lt 5 ] && grep -q firmware "$work/err"
report $? 'reading ends with a message when QEMU is killed meanwhile'

gb stop memtest
[ ! -d "$root" ] || [ -z "$(ls "$root")" ]
report $? 'nothing is left'
end_of_tests
