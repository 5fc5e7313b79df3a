#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# shellcheck disable=SC2154 # work, root, g and status come from lib.sh
# Running guests where something is wrong: each time a message that says what to do, the exit status that the manual
# promises, and nothing left behind.
. "$(dirname "$0")/lib.sh"

starting() { [ -n "$(field "$1" qemu_pid)" ] && [ "$(field "$1" qemu_pid)" != 0 ]; }

# Words that cannot be.
gb run --name ../x
fails 2 "'../x' is no name for a guest"
report $? 'an invalid name'
gb run --name ''
fails 2 'is no name for a guest'
report $? 'an empty name'
gb run tiny --machine vax
fails 2 "there is no machine 'vax'" q35
report $? 'an unknown machine'
gb run tiny --accel hvf
fails 2 "no accelerator 'hvf'"
report $? 'an unknown accelerator'
gb run tiny --mem 100
fails 2 '--mem must be'
report $? 'too little memory'
gb run tiny --forward 80
fails 2 'HOSTPORT:GUESTPORT'
report $? 'a forward that is none'
gb run nosuchguest
fails 3 nosuchguest 'no built-in guest'
report $? 'an unknown guest'
gb run tiny --kernel "$work/none"
fails 3 '--kernel' 'no such file'
report $? 'a kernel that is not there'
gb run tiny --cpu no-such-model
fails 1 'no-such-model'
report $? 'a CPU model that QEMU does not know'
head -c 100000 /dev/urandom >"$work/garbage"
gb run "$work/garbage"
fails 1 'is no disk that a PC boots from' qemu-img
report $? 'a disk of garbage'
gb run --kernel "$work/garbage"
fails 1 'QEMU did not start'
report $? 'a kernel of garbage'
printf 'QFI\373 and nothing more' >"$work/cut.qcow2"
gb run "$work/cut.qcow2"
fails 1 'header is cut short'
report $? 'a cut qcow2 image'
# QFI, version 3, a backing file's name at 104, 13 bytes of it
{
	printf 'QFI\373\0\0\0\3\0\0\0\0\0\0\0\150\0\0\0\15'
	head -c 84 /dev/zero
	printf '/etc/hostname'
} >"$work/backed.qcow2"
gb run "$work/backed.qcow2"
fails 1 'names another file' 'qemu-img convert'
report $? 'a qcow2 image that its guest gave a backing file of the host'
mkdir -m 700 "$root/mine"
: >"$root/mine/notes"
gb run tiny --kernel "$work/none"
[ -f "$root/mine/notes" ]
report $? 'a directory that is none of ours is left alone'
rm -r "$root/mine"
nothing_left
report $? 'nothing is left of these'

# Machines that lack something.
mkdir "$work/bin"
for tool in sh cat timeout bsdtar ssh-keygen; do
	ln -s "$(command -v $tool)" "$work/bin/$tool"
done
status=0
PATH="$work/bin" "$g" run tiny >"$work/out" 2>"$work/err" || status=$?
fails 77 'no QEMU' 'make deps'
report $? 'no QEMU'
printf '#!/bin/sh\necho "QEMU emulator version 7.2.9 (Debian 1:7.2+dfsg)"\n' >"$work/bin/qemu-system-x86_64"
chmod +x "$work/bin/qemu-system-x86_64"
status=0
PATH="$work/bin:$PATH" "$g" run tiny >"$work/out" 2>"$work/err" || status=$?
fails 77 'QEMU 7.2 is too old' backports
report $? 'an old QEMU'
printf '#!/bin/sh\n[ "$1" = --version ] && echo "QEMU emulator version 10.0.2" && exit\necho "qemu: it broke" >&2\nexit 3\n' \
	>"$work/bin/qemu-system-x86_64"
