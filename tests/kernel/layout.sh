#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Raw images whose RAM is split around the PCI hole, and images that were cut short: read rightly, or not without a word.
# usage: layout.sh MATRIX SPLIT-ROW ROW (GLASSBOX is the program)
set -u
work=$(mktemp -d) || exit 1
page=''
trap '[ -z "$page" ] || kill "$page"; rm -rf "$work"' EXIT
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/../program.sh"
. "$(dirname "$0")/frozen.sh"

frozen "$1" "$2"
split=$image
frozen "$1" "$3"
whole=$image

# The layout that QEMU gave, as info prints it.
python3 -c 'import json, sys
print([{"gpa": hex(e["gpa"]), "size": hex(e["len"]), "offset": hex(e["offset"])} for e in json.load(open(sys.argv[1]))["extents"]])' \
	"$split/layout.json" >"$work/layout"
gb info "$split/ram.img" --json
[ "$status" = 0 ] && json 'd["consistent"] and d["missing"] == 0' && json "d['layout'] == $(cat "$work/layout")"
report $? 'a split image: its layout is found'
gb frames "$split/ram.img" --json
[ "$status" = 0 ] && json 'd["classes"]["reserved"] < d["frames"] / 20 and d["classes"]["free"] > d["frames"] / 2'
report $? 'a split image: its frames have owners'
gb ps "$split/ram.img" --json
[ "$status" = 0 ] && json 'len(d["processes"]) > 30 and not any(p["torn"] for p in d["processes"])'
report $? 'a split image: its processes'
gb info "$split/ram.img" --split 2G --json
[ "$status" = 0 ] && json "d['layout'] == $(cat "$work/layout")"
report $? '--split as it is'
# Less or more than it is; more, and the file seems to be cut short.
for size in 1G 2560M 3G 4G; do
	for words in info 'read 0x1000000 64'; do
		# shellcheck disable=SC2086 # words
		gb ${words%% *} "$split/ram.img" ${words#"${words%% *}"} --split $size
		[ "$status" = 4 ] && [ ! -s "$work/out" ] &&
			grep -q 'split is wrong, or the image is cut short.*leave --split out, or say.*ends at 2048M there' "$work/err"
		report $? "--split $size, as it is not: $words"
	done
done
for word in 0 5G 1000 much; do
	gb info "$split/ram.img" --split "$word"
	[ "$status" = 2 ]
	report $? "--split $word is a usage error"
done

# serve WORDS...: the page of an image, and what it says, in $work/hello and $work/owners.
serve() {
	mkfifo "$work/fifo"
	"$g" view "$@" --json >"$work/fifo" 2>"$work/err" </dev/null &
	page=$!
	read -r line <"$work/fifo"
	printf '%s\n' "$line" >"$work/out"
	url=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["url"])' "$work/out")
	curl -sf "${url}api/owners" >"$work/owners" && curl -sf "${url}api/hello" >"$work/hello"
	served=$?
	kill "$page"
	wait "$page"
	page=''
	rm "$work/fifo"
	return "$served"
}
serve "$split/ram.img" && json 'd["consistent"]' &&
	json_of "$work/hello" "d['understood'] and d['layout'] == $(cat "$work/layout")" &&
	json_of "$work/owners" 'd["classes"]["reserved"] < sum(d["classes"].values()) / 20'
report $? 'the page of a split image'

# The same RAM with the hole in the file: nothing to split.
truncate -s 5G "$work/flat"
dd if="$split/ram.img" of="$work/flat" bs=1M count=2048 conv=sparse,notrunc status=none
dd if="$split/ram.img" of="$work/flat" bs=1M skip=2048 seek=4096 conv=sparse,notrunc status=none
gb ps "$work/flat" --json
[ "$status" = 0 ] && json 'len(d["processes"]) > 30 and d["how"] == "image"'
report $? 'an image with the hole in it'
gb info "$work/flat" --split 4G --json
[ "$status" = 0 ] && json 'd["how"] == "image" and sum(int(s["size"], 16) for s in d["layout"]) == 5 << 30'
report $? 'an image with the hole in it, with --split'
rm "$work/flat"

# As large as with the hole in it, and yet without: something stands behind the RAM.
cp --sparse=always "$split/ram.img" "$work/long"
truncate -s 5G "$work/long"
for verb in info ps frames; do
	gb $verb "$work/long"
	[ "$status" = 4 ] && grep -q 'cut short or damaged, or --split must say' "$work/err" && [ ! -s "$work/out" ]
	report $? "an image that is too long: $verb does not guess"
done
gb ps "$work/long" --split 2G --json
[ "$status" = 0 ] && json 'len(d["processes"]) > 30 and d["how"] == "image"'
report $? 'an image that is too long, with --split'
rm "$work/long"

