#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# shellcheck disable=SC2154 # work, root, g and status come from lib.sh
# Guests that are no Linux: memtest86+ and a firmware screen, both looked at while they do what they are for. Not understood is
# exit 4 with a reason, never an empty list, and memory can be looked at all the same. And a QEMU that dies while it is read.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")

ram_of() { field "$1" ram; }

# on_screen GUEST WORDS: the guest's text screen shows them.
on_screen() { python3 "$here/screen.py" "$root/$1/qmp.sock" 2>"$work/err" | tee "$work/out" | grep -qF -- "$2"; }

not_understood() { # GUEST
	while read -r command rest; do
		# shellcheck disable=SC2086 # a list of words
		gb "$command" "$1" $rest
		fails 4 "glassbox $command: no Linux kernel was found" 'no types (BTF), no symbols (kallsyms)' 'runs something else' &&
			[ ! -s "$work/out" ]
		report $? "$command of $1 is not understood, and says why"
	done <<END
info
ps
maps 1
frames
symbols
sym init_task
type task_struct
walk 0xffffffff81000000
read 0xffffffff81000000 8
END
	gb info "$1" --json
	[ "$status" = 4 ] && grep -q '"code":"not-understood"' "$work/out"
	report $? "info --json of $1 says so, too"
	gb read "$1" 0x1000 64
	[ "$status" = 0 ] && [ "$(wc -l <"$work/out")" = 4 ]
	report $? "the bytes of $1 can be read"
}

# A boot sector that writes HALT to 0x600 and halts: what is left on the screen is the firmware's.
#	xor ax, ax; mov ds, ax; mov word [0x600], "HA"; mov word [0x602], "LT"; cli; again: hlt; jmp again
truncate -s 1M "$work/halt.img"
printf '\061\300\216\330\307\006\000\006HA\307\006\002\006LT\372\364\353\375' | dd of="$work/halt.img" conv=notrunc status=none
printf '\125\252' | dd of="$work/halt.img" bs=1 seek=510 conv=notrunc status=none
gb run "$work/halt.img" --name firmware --mem 64M --accel tcg --detach --no-view
[ "$status" = 0 ]
report $? 'a disk that only halts'
ram=$(ram_of firmware)
halted() { [ "$(dd if="$ram" bs=1 skip=1536 count=4 status=none | tr -d '\0')" = HALT ]; }
eventually halted && on_screen firmware SeaBIOS
report $? 'it has halted, under the screen of the firmware'
not_understood firmware
gb stop firmware

# reading NAME: in the background, with the whole RAM of a guest mapped and its answer not yet given, stopped by a signal.
reading() {
	"$g" read "$1" 0 0x4000000 --raw >"$work/out" 2>"$work/err" </dev/null &
	reader=$!
	until grep -qs "$ram" /proc/$reader/maps; do
		kill -0 $reader 2>/dev/null || break
	done
	kill -STOP $reader 2>/dev/null
	stands_still
}

iso=/usr/lib/memtest86+/memtest86+x64.iso
if [ -f "$iso" ]; then
	gb run "$iso" --name memtest --mem 64M --accel tcg --detach --no-view
	[ "$status" = 0 ]
	report $? 'memtest86+'
	eventually on_screen memtest 'Status: Testing' && grep -q 'Memtest86+ v' "$work/out"
	report $? 'it tests memory'
	not_understood memtest

	# It has filled all of its RAM and goes on writing: reading that takes a while.
	ram=$(ram_of memtest)
	qemu=$(field memtest qemu_pid)
	eventually reading memtest
	report $? 'a reader is stopped in the middle of all RAM'
	ends_under_reader read memtest "$qemu"
	[ ! -e "$ram" ]
	report $? 'its RAM is gone'
	gb read memtest 0 16
	fails 3 "no guest named 'memtest' runs" 'glassbox ls'
	report $? 'who comes later is told that there is no such guest'
else
	skip 'memtest86+' "there is no $iso"
fi
nothing_left
report $? 'nothing is left'
end_of_tests