status=0
PATH="$work/bin:$PATH" "$g" run tiny >"$work/out" 2>"$work/err" || status=$?
fails 1 'QEMU did not start: it broke'
report $? 'a QEMU that ends at once: its own words'
GLASSBOX_DATA="$work/bin" gb run tiny
fails 77 GLASSBOX_DATA
report $? 'a data directory without guests'
gb run tiny --mem 4T
fails 77 'no tmpfs has room' '--mem'
report $? 'more memory than any tmpfs has'
status=0
(ulimit -f 1000 && exec "$g" run tiny) >"$work/out" 2>"$work/err" || status=$?
fails 77 'ulimit -f unlimited'
report $? 'files may not be as large as the RAM'
if own_mounts true; then
	small=$(mktemp -d)
	# on_small SIZE SHM COMMAND...: where guests go to a tmpfs of SIZE, and /dev/shm has SHM; what stays there is printed.
	on_small() {
		status=0
		# shellcheck disable=SC2016 # expanded inside
		own_mounts sh -c 'small=$1; mount -t tmpfs -o "size=$2,mode=700" none "$1" && mount -t tmpfs -o "size=$3" none /dev/shm && XDG_RUNTIME_DIR=$1 &&
			export XDG_RUNTIME_DIR && shift 3 && "$@"; status=$?; find "$small" -mindepth 2; exit $status' sh "$small" "$@" \
			>"$work/out" 2>"$work/err" </dev/null || status=$?
	}
	on_small 16m 16m "$g" run tiny
	fails 77 'no tmpfs has room for' 'of guest RAM' 'remount,size=' && [ ! -s "$work/out" ]
	report $? 'a full tmpfs'
	on_small 68m 16m "$g" run tiny
	fails 77 'no tmpfs has room' && [ ! -s "$work/out" ]
	report $? 'a tmpfs with room for the RAM, but not for the initramfs'

	# The guest says that it is up, the tmpfs is filled, and then the guest uses memory that it did not use before.
	cat >"$work/fill.sh" <<'END'
cd "$XDG_RUNTIME_DIR" && mkfifo in out || exit 99
"$1" run tiny -- sh -c 'echo up; read -r go; tr "\0" x </dev/zero >/fill' <in >out &
exec 5>in 6<out
read -r up <&6 && [ "$up" = up ] || exit 99
head -c 200M /dev/zero >filler 2>/dev/null && exit 98
echo go >&5
wait $!
END
	on_small 96m 1m sh -c "$(cat "$work/fill.sh")" sh "$g"
	fails 1 'QEMU was killed by signal 7' "the tmpfs that holds the guest's RAM is full" "make room in $small/glassbox/tiny" '--mem' XDG_RUNTIME_DIR &&
		[ ! -s "$work/out" ]
	report $? 'a tmpfs that fills up while the guest runs'
	rmdir "$small"

	# A node of KVM that does not work. Where there is none at all, /dev is another one for this.
	mkdir "$work/dev"
	cat >"$work/broken-kvm.sh" <<'END'
dev=$1 g=$2
shift 2
if [ -e /dev/kvm ]; then
	mount --bind /dev/null /dev/kvm || exit 99
else
	mount -t tmpfs none "$dev" && mkdir "$dev/shm" && mount --rbind /dev/shm "$dev/shm" || exit 99
	for node in null zero full random urandom; do
		: >"$dev/$node" && mount --bind "/dev/$node" "$dev/$node" || exit 99
	done
	: >"$dev/kvm" && mount --rbind "$dev" /dev || exit 99
fi
"$g" "$@" || exit
[ "$2" != --detach ] || { "$g" ls --json; "$g" stop auto; }
END
	with_broken_kvm() {
		status=0
		own_mounts sh "$work/broken-kvm.sh" "$work/dev" "$g" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	}
	with_broken_kvm run tiny --accel kvm
	fails 77 'KVM' '--accel tcg'
	report $? 'a KVM device that does not work'
	with_broken_kvm run --dry-run tiny --accel auto
	[ "$status" = 0 ] && grep -q -- ' -accel tcg -cpu qemu64' "$work/out"
	report $? '--accel auto takes TCG then'
	with_broken_kvm run --detach tiny --accel auto --name auto --no-view
	[ "$status" = 0 ] && grep -q '^auto is up' "$work/out" && grep -q '"accel":"tcg"' "$work/out"
	report $? 'and the guest runs with it'
else
	for name in 'a full tmpfs' 'a tmpfs with room for the RAM, but not for the initramfs' 'a tmpfs that fills up while the guest runs' \
		'a KVM device that does not work' '--accel auto takes TCG then' 'and the guest runs with it'; do
		skip "$name" 'mounting is not allowed here'
	done
fi
chmod 755 "$root"
gb run tiny
fails 77 "chmod 700 $root"
report $? 'a state directory that others may look into'
chmod 700 "$root"
nothing_left
report $? 'nothing is left of these, either'

# A guest that never comes up, or ends before.
gb run tiny --append rdinit=/nonexistent --boot-timeout 4 --no-view
fails 124 'was not up after 4 s' '--boot-timeout' 'Kernel panic'
report $? 'a guest that does not come up: 124, with its last words'
gb run tiny --append 'rdinit=/nonexistent panic=-1' --no-view
fails 1 'ended before it was up'
report $? 'a guest that ends before it is up'
nothing_left
report $? 'nothing is left of it'