cp --sparse=always "$split/ram.img" "$work/cut"
truncate -s 2560M "$work/cut"
for verb in info ps frames; do
	gb $verb "$work/cut"
	[ "$status" = 4 ] && grep -q 'cut short or damaged, or --split must say' "$work/err" && [ ! -s "$work/out" ]
	report $? "a split image that was cut short: $verb does not guess"
done
gb info "$work/cut" --split 2G --json
[ "$status" = 5 ] && json 'd["how"] == "incomplete" and d["missing"] == 512 << 20'
report $? 'a split image that was cut short, with --split'
# A little more is not what firmware keeps: the first task says so.
for size in 2049M 2560M 3G; do
	gb info "$work/cut" --split $size
	[ "$status" = 4 ] && grep -q 'split is wrong, or the image is cut short' "$work/err" && [ ! -s "$work/out" ]
	report $? "a split image that was cut short, with --split $size, as it is not"
done

# Where nothing proves where it lay, the bytes of the file can be looked at.
unplaced='unplaced: an address is the offset in the file: .*cut short or damaged, or --split must say'
gb read "$work/cut" 0x90000000 4096 --raw
[ "$status" = 5 ] && grep -q "$unplaced" "$work/err" && dd if="$work/cut" bs=4096 skip=$((0x90000)) count=1 status=none | cmp -s - "$work/out"
report $? 'an image that fits nothing: its bytes'
gb read "$work/cut" 0x90000000 16 --json
[ "$status" = 5 ] && json 'd["consistent"] is False and d["how"] == "unplaced" and d["length"] == 16'
report $? 'an image that fits nothing: its bytes, --json'
for words in '0xffffffff81000000 8' '0x400000 8 --pid 1'; do
	# shellcheck disable=SC2086 # words
	gb read "$work/cut" $words
	[ "$status" = 4 ] && grep -q 'cut short or damaged, or --split must say' "$work/err" && [ ! -s "$work/out" ]
	report $? "an image that fits nothing has no virtual memory: read $words"
done
serve "$work/cut" && json 'd["consistent"] is False and d["how"] == "unplaced"' && grep -q "view: $unplaced" "$work/err" &&
	json_of "$work/hello" 'not d["understood"] and "cut short or damaged" in d["reason"] and d["frames"] == 2560 << 8 and len(d["layout"]) == 1' &&
	json_of "$work/owners" 'd["classes"]["unknown"] == sum(d["classes"].values())'
report $? 'the page of an image that fits nothing'

# All that is left is what lay below the hole.
truncate -s 2G "$work/cut"
gb info "$work/cut" --split 2G --json
[ "$status" = 5 ] && json 'd["how"] == "incomplete" and d["missing"] == 1 << 30 and d["layout"] == [{"gpa": "0x0", "size": "0x80000000", "offset": "0x0"}]'
report $? 'a split image that was cut at the hole, with --split'
gb info "$work/cut" --split 3G
[ "$status" = 4 ] && grep -q 'split is wrong, or the image is cut short' "$work/err" && [ ! -s "$work/out" ]
report $? 'a split image that was cut at the hole, with --split as it is not'
serve "$work/cut" --split 2G && json 'd["how"] == "incomplete"' && json_of "$work/hello" 'd["understood"] and d["missing"] == 1 << 30'
report $? 'the page of a split image that was cut at the hole'

# A kernel without userspace: it panics where it would mount its root, and QEMU ends with that.
kernel=$("$(dirname "$1")/../tiny.sh")/bzImage || { echo "Bail out! there is no tiny kernel"; exit 1; }
timeout 120 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -accel tcg -machine q35,memory-backend=ram -m 3G \
	-object "memory-backend-file,id=ram,size=3G,mem-path=$work/rootless,share=on" -kernel "$kernel" \
	-append 'console=ttyS0 panic=-1 nokaslr no_timer_check' -serial "file:$work/out" 2>"$work/err" </dev/null &&
	grep -q 'Kernel panic.*Unable to mount root' "$work/out"
report $? 'a kernel without userspace panics'

