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
grep -q '^  state      prelaunch$' "$work/out"
report $? "it tells QEMU's state"
gb ls
grep -q '^fd .*(attached)$' "$work/out"
report $? 'ls says that it is not ours'
gb attach "$qemu" --name twice --detach
[ "$status" = 0 ] && [ "$(field twice qemu_pid)" = "$qemu" ]
report $? 'by its pid, found on its command line'
gb attach "$qemu" --name thrice --detach --json
[ "$status" = 0 ] && grep -q '"name":"thrice","state":"prelaunch"' "$work/out"
report $? 'JSON tells the state, too'
gb stop thrice
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

# What 'info registers' says is read, of CPUs at reset and of one that runs a kernel with four or five levels of page tables.
registers() { "$REGISTERS" "$1" >"$work/out" 2>"$work/err"; }
# shellcheck disable=SC2086
qemu reset -qmp "unix:$work/reset.sock,server=on,wait=off" $shared,size=64M -m 64M -smp 2
registers "$work/reset.sock" && [ "$(cat "$work/out")" = "$(printf '0 fff0 60000010 0 0\n1 fff0 60000010 0 0')" ]
report $? 'the registers of two CPUs at reset'
kill "$qemu"
for levels in 4 5; do
	model=qemu64
	[ $levels = 4 ] || model=qemu64,+la57
	gb run debian --kernel "$(sh "$(dirname "$0")/../../guest/debian.sh" 2>"$work/err")/bzImage" --cpu $model --accel tcg --detach --no-view --name paged
	up=$status
	"$g" info paged --json >"$work/info"
	registers "$root/paged/qmp.sock"
	read -r cpu rip cr0 cr3 cr4 rest <"$work/out"
	# Paging is on (CR0 bit 31), with PAE (CR4 bit 5), and CR4 bit 12 tells five levels.
	[ "$up" = 0 ] && [ "$cpu" = 0 ] && [ "$rip" != 0 ] && [ $((0x$cr0 >> 31 & 1)) = 1 ] && [ $((0x$cr4 >> 5 & 1)) = 1 ] && [ "$cr3" != 0 ] &&
		[ $((4 + (0x$cr4 >> 12 & 1))) = "$levels" ] && grep -q "\"paging_levels\":$levels," "$work/info" && [ -z "$rest" ]
	report $? "the registers of a CPU with $levels levels, as many as were found in RAM"
	gb stop paged
done

truncate -s 64M "$work/ram"
# shellcheck disable=SC2086
(cd "$work" && exec qemu-system-x86_64 -name relative -nodefaults -display none -S -qmp unix:relative.sock,server=on,wait=off -machine \
	pc-q35-10.0,memory-backend=mem -object "memory-backend-file,id=mem,size=64M,mem-path=$work/ram,share=on" -m 64M) &
qemu=$!
qemus="$qemus $qemu"
eventually [ -S "$work/relative.sock" ]
gb attach "$qemu" --name file --detach
[ "$status" = 0 ] && [ "$(stat -Lc %i "$(json_of "$root/file/vm.json" 'd["ram_path"]')")" = "$(stat -c %i "$work/ram")" ]
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
fails 77 private share=on
report $? 'private RAM and no monitor'
kill "$qemu"

# As libvirt starts a domain with <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>.
# What it is to be told then, over its monitor, is in $hmp.
hmp=
libvirt() { # NAME MIB WORDS...
	mkdir "$work/$1"
	domain=$1 mib=$2
	shift 2
	HMP=$hmp python3 "$(dirname "$0")/libvirtd.py" "$work/$domain" qemu-system-x86_64 -name "guest=$domain,debug-threads=on" -S -object \
		'{"qom-type":"secret","id":"masterKey0","format":"base64","data":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}' \
		-machine pc-q35-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram -accel tcg -cpu qemu64 -m "size=$((mib * 1024))k" -object \
		"{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\",\"share\":true,\"x-use-canonical-path-for-ramblock-id\":false,\"size\":$((mib << 20))}" \
		-overcommit mem-lock=off -smp 1,sockets=1,cores=1,threads=1 -uuid 3f1a1b9e-3d3b-4c1c-9b1c-0a5b1c2d3e4f -display none -no-user-config \
		-nodefaults -chardev socket,id=charmonitor,fd=@FD@,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control \
		-rtc base=utc -no-shutdown -boot strict=on "$@" 2>"$work/qemu.err" &
	libvirtd=$!
	eventually [ -s "$work/$domain/pid" ] || return 1
	qemu=$(cat "$work/$domain/pid")
	qemus="$qemus $qemu"
}
understood() { "$g" info "$1" --json >"$work/out" 2>"$work/err" && grep -q glassbox "$work/out"; }

