#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Fetches Alpine Linux as it boots over a network: kernel, initramfs and modules, checked against Alpine's list, and caches it.
#
# usage: guest/alpine.sh [--update]      prints the directory with the kernel
#
# GLASSBOX_ALPINE_MIRROR names the mirror (default: https://dl-cdn.alpinelinux.org/alpine). What was fetched from a mirror once is
# taken from the cache from then on; --update asks the mirror for a newer release. The directory holds bzImage, vmlinux, initramfs,
# modloop, version, branch, release, and append: the words that Alpine's initramfs needs on the kernel's command line. The kernel and
# the initramfs are Alpine's own, so packages come from the mirror over the guest's network when it boots; 256 MiB are needed.
set -eu
cd "$(dirname "$0")"
gb_tool=alpine
# shellcheck source-path=SCRIPTDIR
# shellcheck source=lib.sh
. ./lib.sh

usage() { sed -n 's/^# \{0,1\}//; 6p' alpine.sh >&2; exit 2; }
update=no
case "$#:${1:-}" in
0:) ;;
1:--update) update=yes ;;
*) usage ;;
esac
mirror=${GLASSBOX_ALPINE_MIRROR:-https://dl-cdn.alpinelinux.org/alpine}
mirror=${mirror%/}
case $mirror in
http://?* | https://?*) ;;
*) gb_die "GLASSBOX_ALPINE_MIRROR is '$mirror', which is no http or https address" ;;
esac
arch=x86_64

# fetch ADDRESS FILE BYTES: at most so many bytes, or a message that says what went wrong.
fetch() {
	code=0
	status=$(curl -fsSL --proto '=http,https' --proto-redir '=http,https' --retry 2 --connect-timeout 15 --speed-limit 1000 --speed-time 30 \
		--max-filesize "$3" -w '%{http_code}' -o "$2" -- "$1" 2>"$gb_work/curl.log") || code=$?
	case $code in
	0) return 0 ;;
	6) gb_die "the host in $1 is not known: is there a network? GLASSBOX_ALPINE_MIRROR can name another mirror" ;;
	7 | 28) gb_die "$1 cannot be reached: is there a network? GLASSBOX_ALPINE_MIRROR can name another mirror" ;;
	18) gb_die "$1 broke off before its end: try again" ;;
	22) gb_die "$1 answers with status $status: the mirror does not have it; GLASSBOX_ALPINE_MIRROR can name another one" ;;
	35 | 60) gb_die "no secure connection to $1: $(cat "$gb_work/curl.log")" ;;
	63) gb_die "$1 is larger than the $3 bytes that are taken" ;;
	*) gb_die "$1 cannot be fetched: $(cat "$gb_work/curl.log")" ;;
	esac
}

# field NAME: of the entry for the netboot archive in the list of releases, which is YAML of a fixed shape: entries begin with a dash at
# the margin, fields are indented by two spaces. Nothing comes out if there is none.
field() {
	awk -v name="$1:" '
		function flush() { if (flavor == "alpine-netboot" && value != "" && !done) { print value; done = 1 } flavor = value = "" }
		/^-/ { flush() }
		/^  [a-z0-9]+:/ { if ($1 == "flavor:") flavor = $2; if ($1 == name) value = $2 }
		END { flush() }' "$list" | tr -d '"\r'
}

# checked NAME PATTERN: the field, if it has the form that it must have.
checked() {
	value=$(field "$1")
	printf '%s\n' "$value" | grep -Exq "$2" ||
		gb_die "$mirror/latest-stable/releases/$arch/latest-releases.yaml is not the list of releases that Alpine has (no good '$1' for alpine-netboot)"
	printf '%s\n' "$value"
}

check_sum() {
	sum=$(field sha512)
	tool=sha512sum digits=128
	[ -n "$sum" ] || { sum=$(checked sha256 '[0-9a-f]{64}') && tool=sha256sum digits=64; }
	printf '%s\n' "$sum" | grep -Exq "[0-9a-f]{$digits}" || gb_die "the checksum of $file in Alpine's list is damaged"
	[ "$($tool <"$gb_work/$file" | cut -d' ' -f1)" = "$sum" ] ||
		gb_die "$file from $mirror does not have the checksum that Alpine's list gives: nothing was kept. Try again, or another mirror"
}

gb_need run curl flock tar gzip
gb_stamp=$gb_cache/.known-alpine-$(gb_hash alpine.sh extract-vmlinux.sh -- "$mirror")
if [ "$update" = no ] && [ -r "$gb_stamp" ]; then
	target=$(cat "$gb_stamp")
	[ ! -d "$target" ] || { printf '%s\n' "$target"; exit 0; }
fi

gb_begin alpine
list=$gb_work/latest-releases.yaml
fetch "$mirror/latest-stable/releases/$arch/latest-releases.yaml" "$list" 1000000
file=$(checked file "alpine-netboot-[0-9][0-9.]*-$arch\.tar\.gz")
version=$(checked version '[0-9][0-9.]*')
branch=$(checked branch 'v[0-9][0-9.]*')
target=$gb_cache/alpine-$(gb_hash alpine.sh extract-vmlinux.sh "$list" -- "$mirror")
[ ! -d "$target" ] || { gb_found "$target"; exit 0; }
releases=$mirror/$branch/releases/$arch
gb_say "fetching Alpine Linux $version from $mirror"
fetch "$releases/$file" "$gb_work/$file" 1000000000
check_sum
mkdir "$gb_work/tar" "$gb_work/out"
tar -C "$gb_work/tar" -xzf "$gb_work/$file" --wildcards '*boot/vmlinuz-virt' '*boot/initramfs-virt' '*boot/modloop-virt' 2>"$gb_work/tar.log" ||
	gb_die "$file does not hold what is expected: $(head -n 1 "$gb_work/tar.log")"
for pair in vmlinuz-virt:bzImage initramfs-virt:initramfs modloop-virt:modloop; do
	found=$(find "$gb_work/tar" -type f -name "${pair%:*}" | head -n 1)
	[ -n "$found" ] || gb_die "$file holds no ${pair%:*}"
	mv "$found" "$gb_work/out/${pair#*:}"
done
./extract-vmlinux.sh "$gb_work/out/bzImage" "$gb_work/out/vmlinux" || gb_die "cannot take the kernel out of vmlinuz-virt"
printf '%s\n' "$version" >"$gb_work/out/version"
printf '%s\n' "$branch" >"$gb_work/out/branch"
# A string in the setup code of every bzImage, at 0x200 more than kernel_version (0x20e) says, begins with the release.
at=$(od -An -v -t u2 -j 526 -N 2 "$gb_work/out/bzImage" | tr -d ' \n')
tail -c +$((at + 513)) "$gb_work/out/bzImage" | head -c 64 | tr '\0 ' '\n\n' | head -n 1 >"$gb_work/out/release"
printf 'ip=dhcp alpine_repo=%s/%s/main modloop=%s/netboot-%s/modloop-virt\n' "$mirror" "$branch" "$releases" "$version" >"$gb_work/out/append"
gb_publish "$gb_work/out" "$target"
gb_say "made Alpine Linux $version (Linux $(cat "$target/release"))"
gb_found "$target"
