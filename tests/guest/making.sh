#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The scripts that make guests: same bytes twice, two makers at once, makers that are killed, damaged kernels, no network; and the
# initramfs of one run. Packages come from Debian's archive, as for a user.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
. tests/tap.sh
# As an ordinary user of Debian has it: no way to the administrator's programs.
users_path=/usr/local/bin:/usr/bin:/bin

# run CACHE COMMAND...: with a cache of its own; what it says in $work/out and $work/err.
run() {
	cache=$work/$1
	shift
	XDG_CACHE_HOME=$cache "$@" >"$work/out" 2>"$work/err"
}

# refused [-s STATUS] NAME WORDS COMMAND...: fails with STATUS (1), says WORDS, prints nothing, leaves no artefact and no work behind.
refused() {
	want=1
	[ "$1" != -s ] || { want=$2; shift 2; }
	name=$1 words=$2
	shift 2
	rm -rf "$work/refused"
	status=0
	run refused "$@" || status=$?
	[ "$status" = "$want" ] && grep -qF -- "$words" "$work/err" && [ ! -s "$work/out" ] && ! left_over "$work/refused"
	report $? "$name"
}

# Directories with artefacts or work in a cache; true if there is one.
left_over() { find "$1/glassbox/guests" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | grep .; }

same_bytes() {
	run one env PATH=$users_path guest/initramfs.sh && one=$(cat "$work/out") &&
		cp -r guest "$work/copy of guest" && run two "$work/copy of guest/initramfs.sh" && two=$(cat "$work/out") &&
		[ "$one" != "$two" ] && cmp "$one/initramfs.cpio" "$two/initramfs.cpio" >>"$work/out"
}

asked_again() {
	first=$(find "$one/initramfs.cpio" -printf '%i %T@')
	run one guest/initramfs.sh && [ "$(cat "$work/out")" = "$one" ] && [ ! -s "$work/err" ] &&
		[ "$(find "$one/initramfs.cpio" -printf '%i %T@')" = "$first" ]
}

two_at_once() {
	XDG_CACHE_HOME=$work/three guest/initramfs.sh >"$work/a" 2>"$work/a.err" &
	first=$!
	run three guest/initramfs.sh && wait "$first" && cmp "$work/a" "$work/out" &&
		[ "$(cat "$work/a.err" "$work/err" | grep -c 'fetching')" = 1 ] && [ "$(left_over "$work/three" | wc -l)" = 1 ]
}

# killed SIGNAL: a maker is killed when it says that it fetches; succeeds if it left no artefact.
killed() {
	rm -rf "$work/killed"
	mkfifo "$work/said"
	XDG_CACHE_HOME=$work/killed setsid guest/initramfs.sh >"$work/out" 2>"$work/said" &
	maker=$!
	read -r line <"$work/said"
	echo "$line" >"$work/err"
	# The whole group, as a terminal's Ctrl-C does.
	kill "-$1" "-$maker"
	status=0
	wait "$maker" 2>/dev/null || status=$?
	rm "$work/said"
	[ "$status" -gt 128 ] && [ -z "$(left_over "$work/killed" | grep -v '/\.work-')" ]
}

terminated() { killed TERM && ! left_over "$work/killed"; }

# SIGKILL leaves the work where it is; the next maker takes it away.
killed_hard() {
	killed KILL && left_over "$work/killed" >/dev/null && run killed guest/initramfs.sh && [ "$(left_over "$work/killed" | wc -l)" = 1 ]
}

no_network() {
	printf 'Acquire::http::Proxy "http://127.0.0.1:9/";\nAcquire::https::Proxy "http://127.0.0.1:9/";\nAcquire::Retries "0";\n' >"$work/apt.conf"
	refused "$1: no network" "is there a network?" env APT_CONFIG="$work/apt.conf" "guest/$1"
}

# Old artefacts go when a new one of the same name comes; those of other names and those in use stay.
pruned() {
	place=$work/four/glassbox/guests
	mkdir -p "$place/initramfs-0123456789abcdef" "$place/initramfs-fedcba9876543210" "$place/initramfs-big-0123456789abcdef"
	touch -d '20 days ago' "$place/initramfs-0123456789abcdef" "$place/initramfs-big-0123456789abcdef"
	run four guest/initramfs.sh && [ ! -d "$place/initramfs-0123456789abcdef" ] && [ -d "$place/initramfs-fedcba9876543210" ] &&
		[ -d "$place/initramfs-big-0123456789abcdef" ] && [ -s "$(cat "$work/out")/initramfs.cpio" ]
}

kernel() {
	run one env PATH=$users_path guest/debian.sh && debian=$(cat "$work/out") && [ "$(head -c 4 "$debian/vmlinux" | tr -d '\177')" = ELF ] &&
		[ -s "$debian/modules.cpio" ] && [ -s "$debian/release" ] && grep -qa "Linux version $(cat "$debian/release") " "$debian/vmlinux"
}

# damaged NAME WORDS: extracting from $work/bad is refused and leaves nothing.
damaged() {
	rm -f "$work"/elf*
	status=0
	guest/extract-vmlinux.sh "$work/bad" "$work/elf" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = 1 ] && grep -qF -- "$2" "$work/err" && ! ls "$work"/elf* 2>/dev/null
	report $? "extract-vmlinux: $1"
}