# Ports in use.
start tiny --name port --no-view
used=$(field port ssh_port)
gb run tiny --forward "$used:80" --no-view
fails 1 'in use' --forward
report $? 'a port in use'

# The end of QEMU, of the supervisor, and of patience.
kill -9 "$(field port qemu_pid)"
ended
fails 1 'QEMU was killed by signal 9' "'dmesg' says" '--mem' && nothing_left
report $? 'QEMU is killed while the guest runs'
timeout -k 5 180 "$g" run tiny --name young --append rdinit=/nonexistent --no-view >"$work/out" 2>"$work/err" &
run=$!
booting() { [ "$(state "$1")" = running ]; }
eventually booting young
kill -9 "$(field young qemu_pid)"
status=0
wait $run || status=$?
fails 1 'ended before it was up' 'killed by signal 9' && nothing_left
report $? 'QEMU is killed while the guest boots'
timeout -k 5 180 "$g" run tiny --name unborn --no-view >"$work/out" 2>"$work/err" &
run=$!
eventually starting unborn
kill -9 "$(field unborn qemu_pid)"
status=0
wait $run || status=$?
fails 1 'killed by signal 9' && nothing_left
report $? 'QEMU is killed while it starts'
# A QEMU that greets, and goes at the first question.
cat >"$work/bin/qemu-system-x86_64" <<'END'
#!/usr/bin/python3
import json, os, re, socket, sys
if sys.argv[1] == '--version':
	sys.exit(print('QEMU emulator version 10.0.2'))
ends = {}
for name, path in re.findall(r'socket,id=(\w+),path=([^, ]*/(?:console|control|monitor).sock)', ' '.join(sys.argv)):
	ends[name] = socket.socket(socket.AF_UNIX)
	ends[name].connect(path)
monitor = ends['monitor'].makefile('rw')
print('{"QMP": {"version": {"qemu": {"major": 10, "minor": 0, "micro": 2}, "package": ""}, "capabilities": []}}', file=monitor, flush=True)
asked = json.loads(monitor.readline())
assert asked['execute'] == 'qmp_capabilities'
print(json.dumps({'return': {}, 'id': asked['id']}), file=monitor, flush=True)
monitor.readline()
os.kill(os.getpid(), 9)
END
chmod +x "$work/bin/qemu-system-x86_64"
status=0
PATH="$work/bin:$PATH" timeout -k 5 60 "$g" run tiny --name unborn --no-view >"$work/out" 2>"$work/err" </dev/null || status=$?
fails 1 'QEMU did not start' 'killed by signal 9' && nothing_left
report $? 'QEMU is killed when it is asked for the first time'

start tiny --name orphan --no-view
qemu=$(field orphan qemu_pid)
kill -9 "$(supervisor orphan)"
ended
eventually gone "$qemu"
report $? 'QEMU does not outlive its supervisor'
[ -d "$root/orphan" ]
report $? '(which left its directory)'
gb ls
! grep -q orphan "$work/out"
report $? 'ls does not show it'
gb run tiny --name orphan -- true
[ "$status" = 0 ] && nothing_left
report $? 'the next start with its name cleans up'

# The registry goes with the user's last session; with the supervisor killed, nobody but the lock beside the RAM knows of it.
disk=$(mktemp -d /var/tmp/glassbox-test.XXXXXX)
if [ "$(stat -f -c %T "$disk")" != tmpfs ]; then
	XDG_RUNTIME_DIR=$disk "$g" run tiny --name lost --no-view --detach >"$work/out" 2>"$work/err"
	ram=$(XDG_RUNTIME_DIR=$disk field lost ram)
	lost=$(XDG_RUNTIME_DIR=$disk field lost supervisor_pid)
	gb run tiny -- true
	[ "$status" = 0 ] && [ -f "$ram" ] && kill -9 "$lost" && eventually gone "$lost"
	report $? 'RAM that is registered elsewhere is left alone while its supervisor lives'
	rm -rf "$disk"
	gb run tiny -- true
	case $ram in /dev/shm/glassbox-ram-*/ram) [ "$status" = 0 ] && [ ! -e "${ram%/ram}" ] ;; *) false ;; esac
	report $? 'when it is dead and the registry gone, the next start removes its RAM'
