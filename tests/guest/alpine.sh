#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# guest/alpine.sh against a mirror on loopback: good archives (one is booted), and all that a mirror can do wrong.
#
# Alpine itself cannot be had everywhere that tests run, so the mirror carries Debian's cloud kernel and our own initramfs under
# Alpine's names. All else, from the address to the directory that is booted, is what a user runs.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
server=''
. tests/tap.sh
finish() {
	[ ! -d "$work/run/glassbox/alpine" ] || glassbox stop alpine
	[ -z "$server" ] || kill "$server"
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

alpine() { # MIRROR [OPTION...]: the download under test; its cache is $work/cache
	address=$1
	case $address in /*) address=http://127.0.0.1:$port$1 ;; esac
	shift
	XDG_CACHE_HOME=$work/cache GLASSBOX_ALPINE_MIRROR=$address guest/alpine.sh "$@" >"$work/out" 2>"$work/err"
}

left_over() { find "$work/cache" -type f -size +0 ! -name '.known-*' 2>/dev/null | grep . || find "$work/cache" -name '.work-*' 2>/dev/null | grep .; }

# refused NAME WORDS MIRROR: fails with exit code 1, says WORDS, prints no directory, leaves nothing behind.
refused() {
	rm -rf "$work/cache"
	status=0
	alpine "$3" || status=$?
	left=$(left_over)
	[ "$status" = 1 ] && grep -qF -- "$2" "$work/err" && [ ! -s "$work/out" ] && [ -z "$left" ]
	report $? "$1"
}

version=3.99.1 place=releases/x86_64
archive=alpine-netboot-$version-x86_64.tar.gz

# publish DIR: writes the list of the mirror in DIR for the archive that is there.
publish() {
	cat >"$1/latest-releases.yaml" <<END
---
-
  title: "Standard"
  desc: |
    flavor: alpine-netboot
  branch: v3.99
  arch: x86_64
  version: $version
  flavor: alpine-standard
  file: alpine-standard-$version-x86_64.iso
  size: 1
  sha256: 0
  sha512: 0
-
  title: "Netboot"
  desc: |
    Kernel, initramfs and modloop for netboot.
  branch: v3.99
  arch: x86_64
  version: $version
  flavor: alpine-netboot
  file: $archive
  iso: $archive
  date: 2026-01-01
  size: $(wc -c <"$1/$archive")
  sha256: $(sha256sum <"$1/$archive" | cut -d' ' -f1)
  sha512: $(sha512sum <"$1/$archive" | cut -d' ' -f1)
END
	ln -sfn v3.99 "$1/../../../latest-stable"
}

# mirror NAME [ENTRY...]: a mirror in $work/www/NAME whose archive holds the ENTRYs of $tree; prints the list's directory.
mirror() {
	dir=$work/www/$1/v3.99/$place
	shift
	mkdir -p "$dir"
	tar -C "$tree" -P --no-recursion -czf "$dir/$archive" "$@"
	publish "$dir"
	echo "$dir"
}

if ! kernel=$(guest/debian.sh 2>"$work/err") || ! userland=$(guest/initramfs.sh 2>>"$work/err"); then
	cat "$work/err" >&2
	echo '1..0 # SKIP the kernel or the userland to serve cannot be made here'
	exit 77
fi
tree=$work/tree
mkdir -p "$tree/boot" "$work/small/boot" "$work/www" "$work/cache"
cp "$kernel/bzImage" "$tree/boot/vmlinuz-virt"
cp "$userland/initramfs.cpio" "$tree/boot/initramfs-virt"
for name in vmlinuz initramfs modloop; do
	echo "no $name" >"$work/small/boot/$name-virt"
done
cp "$work/small/boot/modloop-virt" "$tree/boot/"
usual='boot boot/vmlinuz-virt boot/initramfs-virt boot/modloop-virt'

mkfifo "$work/port"
python3 tests/guest/mirror.py "$work/www" >"$work/port" &
server=$!
read -r port <"$work/port" || { echo "Bail out! the mirror did not start"; exit 1; }

# shellcheck disable=SC2086 # a list of words
good=$(mirror good $usual)

guest=none
alpine /good && guest=$(cat "$work/out") && [ "$(cat "$guest/version")" = "$version" ] && cmp -s "$guest/bzImage" "$work/tree/boot/vmlinuz-virt" &&
	cmp -s "$guest/initrd" "$work/tree/boot/initramfs-virt" && cmp -s "$guest/vmlinux" "$kernel/vmlinux" && cmp -s "$guest/release" "$kernel/release"
report $? 'a good mirror gives the guest'
grep -qx "ip=dhcp alpine_repo=http://10.0.2.2:$port/good/v3.99/main modloop=http://10.0.2.2:$port/good/v3.99/$place/netboot-$version/modloop-virt" "$guest/append"
report $? 'the boot line names the mirror as the guest sees it'

: >"$work/www/requests"
alpine /good && [ "$(cat "$work/out")" = "$guest" ] && [ ! -s "$work/www/requests" ]
report $? 'a second time asks nobody'
alpine /good --refresh && [ "$(cat "$work/out")" = "$guest" ] && [ "$(wc -l <"$work/www/requests")" = 1 ]
report $? '--refresh asks for the list only'
mv "$good/latest-releases.yaml" "$work/list"
status=0
alpine /good --refresh || status=$?
[ "$status" = 1 ] && grep -q 'HTTP 404' "$work/err"
report $? 'a mirror that lost its list is not papered over by the cache'
mv "$work/list" "$good/latest-releases.yaml"
alpine http://127.0.0.1:1/alpine && [ "$(cat "$work/out")" = "$guest" ] && grep -q 'fetched earlier' "$work/err"
report $? 'without a network, what was fetched earlier is taken'

# The program starts it so, and it boots: without a control port its PID 1 says on the console that it is up.
glassbox() { XDG_RUNTIME_DIR=$work/run XDG_CACHE_HOME=$work/cache GLASSBOX_ALPINE_MIRROR=http://127.0.0.1:$port/good "$GLASSBOX" "$@"; }

# seen FILE WORDS QEMU: waits until the file holds them, as long as QEMU lives, at most two minutes.
seen() {
	end=$(($(date +%s) + 120))
	until grep -qsF -- "$2" "$1"; do
		kill -0 "$3" 2>/dev/null && [ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

if [ -n "${GLASSBOX:-}" ]; then
	mkdir -m 700 "$work/run"
	glassbox run alpine --accel tcg --append last=word --dry-run >"$work/out" 2>"$work/err"
	grep -qF -- "-kernel $guest/vmlinux -initrd $guest/initrd" "$work/out" && grep -q 'size=268435456\|size=256M\|-m 256' "$work/out" &&
		grep -qF "$(cat "$guest/append") last=word" "$work/out" && grep -q 'console=ttyS0' "$work/out" && grep -q 'virtio-net' "$work/out"
	report $? 'glassbox run alpine starts it with that kernel, initramfs and boot line'
	glassbox run alpine --accel tcg --append last=word --detach --no-view >"$work/out" 2>"$work/err"
	status=$?
	qemu=$(glassbox ls --json | sed -n 's/.*"name":"alpine".*"qemu_pid":\([0-9]*\).*/\1/p')
	[ "$status" = 0 ] && grep -q '^alpine is started' "$work/out" && seen "$work/run/glassbox/alpine/console.log" GLASSBOX-READY "$qemu"
	report $? 'glassbox run alpine boots it to userland'
	glassbox info alpine >"$work/out" 2>"$work/err" && grep -qF "kernel        $(cat "$kernel/release")" "$work/out" &&
		glassbox ps alpine >"$work/out" 2>"$work/err" && grep -q '[0-9] init$\|[0-9] *init ' "$work/out"
	report $? 'its kernel and processes are understood'
	glassbox read alpine "$(glassbox sym alpine saved_command_line 2>/dev/null | awk 'NR == 1 { print "0x" $1 }')" 8 --raw >"$work/out" 2>"$work/err" &&
		address=$(od -An -t x8 "$work/out" | tr -d ' \n') && glassbox read alpine "0x$address" 400 --raw >"$work/out" 2>"$work/err" &&
		tr '\0' '\n' <"$work/out" | head -n 1 | grep -qF "$(cat "$guest/append") last=word"
	report $? 'its kernel was given the boot line'
	glassbox stop alpine >"$work/out" 2>"$work/err" && [ -z "$(ls "$work/run/glassbox")" ] && ! kill -0 "$qemu" 2>/dev/null
	report $? 'stop ends it and leaves nothing'
fi

refused 'no name server' 'cannot be resolved' http://mirror.invalid/alpine
refused 'nobody listens' 'cannot be reached' http://127.0.0.1:1/alpine
refused 'no such mirror: 404' 'HTTP 404' /nowhere
refused 'a mirror that hangs up' 'cannot be reached' /silent/good
refused 'an archive cut short in the transfer' 'ended early' /cut/good
refused 'an archive without end' 'larger than it may be' /endless/good
alpine /away/good
report $? 'a redirect is followed'

# What is refused before a kernel is looked for is small.
tree=$work/small
# shellcheck disable=SC2086
bad=$(mirror lost $usual)
rm "$bad/$archive"
refused 'the list names an archive that is not there: 404' "$archive: it answers HTTP 404" /lost

# shellcheck disable=SC2086
bad=$(mirror changed $usual)
printf X | dd of="$bad/$archive" bs=1 seek=100 conv=notrunc status=none
refused 'a byte of the archive differs' 'checksum mismatch' /changed

# shellcheck disable=SC2086
bad=$(mirror short $usual)
truncate -s -10 "$bad/$archive"
refused 'an archive shorter than announced' 'bytes, not' /short

for key in sha256 sha512; do
	# shellcheck disable=SC2086
	bad=$(mirror "wrong-$key" $usual)
	sed -i "s/^  $key: ......../  $key: 00000000/" "$bad/latest-releases.yaml"
	refused "only $key is wrong" 'checksum mismatch' "/wrong-$key"
done

list=$work/www/garbage/latest-stable/$place/latest-releases.yaml
mkdir -p "${list%/*}"
garbage() { refused "$1" 'names no netboot archive' /garbage; }
altered() { sed "$2" "$good/latest-releases.yaml" >"$list"; garbage "$1"; }
head -c 20000 /dev/urandom >"$list"
garbage 'a list of random bytes'
: >"$list"
garbage 'an empty list'
echo '<html><body>Sign in to the network</body></html>' >"$list"
garbage 'a page instead of the list'
altered 'a list without checksums' /sha512/d
altered 'a list that names a path' "s,file: .*,file: ../../../$archive,"
# shellcheck disable=SC2016 # words for another shell
altered 'a list with shell words for a version' 's,version: .*,version: $(touch pwned),'
altered 'a list with an absurd size' 's,size: .*,size: 99999999999999999999,'
altered 'a list with an odd branch' 's,branch: .*,branch: v3.99/../x y,'
head -c 2000000 /dev/zero >"$list"
refused 'a list without end' 'larger than it may be' /garbage

hostile() { # NAME WORDS [ENTRY...]: an archive of these entries is refused
	name=$1 words=$2
	shift 2
	rm -rf "$work/www/hostile"
	mirror hostile "$@" >/dev/null
	echo untouched >"$work/escaped"
	refused "$name" "$words" /hostile
	if [ "$(cat "$work/escaped")" != untouched ] || find "$work/cache" guest -name 'escaped*' | grep -q .; then
		report 1 "$name: a file got out"
	fi
}
echo escaped >"$work/escaped"
(
	cd "$tree/boot" && ln -s /etc/passwd link && ln vmlinuz-virt hard && mkfifo pipe && mkdir deep && echo x >'two words' &&
		echo x >"$(printf 'odd\033[31m')" && : >initramfs-none && truncate -s 70M vmlinuz-huge
)
# shellcheck disable=SC2086
hostile 'a path that climbs' 'holds what no netboot archive' $usual boot/../../escaped
# shellcheck disable=SC2086
hostile 'an absolute path' 'holds what no netboot archive' $usual "$work/escaped"
for entry in link pipe deep 'two words' "$(printf 'odd\033[31m')"; do
	# shellcheck disable=SC2086
	hostile "an entry that is none: $(printf %s "$entry" | tr -d '\033')" 'holds what no netboot archive' $usual "boot/$entry"
done
# shellcheck disable=SC2086
hostile 'a hard link' 'holds what no netboot archive' $usual boot/hard
hostile 'a kernel that is a link' 'holds what no netboot archive' --transform=s/link/vmlinuz-virt/ boot boot/link boot/initramfs-virt
hostile 'two kernels' 'holds what no netboot archive' --hard-dereference boot/vmlinuz-virt boot/hard --transform=s/hard/vmlinuz-virt/ boot/initramfs-virt
hostile 'no kernel' 'holds no boot/vmlinuz-virt' boot boot/initramfs-virt
hostile 'no initramfs' 'holds no boot/initramfs-virt' boot boot/vmlinuz-virt
hostile 'an empty initramfs' 'holds no boot/initramfs-virt' --transform=s/none/virt/ boot/vmlinuz-virt boot/initramfs-none
hostile 'a kernel that is none' 'a kernel that is not understood' --transform=s/modloop/vmlinuz/ boot/modloop-virt boot/initramfs-virt
dir=$work/www/noise/v3.99/$place
mkdir -p "$dir"
head -c 100000 /dev/urandom >"$dir/$archive"
publish "$dir"
refused 'an archive of random bytes' 'is no tar archive' /noise
hostile 'a kernel that unpacks without end' 'is larger than 64 MiB' --transform=s/huge/virt/ boot boot/vmlinuz-huge boot/initramfs-virt

# A limit on the size of files stands for the full disk: writing fails in the same place.
rm -rf "$work/cache"
status=0
(
	trap '' XFSZ
	ulimit -f 4000
	alpine /good
) || status=$?
[ "$status" = 1 ] && grep -q 'disk full' "$work/err" && ! left_over
report $? 'a full disk'

for address in 'ftp://mirror' 'http://a b' "http://a'b" 'http://a;reboot' "$(printf 'http://a\nb')" 'http://'; do
	status=0
	alpine "$address" || status=$?
	[ "$status" = 1 ] && grep -q 'must be the address of a mirror' "$work/err"
	report $? "an address that is none: $(printf %s "$address" | tr '\n' ' ')"
done
for words in '--branch' '--branch v3.22 more' 'x'; do
	status=0
	# shellcheck disable=SC2086
	alpine /good $words || status=$?
	[ "$status" = 2 ] && grep -q '^usage:' "$work/err"
	report $? "words that are off: $words"
done
status=0
alpine /good --branch '../x' || status=$?
[ "$status" = 1 ] && grep -q 'is no branch' "$work/err"
report $? 'a branch that is none'

# Two at once: one fetches, the other waits and takes what the first made.
rm -rf "$work/cache"
: >"$work/www/requests"
(XDG_CACHE_HOME=$work/cache GLASSBOX_ALPINE_MIRROR=http://127.0.0.1:$port/good guest/alpine.sh >"$work/other" 2>&1) &
other=$!
alpine /good
status=$?
wait $other && [ $status = 0 ] && [ "$(grep -c 'gz$' "$work/www/requests")" = 1 ] && [ "$(tail -n 1 "$work/other")" = "$(cat "$work/out")" ]
report $? 'two at once fetch once'

# Killed in mid-way: the next one cleans up.
rm -rf "$work/cache"
mkdir -p "$work/cache/glassbox/guests/.work-alpine.killed"
alpine /good && ! left_over | grep -F .work-
report $? 'what a killed one left is removed'

end_of_tests
