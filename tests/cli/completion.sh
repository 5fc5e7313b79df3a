#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The completion scripts: that of bash as a shell runs it, the others as far as their shells are here. Names of guests
# that run are in live.sh.
set -u
completions=$(readlink -f "$(dirname "$0")/../../completions")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/../tap.sh"
mkdir -m 700 "$work/bin" "$work/run" "$work/files"
ln -s "$(readlink -f "$GLASSBOX")" "$work/bin/glassbox"
PATH=$work/bin:$PATH
export PATH XDG_RUNTIME_DIR="$work/run"

# completes WORD...: what TAB behind the last word offers, sorted, in $work/out; nothing may be written to the terminal.
completes() {
	# shellcheck disable=SC2016 # for bash
	(cd "$work/files" && bash --norc --noprofile -c '. "$0"; COMP_WORDS=(glassbox "$@") COMP_CWORD=$#; _glassbox; printf "%s\n" "${COMPREPLY[@]}"' \
		"$completions/glassbox.bash" "$@") 2>"$work/err" | sort >"$work/out"
	[ ! -s "$work/err" ]
}

completes '' && [ "$(cat "$work/out")" = "$(glassbox help --complete | cut -f1 | sort)" ] && grep -qx walk "$work/out"
report $? 'bash: all commands'
completes sy && [ "$(cat "$work/out")" = 'sym
symbols' ]
report $? 'bash: commands that begin so'
completes frames -- && [ "$(cat "$work/out")" = "$(glassbox help --complete frames | cut -f1 | sort)" ] && grep -qx -- --csv "$work/out"
report $? 'bash: all options of a command'
completes run --na && [ "$(cat "$work/out")" = --name ]
report $? 'bash: options that begin so'
completes no-such-command -- && [ "$(cat "$work/out")" = '' ]
report $? 'bash: no options of no command'
completes info '' && [ "$(cat "$work/out")" = '' ]
report $? 'bash: no guests and no files'
: >"$work/files/ram.img"
: >"$work/files/my ram.img"
completes info '' && [ "$(cat "$work/out")" = 'my ram.img
ram.img' ]
report $? 'bash: files'
[ -z "$(glassbox ls --names 2>&1)" ]
report $? 'ls --names is silent when there is none'
for shell in zsh fish; do
	file=$completions/_glassbox
	[ "$shell" = zsh ] || file=$completions/glassbox.fish
	if command -v "$shell" >/dev/null; then
		"$shell" -n "$file" 2>"$work/err"
		report $? "$shell: it can be read"
	else
		skip "$shell: it can be read" "there is no $shell"
	fi
done
end_of_tests