# placed NAME: this image, in $work/rootless, is found to lie as it does, and with --split as it does.
placed() {
	for split in '' '--split 2G'; do
		# shellcheck disable=SC2086 # words
		gb info "$work/rootless" $split --json
		[ "$status" = 0 ] && json "d['how'] == 'image' and d['layout'] == $(cat "$work/layout")"
		report $? "$1: its layout${split:+, with $split}"
	done
	for size in 1G 2560M 3G 4G; do
		gb read "$work/rootless" 0x1000000 64 --split $size
		[ "$status" = 4 ] && [ ! -s "$work/out" ] && grep -q 'split is wrong, or the image is cut short.*ends at 2048M there' "$work/err"
		report $? "$1: --split $size, as it is not"
	done
}
placed 'a kernel without userspace'
gb ps "$work/rootless" --json
[ "$status" = 0 ] && json 'd["processes"][0]["pid"] == 1 and len(d["processes"]) > 5'
report $? 'a kernel without userspace: its threads'
truncate -s 5G "$work/flat"
dd if="$work/rootless" of="$work/flat" bs=1M count=2048 conv=sparse,notrunc status=none
dd if="$work/rootless" of="$work/flat" bs=1M skip=2048 seek=4096 conv=sparse,notrunc status=none
gb ps "$work/flat" --json
[ "$status" = 0 ] && json 'len(d["processes"]) > 5 and d["how"] == "image"'
report $? 'a kernel without userspace, in an image with the hole in it'
rm "$work/flat"

# The same with less evidence, as a kernel has it that has hardly started. (Without KASLR its variables lie low.)
for name in sym:init_task type:task_struct sym:max_low_pfn_mapped; do
	gb "${name%:*}" "$work/rootless" "${name#*:}" --json
	mv "$work/out" "$work/${name#*:}"
done
# poke FILE VALUE...: numbers of 8 bytes that are written over the symbol of that answer.
poke() {
	python3 - "$work" "$@" <<'PY'
import json, struct, sys
work, name, *values = sys.argv[1:]
symbol, task = (json.load(open(f'{work}/{file}')) for file in (name, 'task_struct'))
symbol = symbol['symbols'][0]
at = next(m['offset'] for m in task['members'] if m['name'] == 'tasks') if name == 'init_task' else 0
values = [int(symbol['address'], 16) + at if value == 'itself' else int(value) for value in values]
with open(f'{work}/rootless', 'r+b') as ram:
    ram.seek(int(symbol['gpa'], 16) + at)
    ram.write(struct.pack(f'<{len(values)}Q', *values))
PY
}
poke init_task itself itself
placed 'a kernel without tasks'
poke max_low_pfn_mapped 0
unproved='nothing in it proves where this image of 3072 MiB lay; --split must say'
gb info "$work/rootless"
[ "$status" = 4 ] && [ ! -s "$work/out" ] && grep -q "$unproved" "$work/err"
report $? 'a kernel that cannot tell: info does not guess'
gb read "$work/rootless" 0x1000000 64 --json
[ "$status" = 5 ] && json 'd["how"] == "unplaced"'
report $? 'a kernel that cannot tell: the bytes of the file'
for words in info 'read 0x120000000 64' 'walk 0xffffffff81000000'; do
	# shellcheck disable=SC2086 # words
	gb ${words%% *} "$work/rootless" ${words#"${words%% *}"} --split 2G --json
	[ "$status" = 5 ] && json 'd["consistent"] is False and d["how"] == "unproved"' &&
		grep -q 'unproved: RAM is read as --split says' "$work/err"
	report $? "a kernel that cannot tell, with --split: $words"
done
serve "$work/rootless" --split 2G && json 'd["consistent"] is False and d["how"] == "unproved"' &&
	json_of "$work/hello" "not d['understood'] and 'unproved' in d['reason'] and d['layout'] == $(cat "$work/layout")"
report $? 'the page of an image that its kernel cannot tell of'
rm "$work/rootless"

cp --sparse=always "$whole/ram.img" "$work/cut"
for size in 90 64 40; do
	truncate -s "${size}M" "$work/cut"
	for words in info ps symbols 'sym init_task' 'type list_head' frames 'read 0x1000000 64' 'walk 0xffffffff81000000'; do
		verb=${words%% *}
		# shellcheck disable=SC2086 # words
		gb $verb "$work/cut" ${words#"$verb"}
		[ "$status" = 5 ] && grep -q "incomplete: the image ends at $size MiB.*cut short" "$work/err" && [ -s "$work/out" ]
		report $? "cut to $size MiB: $words"
		# shellcheck disable=SC2086
		gb $verb "$work/cut" ${words#"$verb"} --json
		[ "$status" = 5 ] && json 'd["consistent"] is False and d["how"] == "incomplete"'
		report $? "cut to $size MiB: $words --json"
	done
	gb info "$work/cut" --json
	json "($size << 20) + d['missing'] in range(95 << 20, (96 << 20) + 1)"
	report $? "cut to $size MiB: how much is missing"
done
serve "$work/cut" && json 'd["consistent"] is False and d["how"] == "incomplete"' && grep -q 'incomplete: the image ends at 40 MiB' "$work/err" &&
	json_of "$work/hello" 'd["missing"] >= 55 << 20'
report $? 'the page of an image that was cut short'
end_of_tests
