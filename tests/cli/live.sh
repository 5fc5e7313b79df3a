#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# shellcheck disable=SC2154 # work, root, g and status come from lib.sh
# How consistent an answer about a running guest is: what is stamped paused stood still, what is stamped verified was
# read twice, and the rest is torn. And the names that a shell completes. usage: live.sh FLIP (tests/kernel/flip.c)
. "$(dirname "$0")/../vm/lib.sh"
flip=$1
helpers=''
end_helpers() {
	for pid in $helpers; do
		kill "$pid" 2>/dev/null
	done
	finish
}
trap end_helpers EXIT

# stamped HOW: the status and the document of the last gb agree, and say this.
stamped() {
	json "d['how'] == '$1' and d['consistent'] is ('$1' != 'torn')" && [ "$status" = "$([ "$1" = torn ] && echo 5 || echo 0)" ]
}
once() { gb "$@" --json && stamped verified; }
torn_once() { gb "$@" --json && [ "$status" = 5 ]; }

gb run tiny --name moving --detach --no-view
[ "$status" = 0 ]
report $? 'a guest runs'
text=$("$g" sym moving _text --json 2>"$work/err" | json_of /dev/stdin 'd["symbols"][0]["address"]')
for words in info symbols 'sym init_task' 'type list_head' "read $text 64" "walk $text"; do
	verb=${words%% *}
	# shellcheck disable=SC2086 # words
	gb $verb moving ${words#"$verb"} --json
	stamped verified
	report $? "$verb --json of a guest that runs is verified"
	# shellcheck disable=SC2086
	gb $verb moving ${words#"$verb"}
	[ "$status" = 0 ] && [ "$(cat "$work/err")" = "glassbox $verb: verified: it was the same when read again" ]
	report $? "$verb of a guest that runs says so on standard error"
done
for words in ps 'maps 1' frames; do
	# shellcheck disable=SC2086
	eventually once ${words%% *} moving ${words#"${words%% *}"}
	report $? "${words%% *} of a guest that runs is verified, sooner or later"
done
"$g" ssh moving -- sh -c '"while :; do dd if=/dev/zero of=/tmp/f bs=64k count=64; rm /tmp/f; done 2>/dev/null"' >/dev/null 2>&1 &
helpers="$helpers $!"
eventually torn_once frames moving && stamped torn && json 'd["moved"] > 0' && grep -q 'torn: .*pause the guest' "$work/err"
report $? 'frames that change hands are torn: status 5, one document'

# The kernel itself does not change; the test changes it.
"$g" sym moving linux_banner --json >"$work/out" 2>"$work/err"
at=$(json 'int(d["symbols"][0]["gpa"], 16) + 40')
"$flip" "$root/moving/ram" "$at" 7 &
helpers="$helpers $!" flipper=$!
eventually torn_once info moving && stamped torn && json '"banner" in d["kernel"]' && grep -q 'torn: the kernel was another' "$work/err"
report $? 'a kernel that is another one each time is torn: status 5, one document'
kill "$flipper"

gb pause moving
for words in info symbols 'sym init_task' 'type list_head' "read $text 64" "walk $text" ps 'maps 1' frames; do
	verb=${words%% *}
	# shellcheck disable=SC2086
	gb $verb moving ${words#"$verb"} --json
	stamped paused
	report $? "$verb --json of a paused guest"
done
gb ps moving
[ "$(cat "$work/err")" = 'glassbox ps: read while the guest was paused' ]
report $? 'ps of a paused guest says so on standard error'

# A monitor that says "paused" to the first who asks, and "running" to all others, as if somebody resumed it in between. It can
# stop the one who has asked so often, as soon as that has worked for a millisecond more. usage: monitor.py SOCKET [COUNT]
cat >"$work/monitor.py" <<'PY'
import json, os, signal, socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
last = int(sys.argv[2]) if len(sys.argv) > 2 else 0
asked = 0

def worked(pid):
    return int(open(f'/proc/{pid}/schedstat').read().split()[0])

while not last or asked < last:
    client, _ = server.accept()
    pid = struct.unpack('3i', client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    lines = client.makefile('rw')
    print(json.dumps({'QMP': {'version': {}, 'capabilities': []}}), file=lines, flush=True)
    for line in lines:
        request = json.loads(line)
        answer = {}
        if request['execute'] == 'query-status':
            answer = {'status': 'running' if asked else 'paused', 'running': asked > 0}
            asked += 1
            before = worked(pid)
        print(json.dumps({'return': answer, 'id': request.get('id')}), file=lines, flush=True)
try:
    while worked(pid) < before + 1000000:
        pass
    os.kill(pid, signal.SIGSTOP)
except OSError:
    sys.exit('it was faster')
PY
# monitor NAME [COUNT]: in the place of a guest's own one, in $monitor.
monitor() {
	rm -f "$work/mon"
	python3 "$work/monitor.py" "$work/mon" ${2:+"$2"} &
	monitor=$!
	helpers="$helpers $monitor"
	eventually [ -S "$work/mon" ]
	sed "s,\"qmp_path\":\"[^\"]*\",\"qmp_path\":\"$work/mon\"," "$work/vm.json" >"$root/$1/vm.json"
}
cp "$root/moving/vm.json" "$work/vm.json"
for words in info symbols 'sym init_task' 'type list_head' "read $text 64" "walk $text" ps 'maps 1' frames; do
	verb=${words%% *}
	monitor moving
	# shellcheck disable=SC2086
	gb $verb moving ${words#"$verb"} --json
	stamped verified
	report $? "$verb --json of a guest that is resumed while it is read is not stamped paused"
	kill "$monitor"
	wait "$monitor" 2>/dev/null
done
cp "$work/vm.json" "$root/moving/vm.json"

gb ls --names
[ "$status" = 0 ] && [ "$(cat "$work/out")" = moving ] && [ ! -s "$work/err" ]
report $? 'ls --names'
mkdir "$work/bin" "$work/empty"
ln -s "$g" "$work/bin/glassbox"
completions=$(readlink -f "$(dirname "$0")/../../completions")
# shellcheck disable=SC2016 # for bash
(cd "$work/empty" && PATH=$work/bin:$PATH exec bash --norc --noprofile -c '. "$0"; COMP_WORDS=(glassbox info mo) COMP_CWORD=2
	_glassbox; printf "%s\n" "${COMPREPLY[@]}"' "$completions/glassbox.bash") >"$work/out" 2>"$work/err"
[ "$(cat "$work/out")" = moving ] && [ ! -s "$work/err" ]
report $? 'bash completes its name'
gb info moving --split 2G
fails 2 '--split is for images'
report $? 'the layout of a running guest is not for the user to say'
gb stop moving

# A guest that dies while it is read, be it for the second time: what was read is not passed off as an answer. It has so much RAM
# that reading takes a while.
# stopped VERB COUNT: in the background, stopped by a signal after it has asked so often, its answer not yet given.
stopped() {
	monitor dying "$2"
	"$g" "$1" dying >"$work/out" 2>"$work/err" </dev/null &
	reader=$!
	helpers="$helpers $reader"
	wait "$monitor"
	stands_still
}
for words in 'ps 1' 'info 1' 'info 2' 'frames 1' 'frames 2'; do
	verb=${words% *}
	gb run tiny --name dying --mem 2G --detach --no-view
	qemu=$(field dying qemu_pid)
	cp "$root/dying/vm.json" "$work/vm.json"
	eventually stopped "$verb" "${words#* }"
	report $? "$verb is stopped while it reads for time ${words#* }"
	ends_under_reader "$verb" dying "$qemu"
done
nothing_left
report $? 'nothing is left'
end_of_tests
