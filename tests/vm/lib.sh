# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# What the tests of running guests share: waiting for events, and the check that nothing is left. To be sourced.
# shellcheck shell=sh
set -u
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/../program.sh"
work=$(mktemp -d /dev/shm/glassbox-test.XXXXXX) || exit 1
export XDG_RUNTIME_DIR="$work/run"
mkdir -m 700 "$XDG_RUNTIME_DIR"
root=$XDG_RUNTIME_DIR/glassbox
mkfifo "$work/fifo"

# Guests of this test that still run are ended, whatever happened.
finish() {
	for dir in "$root"/*/; do
		[ ! -d "$dir" ] || "$g" stop "$(basename "$dir")" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

on_failure() {
	[ ! -d "$root" ] || find "$root" | sed 's/^/# there: /'
	still_running | sed 's/^/# runs: /'
}

# fails STATUS WORDS WORDS...: the last gb ended so, and said so.
fails() {
	[ "$status" = "$1" ] || return 1
	shift
	for words; do
		grep -qF -- "$words" "$work/err" || return 1
	done
}

# eventually COMMAND...: true as soon as the command is, within 60 s.
eventually() {
	end=$(($(date +%s) + 60))
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# start WORDS...: glassbox run WORDS in the background, its pid in $run; returns when it says that the guest is up.
start() {
	timeout -k 5 180 "$g" run "$@" >"$work/fifo" 2>"$work/err" </dev/null &
	run=$!
	exec 4<"$work/fifo"
	: >"$work/out"
	while read -r line <&4; do
		printf '%s\n' "$line" >>"$work/out"
		case $line in *'ends it.'*) return 0 ;; esac
	done
	exec 4<&-
	return 1
}

# ended: waits for what start() started; its exit status is in $status.
ended() {
	status=0
	wait "$run" || status=$?
	exec 4<&-
}

# field NAME KEY: what ls --json says of a guest; nothing if it says nothing.
field() { "$g" ls --json | json_of /dev/stdin "next((v['$2'] for v in d['vms'] if v['name'] == '$1' and v['$2'] is not None), '')"; }
state() { field "$1" state; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# stands_still: $reader was stopped by a signal before it gave its answer; else it is ended.
stands_still() {
	eventually grep -qs '^State:[[:space:]]*T' "/proc/$reader/status" && [ ! -s "$work/out" ] && return
	kill -KILL "$reader" 2>/dev/null
	wait "$reader"
	return 1
}

# ends_under_reader VERB NAME QEMU: what stands still is let go on when the guest has ended, and says so.
ends_under_reader() {
	kill -KILL "$3"
	removed() { gone "$1" && [ ! -d "$root/$2" ]; }
	eventually removed "$3" "$2"
	report $? 'QEMU is killed meanwhile, and all of it removed'
	kill -CONT "$reader"
	status=0
	wait "$reader" || status=$?
	fails 1 "glassbox $1: '$2' has ended, and its RAM went with it: start it again" && [ ! -s "$work/out" ]
	report $? "$1 says so, with status 1, and passes off nothing as an answer"
}

# The supervisor is below timeout(1), so that signals for it go there.
supervisor() { field "$1" supervisor_pid; }

# Processes of the test that still run: QEMUs with our directory in their words, and glassboxes with it in their environment.
still_running() {
	for process in /proc/[0-9]*; do
		case $(cat "$process/comm" 2>/dev/null) in
		qemu-*) grep -qsF "$root/" "$process/cmdline" && echo "${process#/proc/}" ;;
		glassbox) tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qxF "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR" && echo "${process#/proc/}" ;;
		esac
	done 2>/dev/null
}

# No process, no file and no RAM of the test is left.
nothing_left() {
	[ -z "$(ls -A "$root" 2>/dev/null)" ] && [ -z "$(still_running)" ]
}
