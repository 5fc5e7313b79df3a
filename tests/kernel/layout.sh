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
gb info "$split/ram.img" --split 1G
[ "$status" = 4 ] && [ ! -s "$work/out" ]
report $? '--split as it is not'
for word in 0 3G 1000 much; do
	gb info "$split/ram.img" --split "$word"
	[ "$status" = 2 ]
	report $? "--split $word is a usage error"
done

# serve IMAGE: its page, and what it says, in $work/hello and $work/owners.
serve() {
	mkfifo "$work/fifo"
	"$g" view "$1" --json >"$work/fifo" 2>"$work/err" </dev/null &
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
rm "$work/flat"

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