# A kernel's image with some bytes at an offset replaced.
with_bytes() { # OFFSET BYTES
	cp "$debian/bzImage" "$work/bad"
	printf '%b' "$2" | dd of="$work/bad" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

seed() { # DIR NAME [COMMAND...]
	dir=$work/$1 name=$2
	shift 2
	mkdir -p "$dir"
	[ $# = 0 ] || set -- -- "$@"
	run one guest/seed.sh --out "$dir" --name "$name" --port 2222 "$one/initramfs.cpio" "$@"
}

seeded() {
	seed s1 box sh -c 'echo "two words"' && seed s2 box && size=$(wc -c <"$one/initramfs.cpio") &&
		head -c "$size" "$work/s1/initrd" | cmp - "$one/initramfs.cpio" &&
		tail -c +"$((size + 1))" "$work/s1/initrd" >"$work/segment" &&
		printf 'sh\0-c\0echo "two words"\0' >"$work/run" && bsdtar -xOf "$work/segment" etc/glassbox/run | cmp - "$work/run" &&
		[ "$(bsdtar -xOf "$work/segment" etc/hostname)" = box ] &&
		[ "$(bsdtar -xOf "$work/segment" etc/glassbox/seed | wc -c)" = 256 ] &&
		[ "$(bsdtar -tvf "$work/segment" home/alice/.ssh/authorized_keys | awk '{ print $1, $3, $4 }')" = "-rw------- 1000 1000" ] &&
		! tail -c +"$((size + 1))" "$work/s2/initrd" | bsdtar -tf - | grep run
}

# The keys: only ours, never twice the same, and of the form that ssh wants.
keys() {
	[ "$(stat -c %a "$work/s1/ssh_key" "$work/s1/initrd" | tr '\n' ' ')" = '600 600 ' ] &&
		! cmp -s "$work/s1/ssh_key" "$work/s2/ssh_key" && ! cmp -s "$work/s1/known_hosts" "$work/s2/known_hosts" &&
		[ "$(ssh-keygen -y -f "$work/s1/ssh_key")" = "$(bsdtar -xOf "$work/segment" root/.ssh/authorized_keys)" ] &&
		ssh -G -F "$work/s1/ssh_config" box | grep -qx 'port 2222' && ssh-keygen -l -f "$work/s1/known_hosts" >/dev/null &&
		[ -z "$(find "$work/s1" -name 'seed.*')" ]
}

same_bytes
report $? "initramfs: the same bytes from two directories, one with blanks in its name"
asked_again
report $? "initramfs: asked again, it answers from the cache"
two_at_once
report $? "initramfs: of two makers at once one makes and one waits"
terminated
report $? "initramfs: a maker that is terminated leaves nothing"
killed_hard
report $? "initramfs: what a killed maker leaves is removed by the next"
pruned
report $? "cache: what was not used for two weeks goes when something newer is made"
no_network initramfs.sh
no_network debian.sh
no_network tiny.sh
refused -s 77 "debian: a series that is not there" "apt knows no cloud kernel 9.9" guest/debian.sh --kernel 9.9
refused "debian: a series that is none" "is no kernel series" guest/debian.sh --kernel '6.1*'
refused "tiny: a variant that is not there" "there is no variant" guest/tiny.sh --variant ../config
kernel
report $? "debian: the kernel's ELF and modules"
head -c 3000000 "$debian/bzImage" >"$work/bad"
damaged "cut short" "is cut short"
head -c 300 "$debian/bzImage" >"$work/bad"
damaged "cut in its header" "is no Linux bzImage"
with_bytes 588 '\377\377\377\377'
damaged "a length beyond the file" "is cut short"
with_bytes 584 '\377\377\377\377'
damaged "an offset beyond the file" "is cut short"
with_bytes 584 '\0\0\0\0'
damaged "an offset that leads elsewhere" "unknown here"
end=$(($(od -An -t u1 -j 497 -N 1 "$debian/bzImage") * 512 + 512 + $(od -An -t u4 -j 584 -N 4 "$debian/bzImage") + $(od -An -t u4 -j 588 -N 4 "$debian/bzImage")))
with_bytes $((end - 4)) '\1\0\0\0'
damaged "a size that is not so" "should have 1 bytes"
seeded
report $? "seed: the archives, then the command, host name and random bytes of this run"
keys
report $? "seed: keys of this run alone"
refused "seed: a host name with a line break" "is no host name" guest/seed.sh --out "$work" --name "a
b" "$one/initramfs.cpio"
refused "seed: an archive that is not there" "cannot read the archive" guest/seed.sh --out "$work" "$work/none"
refused "seed: a directory that is not there" "there is no directory" guest/seed.sh --out "$work/none" "$one/initramfs.cpio"
mkdir "$work/no-keys"
printf '#!/bin/sh\nexit 1\n' >"$work/no-keys/ssh-keygen"
chmod +x "$work/no-keys/ssh-keygen"
refused "seed: no key" "ssh-keygen failed: is openssh-client installed" env PATH="$work/no-keys:$PATH" guest/seed.sh --out "$work" "$one/initramfs.cpio"
[ -z "$(find "$work" -maxdepth 1 -name 'seed.*')" ]
report $? "seed: without a key no work is left"
refused "seed: a port that is none" "is no port number" guest/seed.sh --out "$work" --port 22x "$one/initramfs.cpio"
end_of_tests