here=$(cd "$(dirname "$0")/../.." && pwd)
if kernel=$("$here/guest/tiny.sh" 2>"$work/err") && userland=$("$here/guest/initramfs.sh" 2>>"$work/err"); then
	libvirt domain 64 -kernel "$kernel/vmlinux" -initrd "$userland/initramfs.cpio" -append 'glassbox.net=no glassbox.services=no'
	gb attach "$qemu" --detach --no-view --json
	[ "$status" = 0 ] && grep -q '"name":"domain","state":"unknown".*"machine":"pc-q35-7.2","accel":"tcg","memory":67108864,"cpus":1,"attached":true' "$work/out"
	report $? "libvirt's, whose monitor libvirt keeps"
	grep -q '"layout":\[{"gpa":"0x0","size":"0x4000000","offset":"0x0"}\]' "$root/domain/vm.json"
	report $? 'its RAM lies where its machine has it'
	eventually understood domain
	report $? 'its kernel is understood'
	gb ls
	grep -q '^domain  *unknown .*(attached)$' "$work/out"
	report $? 'ls does not know its state, and says so'
	gb pause domain
	fails 1 'another program holds the only monitor' 'virsh suspend'
	report $? 'pause says who can do that'
	gb stop domain
	[ "$status" = 0 ] && kill -0 "$qemu"
	report $? 'stop lets go of it'
	kill "$qemu"
	wait "$libvirtd"
else
	for name in "libvirt's, whose monitor libvirt keeps" 'its RAM lies where its machine has it' 'its kernel is understood' \
		'ls does not know its state, and says so' 'pause says who can do that' 'stop lets go of it'; do
		skip "$name" 'the tiny guest cannot be made here'
	done
fi
# What is taken for granted of RAM below 0xb0000000 is so.
for machine in pc-q35-10.0 pc-q35-7.2 pc-i440fx-10.0 pc-i440fx-7.2 microvm; do
	qemu whole -qmp "unix:$work/whole.sock,server=on,wait=off" -machine "$machine,memory-backend=mem" -m 2814M \
		-object memory-backend-memfd,id=mem,share=on,size=2814M
	gb attach "$work/whole.sock" --name whole --detach --no-view
	[ "$status" = 0 ] && grep -q '"layout":\[{"gpa":"0x0","size":"0xafe00000","offset":"0x0"}\]' "$root/whole/vm.json"
	report $? "$machine has 2814 MiB in one piece"
	gb stop whole
	kill "$qemu"
	wait "$qemu"
	rm -f "$work/whole.sock"
done
libvirt split 3072
gb attach "$qemu"
fails 77 '3072 MiB' pc-q35-7.2 'around the PCI hole' "<qemu:arg value='-qmp'/>" 'virsh edit'
report $? 'RAM on both sides of the PCI hole is not guessed: the message says what to add'
kill "$qemu"
wait "$libvirtd"
libvirt second 3072 -qmp "unix:$work/second.sock,server=on,wait=off"
gb attach "$qemu" --detach --no-view
[ "$status" = 0 ] && [ "$(state second)" = running ] && grep -q '"gpa":"0x100000000"' "$root/second/vm.json"
report $? 'with that, it is attached to'
gb stop second
kill "$qemu"
wait "$libvirtd"

# Memory that is plugged in while QEMU runs is not on its command line.
growing="-m slots=2,maxmem=1G"
plugged='object_add memory-backend-memfd,id=dimm,size=128M,share=on
device_add pc-dimm,memdev=dimm'
hmp=$plugged
# shellcheck disable=SC2086
libvirt plugged 64 $growing
gb attach "$qemu"
fails 77 'memory can be plugged into this QEMU' 'only a monitor tells' "<qemu:arg value='-qmp'/>" 'start it without slots and maxmem'
report $? 'a memory module that was plugged in, and no monitor: refused, because nobody can tell'
kill "$qemu"
wait "$libvirtd"
# shellcheck disable=SC2086
libvirt counted 64 $growing -qmp "unix:$work/counted.sock,server=on,wait=off"
gb attach "$qemu"
fails 77 '2 RAM backends' 'memory modules' 'not supported yet' 'all its RAM with -m'
report $? 'with a monitor, it is seen: the message says that modules are not supported'
kill "$qemu"
wait "$libvirtd"
hmp=
# shellcheck disable=SC2086
libvirt empty 64 $growing -qmp "unix:$work/empty.sock,server=on,wait=off"
gb attach "$qemu" --detach --no-view
[ "$status" = 0 ] && [ "$(field empty memory)" = 67108864 ]
report $? 'none plugged in, and a monitor that says so: it is attached to'
gb stop empty
kill "$qemu"
wait "$libvirtd"
libvirt fixed 64 -m slots=0,maxmem=64M
gb attach "$qemu" --detach --no-view
[ "$status" = 0 ] && [ "$(field fixed memory)" = 67108864 ]
report $? 'a maxmem that is the size leaves no room for more'
gb stop fixed
kill "$qemu"
wait "$libvirtd"
libvirt module 64 -m slots=2,maxmem=1G -object memory-backend-memfd,id=dimm,size=128M,share=on -device pc-dimm,memdev=dimm
gb attach "$qemu"
fails 77 'pc-dimm' 'not supported yet' 'all its RAM with -m' && ! grep -q -e -qmp "$work/err"
report $? 'a memory module from the start: no advice to add a monitor, which would not help'
kill "$qemu"
wait "$libvirtd"
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
elif [ "$(stat -c %u /proc/1)" != "$(id -u)" ]; then
	gb attach 1
	fails 77 'belongs to another user'
	report $? "another user's process"
else
	skip "another user's QEMU" 'all processes are of one user, or there is no setpriv'
fi
nothing_left
report $? 'nothing is left'
end_of_tests
