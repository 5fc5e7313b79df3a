#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# shellcheck disable=SC2154 # work, root, g and status come from lib.sh
# glassbox attach: on QEMUs that the test starts itself, as others would.
. "$(dirname "$0")/lib.sh"
qemus=

end_qemus() {
	for pid in $qemus; do
		kill "$pid" 2>/dev/null
	done
	finish
}
trap end_qemus EXIT

# qemu NAME WORDS...: in the background, its pid in $qemu, until it listens on $work/NAME.sock (if it is told to).
qemu() {
	name=$1
	shift
	qemu-system-x86_64 -name "$name" -nodefaults -display none -S "$@" 2>"$work/qemu.err" &
	qemu=$!
	qemus="$qemus $qemu"
	eventually [ -S "$work/$name.sock" ] || return 1
}

monitor="-chardev socket,id=other,path=$work/other.sock,server=on,wait=off -chardev"
shared="-machine pc-q35-10.0,memory-backend=mem -object memory-backend-memfd,id=mem,share=on"

# shellcheck disable=SC2086 # lists of words
qemu fd $monitor "socket,id=mon,path=$work/fd.sock,server=on,wait=off" -mon chardev=mon,mode=control $shared,size=64M -m 64M
gb attach "$work/fd.sock" --detach
[ "$status" = 0 ] && [ "$(state fd)" = prelaunch ] && [ "$(field fd qemu_pid)" = "$qemu" ] && [ "$(field fd memory)" = 67108864 ]
report $? 'by its QMP socket'
gb ls
grep -q '^fd .*(attached)$' "$work/out"
report $? 'ls says that it is not ours'
gb attach "$qemu" --name twice --detach
[ "$status" = 0 ] && [ "$(field twice qemu_pid)" = "$qemu" ]
report $? 'by its pid, found on its command line'
gb attach "$qemu" --name twice
fails 1 "a guest named 'twice' runs already"
report $? 'a name in use'
gb resume twice
[ "$status" = 0 ] && [ "$(state fd)" = running ]
report $? 'resume reaches it'
gb stop twice
[ "$status" = 0 ] && kill -0 "$qemu" && [ "$(state fd)" = running ] && [ -z "$(state twice)" ]
report $? 'stop lets go of it and leaves it alone'
kill "$qemu"
wait "$qemu"
eventually nothing_left
report $? 'its entry vanishes when QEMU ends'

# shellcheck disable=SC2086
qemu big -qmp "unix:$work/big.sock,server=on,wait=off" $shared,size=4G -m 4G
gb attach "$qemu" --detach
grep -q '"layout":\[{"gpa":"0x0","size":"0x80000000","offset":"0x0"},{"gpa":"0x100000000","size":"0x80000000","offset":"0x80000000"}\]' \
	"$root/big/vm.json"
report $? 'RAM on both sides of the PCI hole'
# A supervisor that is killed does not take the guest with it.
crashed=$(supervisor big)
kill -9 "$crashed"
eventually gone "$crashed"
gb attach "$qemu" --detach
[ "$status" = 0 ] && kill -0 "$qemu" && [ "$(state big)" = prelaunch ]
report $? 'after a crash of ours it can be attached to again'
gb stop big
kill "$qemu"

truncate -s 64M "$work/ram"
# shellcheck disable=SC2086
(cd "$work" && exec qemu-system-x86_64 -name relative -nodefaults -display none -S -qmp unix:relative.sock,server=on,wait=off -machine \
	pc-q35-10.0,memory-backend=mem -object "memory-backend-file,id=mem,size=64M,mem-path=$work/ram,share=on" -m 64M) &
qemu=$!
qemus="$qemus $qemu"
eventually [ -S "$work/relative.sock" ]
gb attach "$qemu" --name file --detach
[ "$status" = 0 ] && [ "$(stat -Lc %i "$(sed -n 's/.*"ram_path":"\([^"]*\)".*/\1/p' "$root/file/vm.json")")" = "$(stat -c %i "$work/ram")" ]
report $? 'a RAM file, and a socket named relative to the directory of QEMU'
gb stop file
kill "$qemu"

# What cannot be.
gb attach "$$"
fails 1 "process $$ is no QEMU"
report $? 'a process that is no QEMU'
gb attach 999999999
fails 3 'there is no process'
report $? 'a process that is not there'
gb attach "$work/none.sock"
fails 3 'no such socket'
report $? 'a socket that is not there'
qemu private -qmp "unix:$work/private.sock,server=on,wait=off" -machine pc-q35-10.0 -m 64M
gb attach "$qemu"
fails 77 'private' 'share=on' memory-backend-memfd "access mode='shared'"
report $? 'RAM without a backend is refused, with the option to add'
kill "$qemu"
qemu closed -qmp "unix:$work/closed.sock,server=on,wait=off" -machine pc-q35-10.0,memory-backend=mem -object \
	memory-backend-file,id=mem,size=64M,mem-path="$work/ram",share=off -m 64M
gb attach "$work/closed.sock"
fails 77 'private' 'share=on'
report $? 'RAM with share=off is refused'
# Somebody else holds the monitor: we wait our turn, then say so.
qemu-system-x86_64 -nodefaults -display none -S -machine none -chardev "socket,id=held,path=$work/closed.sock" -mon chardev=held \
	-pidfile "$work/holder.pid" &
holder=$!
eventually [ -s "$work/holder.pid" ]
gb attach "$work/closed.sock"
fails 1 'another client uses it'
report $? 'a monitor in use'
kill "$holder"
kill "$qemu"
qemu-system-x86_64 -nodefaults -display none -S -m 64M -pidfile "$work/pid" &
qemu=$!
qemus="$qemus $qemu"
eventually [ -s "$work/pid" ]
gb attach "$qemu"
fails 77 'has no monitor' '-qmp'
report $? 'no monitor'
kill "$qemu"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	# shellcheck disable=SC2086
	qemu root -qmp "unix:$work/root.sock,server=on,wait=off" $shared,size=64M -m 64M
	chmod 755 "$work"
	mkdir -m 700 "$work/nobody"
	chown 65534 "$work/nobody"
	status=0
	XDG_RUNTIME_DIR="$work/nobody" setpriv --reuid 65534 --regid 65534 --clear-groups "$g" attach "$qemu" >"$work/out" 2>"$work/err" || status=$?
	fails 77 'belongs to another user'
	report $? "another user's QEMU"
	kill "$qemu"
else
	skip "another user's QEMU" 'this test is not run by root'
fi
nothing_left
report $? 'nothing is left'
end_of_tests