else
	skip 'RAM that is registered elsewhere is left alone while its supervisor lives' '/var/tmp is a tmpfs'
	skip 'when it is dead and the registry gone, the next start removes its RAM' '/var/tmp is a tmpfs'
	rm -rf "$disk"
fi

start tiny --name stuck --no-view
kill -STOP "$(field stuck qemu_pid)"
pid=$(supervisor stuck)
again() { kill -INT "$pid" 2>/dev/null; gone "$pid"; }
eventually again
ended
fails 130 'QEMU was killed without waiting for its end' && nothing_left
report $? 'a second Ctrl-C does not wait for a QEMU that hangs'
# watch_page: curl as a viewer of the page at $url, in the background, its pid in $viewer, as soon as it gets something.
watch_page() {
	: >"$work/stream"
	curl -sN "${url}stream" >"$work/stream" &
	viewer=$!
	eventually [ -s "$work/stream" ]
}
view() { # NAME
	url=$(field "$1" url)
	watch_page
}
start tiny --name stuck
view stuck
kill -STOP "$(field stuck qemu_pid)"
"$g" stop stuck >"$work/stopped"
ended
fails 143 'QEMU did not end within 3 s and was killed' && nothing_left
report $? 'stop ends a guest whose QEMU hangs'
wait "$viewer"
grep -aqF 'the guest has stopped: QEMU did not end within 3 s and was killed' "$work/stream"
report $? 'and its viewers are told so'

# A viewer that reads nothing holds up the end of the page, for some seconds.
start tiny --name seen
view seen
kill -STOP "$viewer"
kill -INT "$(supervisor seen)"
removed() { [ ! -e "$root/seen" ]; }
eventually removed
curl -s "${url}api/hello" >"$work/hello"
[ $? = 7 ]
report $? "a guest's name is free when its port is closed, not before"
ended
kill -KILL "$viewer"
[ "$status" = 130 ] && [ ! -s "$work/err" ] && nothing_left
report $? 'Ctrl-C, and a viewer that reads nothing'
start tiny --name seen
view seen
kill -STOP "$viewer"
pid=$(supervisor seen)
qemu=$(field seen qemu_pid)
kill -INT "$pid"
eventually gone "$qemu"
eventually again
ended
kill -KILL "$viewer"
fails 130 'glassbox run: the page is closed without waiting for its viewers' && nothing_left
report $? 'a second Ctrl-C does not wait for it'

# Others that serve its page end as it does. closed COMMAND WORDS...: one is started, and has said its URL; a viewer that reads nothing; Ctrl-C.
closed() {
	"$g" "$@" >"$work/out" 2>"$work/err" </dev/null &
	pid=$!
	eventually grep -q http:// "$work/out" || return 1
	url=$(grep -o 'http://.*' "$work/out")
	watch_page
	kill -STOP "$viewer"
	kill -INT "$pid"
	eventually again
	status=0
	wait "$pid" || status=$?
	kill -KILL "$viewer"
	fails 130 "glassbox $1: the page is closed without waiting for its viewers"
}
start tiny --name shared --no-view
closed view shared
report $? 'nor that of view'
closed attach "$root/shared/qmp.sock" --name other
report $? 'nor that of attach'
gb stop shared
ended
nothing_left
report $? 'nothing is left of them'
start tiny --name frozen --no-view
pid=$(supervisor frozen)
qemu=$(field frozen qemu_pid)
kill -STOP "$pid"
gb stop frozen
eventually gone "$qemu" && nothing_left
report $? 'stop ends a guest whose supervisor hangs'
ended

# Going to the background fails as the foreground does.
gb run tiny --detach --append rdinit=/nonexistent --boot-timeout 4
fails 124 'was not up after' && nothing_left
report $? '--detach passes on the failure'
timeout -k 5 180 "$g" run tiny --detach --name early --append rdinit=/nonexistent >"$work/out" 2>"$work/err" &
run=$!
eventually starting early
kill -TERM $run
status=0
wait $run || status=$?
eventually nothing_left
report $? 'Ctrl-C while it waits leaves nothing'
timeout -k 5 180 "$g" run tiny -- sleep 1000 >"$work/out" 2>"$work/err" </dev/null &
run=$!
eventually starting tiny
kill -TERM $run
status=0
wait $run || status=$?
{ [ "$status" = 124 ] || [ "$status" = 143 ]; } && eventually nothing_left
report $? 'a signal while a command runs leaves nothing'
end_of_tests
