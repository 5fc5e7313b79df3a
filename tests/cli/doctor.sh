#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# shellcheck disable=SC2123,SC3045 # an empty PATH is what is tested; dash has ulimit -n
# glassbox doctor on machines that lack something: a faked PATH, runtime directory, cache, and limits.
set -u
g=$(readlink -f "$GLASSBOX")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/../tap.sh"
mkdir -m 700 "$work/run" "$work/bin" "$work/cache" "$work/home"
export XDG_RUNTIME_DIR="$work/run" XDG_CACHE_HOME="$work/cache" HOME="$work/home"

doctor() { # WORDS...: the exit status is in $status, what it says in $work/out
	status=0
	"$g" doctor "$@" >"$work/out" 2>&1 || status=$?
}

# says NAME STATE: the line of a check.
says() { grep -q "^$2 *$1  " "$work/out"; }

# value NAME KEY: of a check in the JSON in $work/out.
value() {
	python3 -c 'import json, sys
for check in json.load(open(sys.argv[1]))["checks"]:
    if check["name"] == sys.argv[2]:
        print(check[sys.argv[3]])' "$work/out" "$1" "$2"
}

fake_qemu() { # LINES of a shell script
	printf '#!/bin/sh\n%s\n' "$1" >"$work/bin/qemu-system-x86_64"
	chmod +x "$work/bin/qemu-system-x86_64"
}

usual=$PATH
fake_qemu 'echo "QEMU emulator version 10.0.2 (fake)"'
PATH=$work/bin:$usual
doctor --json
python3 - "$work/out" <<'END'
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["schema"] == 1 and answer["command"] == "doctor"
for check in answer["checks"]:
    assert check["state"] in ("ok", "missing", "optional") and check["purpose"] and check["detail"], check
missing = [check["name"] for check in answer["checks"] if check["state"] == "missing"]
assert answer["healthy"] == (not missing), missing
END
report $? 'JSON is whole, and healthy says whether something is missing'
[ "$(value qemu state)" = ok ] && [ "$(value qemu detail)" = 'QEMU emulator version 10.0.2 (fake)' ]
report $? 'QEMU 10 is fine'
[ "$(value debian state)" = optional ] && [ "$(value debian fix)" = 'glassbox run debian' ] && [ "$(value alpine state)" = optional ]
report $? 'guests that were not made are optional, with the command that makes them'

mkdir -p "$work/cache/glassbox/guests/debian-0123456789abcdef" "$work/cache/glassbox/guests/tiny-variant-0123456789abcdef" \
	"$work/cache/glassbox/guests/initramfs-0123456789abcdef" "$work/cache/glassbox/guests/.work-alpine.abcdefgh"
touch "$work/cache/glassbox/guests/debian-0123456789abcdef/vmlinux" "$work/cache/glassbox/guests/tiny-variant-0123456789abcdef/vmlinux" \
	"$work/cache/glassbox/guests/initramfs-0123456789abcdef/initramfs.cpio" "$work/cache/glassbox/guests/.work-alpine.abcdefgh/append"
doctor
says debian ok && says userland ok && says tiny optional && says alpine optional
report $? 'guests that were made are found; a variant or unfinished work is none'

# Nothing of this needs a guest's tools once the guest was made: only what each start needs is missing then.
mkdir "$work/few"
for program in bsdtar ssh-keygen base64; do
	ln -s "$(command -v "$program" || echo /bin/true)" "$work/few/$program"
done
cp "$work/bin/qemu-system-x86_64" "$work/few/"
PATH=$work/few
doctor
PATH=$usual
[ "$status" = 0 ] && says 'guest tools' optional && says programs ok
report $? 'without tools, a guest that was made still runs'
rm -r "$work/cache/glassbox"
PATH=$work/few
doctor
PATH=$usual
[ "$status" = 77 ] && says 'guest tools' missing && grep -q 'not installed: apt-get' "$work/out" && grep -q 'deps.sh run' "$work/out"
report $? 'without tools and guest, nothing runs: exit 77'
rm "$work/few/bsdtar"
PATH=$work/few
doctor
PATH=$usual
[ "$status" = 77 ] && says programs missing && grep -q 'not installed: bsdtar' "$work/out"
report $? 'a program that each start needs is missing: exit 77'

mkdir "$work/empty"
PATH=$work/empty
doctor
PATH=$usual
[ "$status" = 77 ] && says qemu missing && grep -q 'there is no QEMU' "$work/out" && grep -q 'deps.sh run' "$work/out" && says browser optional
report $? 'no QEMU: exit 77, and how to get it'

PATH=$work/bin:$usual
fake_qemu 'echo "QEMU emulator version 7.2.9 (Debian 1:7.2+dfsg-7+deb12u6)"'
doctor
[ "$status" = 77 ] && says qemu missing && grep -q 'QEMU 7.2 is too old' "$work/out" && grep -q backports "$work/out"
report $? 'an old QEMU: exit 77, and where a new one is'
fake_qemu 'echo "qemu: error while loading shared libraries" >&2; exit 127'
doctor
[ "$status" = 77 ] && says qemu missing
report $? 'a QEMU that does not start: exit 77'
fake_qemu "printf 'QEMU emulator version 11.0.0 \\033[31m(\\001odd)\\n'"
doctor
[ "$(grep -c "$(printf '[\001\033]')" "$work/out")" = 0 ] && says qemu ok
report $? 'what a program prints is escaped'
fake_qemu 'echo "QEMU emulator version 10.0.2 (fake)"'

mkdir "$work/run/glassbox"
chmod 755 "$work/run/glassbox"
doctor
[ "$status" = 77 ] && says state missing && grep -q 'chmod 700' "$work/out"
report $? 'a state directory that others may look into: exit 77'
chmod 700 "$work/run/glassbox"
mkdir "$work/run/glassbox/ghost" "$work/run/glassbox/.hidden" "$work/run/glassbox/mine"
: >"$work/run/glassbox/ghost/lock"
: >"$work/run/glassbox/mine/notes" # without a lock: none of ours, and no start removes it
doctor
says leftovers optional && grep -q "1 in $work/run/glassbox" "$work/out" && [ -d "$work/run/glassbox/ghost" ]
report $? 'what a crashed run left is seen, and left alone'
(
	exec 3<>"$work/run/glassbox/ghost/lock"
	exec python3 - "$g" 3>&3 <<'END'
import fcntl, os, struct, subprocess, sys
OFD_SETLK = 37
fcntl.fcntl(3, OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
out = subprocess.run([sys.argv[1], "doctor"], capture_output=True, text=True).stdout
sys.exit("leftovers     none" not in out)
END
)
report $? 'a guest that runs is no leftover'
rm -r "$work/run/glassbox"
(
	export XDG_RUNTIME_DIR="$work/no/such/directory"
	doctor
	[ "$status" = 77 ] && says state missing && grep -q XDG_RUNTIME_DIR "$work/out"
)
report $? 'a runtime directory that is not there: exit 77'

(
	ulimit -n 64
	doctor
	[ "$status" = 77 ] && says limits missing && grep -q 'ulimit -n 1024' "$work/out"
)
report $? 'too few open files: exit 77'
(
	ulimit -f 1000
	doctor
	[ "$status" = 77 ] && says limits missing && grep -q 'ulimit -f unlimited' "$work/out"
)
report $? 'files may not be as large as the RAM: exit 77'
(
	unset HOME XDG_CACHE_HOME
	doctor
	[ "$status" = 77 ] && says cache missing
)
report $? 'no place for guests: exit 77'
(
	export GLASSBOX_DATA="$work/empty"
	doctor
	[ "$status" = 77 ] && says data missing && grep -q 'GLASSBOX_DATA' "$work/out"
)
report $? 'a data directory without guests: exit 77'

# Full file systems, where mounting is allowed.
if own_mounts true; then
	mkdir "$work/small"
	own_mounts sh -c 'mount -t tmpfs -o size=1m none "$1" && mount -t tmpfs -o size=64m none /dev/shm && XDG_RUNTIME_DIR=$1 && export XDG_RUNTIME_DIR &&
		exec "$2" doctor' sh "$work/small" "$g" >"$work/out" 2>&1
	[ $? = 77 ] && says ram missing && grep -q 'no tmpfs has room for 128 MiB' "$work/out"
	report $? 'no tmpfs has room: exit 77'
	own_mounts sh -c 'mount -t tmpfs -o size=1m none "$1" && XDG_CACHE_HOME=$1 && export XDG_CACHE_HOME && exec "$2" doctor' sh \
		"$work/small" "$g" >"$work/out" 2>&1
	[ $? = 77 ] && says cache missing && grep -q 'make room' "$work/out"
	report $? 'no room to make a guest: exit 77'
else
	skip 'no tmpfs has room: exit 77' 'mounting is not allowed here'
	skip 'no room to make a guest: exit 77' 'mounting is not allowed here'
fi

[ -z "$(find "$work/run" "$work/cache" "$work/home" -type f)" ] && [ ! -d "$work/run/glassbox" ]
report $? 'nothing was written anywhere'
end_of_tests
