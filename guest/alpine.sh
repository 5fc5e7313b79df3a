#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Fetches Alpine Linux's netboot kernel and initramfs from a mirror, verified, and caches them.
#
# usage: guest/alpine.sh [--branch latest-stable|edge|vX.Y] [--refresh]      prints the directory with the guest
#
# The directory holds bzImage (as Alpine ships it), vmlinux (the ELF in it; boots by PVH), initrd, append (what the kernel's
# command line must say besides console=ttyS0), version and release. The guest needs 256 MiB, a network card of virtio and a
# way to the mirror: its userland is installed into its RAM at each boot.
#
# GLASSBOX_ALPINE_MIRROR names another mirror. The mirror is asked for news once a day, or with --refresh. Where it cannot be
# reached, what was fetched earlier is taken. On the mirror, BRANCH/releases/x86_64/latest-releases.yaml (written by aports'
# scripts/mkimage-yaml.sh) is a list with an item an image: keys indented by two spaces, the checksums among them; and
# alpine-netboot-VERSION-x86_64.tar.gz (scripts/mkimg.netboot.sh) has plain files under boot/, nothing else.
set -eu
cd "$(dirname "$0")"
gb_tool=alpine
. ./lib.sh

usage() { sed -n 's/^# \{0,1\}//; 6p' alpine.sh >&2; exit 2; }

mirror=${GLASSBOX_ALPINE_MIRROR:-https://dl-cdn.alpinelinux.org/alpine} branch=latest-stable refresh=
while [ $# -gt 0 ]; do
	case $1 in
	--branch)
		[ $# -ge 2 ] || usage
		branch=$2
		shift 2
		;;
	--refresh)
		refresh=1
		shift
		;;
	*) usage ;;
	esac
done

# matches TEXT PATTERN: the text is one line, and the whole of it is what the extended regular expression says.
matches() { [ "$(printf '%s\n' "$1" | wc -l)" -eq 1 ] && printf '%s\n' "$1" | grep -Eqx -- "$2"; }

# The mirror's address stands in the guest's kernel command line, which Alpine's init evaluates as shell words.
mirror=${mirror%/}
matches "$mirror" 'https?://[A-Za-z0-9._:/~%-]+' ||
	gb_die "GLASSBOX_ALPINE_MIRROR is '$mirror': it must be the address of a mirror, like https://dl-cdn.alpinelinux.org/alpine"
matches "$branch" 'latest-stable|edge|v[0-9]+[.][0-9]+' || gb_die "'$branch' is no branch of Alpine: say latest-stable, edge or v3.22"

index_limit=1048576 archive_limit=1073741824 kernel_limit=67108864 initrd_limit=268435456
day=1440 # minutes

# Why curl failed. The network's fault leads to what was fetched earlier, if there is that.
explain() {
	case $1 in
	6) echo "its name cannot be resolved: is there a network? (GLASSBOX_ALPINE_MIRROR names another mirror)" ;;
	7 | 52 | 56) echo "it cannot be reached: is there a network, or a proxy to be set in https_proxy? (GLASSBOX_ALPINE_MIRROR names another mirror)" ;;
	18) echo "the transfer ended early: try again" ;;
	22) echo "it answers HTTP $2: is GLASSBOX_ALPINE_MIRROR ($mirror) a mirror of Alpine, with the branch $branch?" ;;
	23) echo "cannot write it: is the disk full? See df -h $gb_cache" ;;
	28) echo "it sends nothing: try again, or set GLASSBOX_ALPINE_MIRROR to another mirror" ;;
	35 | 51 | 53 | 54 | 58 | 59 | 60 | 77 | 83) echo "the connection is not secure (curl error $1): are ca-certificates installed and the clock right?" ;;
	63) echo "it is larger than it may be: this is no mirror of Alpine" ;;
	*) echo "curl failed with error $1 (see man curl)" ;;
	esac
}

# fetch FILE URL LIMIT: sets curl_status; does not fail by itself. A limit on the size of files ends what has no announced length.
fetch() {
	quiet=--silent redirects='=https' code=000 curl_status=0
	case $2 in http:*) redirects='=http,https' ;; esac
	if [ -t 2 ] && [ "$3" -gt "$index_limit" ]; then quiet=--progress-bar; fi
	code=$(
		trap '' XFSZ
		ulimit -f $(($3 / 512 + 1)) 2>/dev/null || : # there is a lower limit
		exec curl --fail "$quiet" --location --max-redirs 5 --proto '=http,https' --proto-redir "$redirects" --connect-timeout 20 \
			--speed-limit 1024 --speed-time 30 --retry 2 --max-filesize "$3" --write-out '%{http_code}' --output "$1" "$2"
	) || curl_status=$?
	if [ "$curl_status" = 23 ] && [ "$(wc -c <"$1" 2>/dev/null || echo 0)" -ge "$3" ]; then curl_status=63; fi
	case $curl_status$code in 63[45]??) curl_status=22 ;; esac # the error's page is larger than the file would have been
}

# The newest guest that was made earlier, from whatever mirror.
earlier() {
	found=$(find "$gb_cache" -mindepth 2 -maxdepth 2 -path '*/alpine-*/append' -printf '%T@ %h\n' | sort -n | sed -n '$s/^[^ ]* //p')
	[ -n "$found" ] && printf '%s\n' "$found"
}

read_index() {
	url=$mirror/$branch/releases/x86_64/latest-releases.yaml
	fetch "$gb_work/index" "$url" $index_limit
	[ "$curl_status" != 0 ] || return 0
	case $curl_status in
	6 | 7 | 28)
		if found=$(earlier); then
			gb_say "$url: $(explain "$curl_status" "$code")"
			gb_say "taking Alpine $(cat "$found/version"), which was fetched earlier"
			printf '%s\n' "$found"
			exit 0
		fi
		;;
	esac
	gb_die "$url: $(explain "$curl_status" "$code")"
}

# index_value KEY: of the netboot archive of this architecture.
index_value() {
	tr -d '\r' <"$gb_work/index" | awk -v want="$1" '
		function item_end() { if (v["flavor"] == "alpine-netboot" && v["arch"] == "x86_64" && !done) { print v[want]; done = 1 } split("", v) }
		/^-/ { item_end() }
		/^  [a-z0-9]+: / { key = $1; sub(":", "", key); sub(/^  [a-z0-9]+: */, ""); gsub(/^"|"$/, ""); v[key] = $0 }
		END { item_end() }'
}

parse_index() {
	for key in version branch file size sha256 sha512; do
		eval "$key=\$(index_value $key)"
	done
	# shellcheck disable=SC2154 # set by eval
	matches "$version" '[0-9]+([.][0-9]+)+(_[a-z]+[0-9]*)?' && matches "$branch" 'edge|v[0-9]+[.][0-9]+' &&
		[ "$file" = "alpine-netboot-$version-x86_64.tar.gz" ] && matches "$sha256" '[0-9a-f]{64}' && matches "$sha512" '[0-9a-f]{128}' &&
		matches "$size" '[1-9][0-9]{0,9}' && [ "$size" -le $archive_limit ] ||
		gb_die "$url names no netboot archive in a form that is understood here: is $mirror a mirror of Alpine?"
}

fetch_archive() {
	url=$mirror/$branch/releases/x86_64/$file archive=$gb_work/archive.tar.gz
	gb_say "fetching Alpine $version from $mirror ($((size / 1048576)) MiB)"
	fetch "$archive" "$url" "$size"
	[ "$curl_status" = 0 ] || gb_die "$url: $(explain "$curl_status" "$code")"
	have=$(wc -c <"$archive")
	[ "$have" -eq "$size" ] || gb_die "$url has $have bytes, not $size as announced: the mirror may be changing just now; try again later"
	[ "$(sha256sum <"$archive")" = "$sha256  -" ] && [ "$(sha512sum <"$archive")" = "$sha512  -" ] ||
		gb_die "$url is not what the mirror's list says (checksum mismatch): it was damaged or replaced; nothing is kept. Try another mirror"
}

# Nothing in the archive ever names a file here: two members are read into files of our own, and an odd archive is refused whole.
unpacked() { gzip -dc "$archive" 2>/dev/null | head -c 2147483648; }

check_archive() {
	unpacked | tar --numeric-owner --quoting-style=escape -tvf - >"$gb_work/list" 2>/dev/null || gb_die "$url is no tar archive, or a damaged one"
	odd=$(awk '{ ok = /^d/ && $NF == "boot/" || /^-/ && NF == 6 && $NF ~ /^boot\/[A-Za-z0-9._+-]+$/ } !ok || seen[$NF]++ { print; exit }' \
		"$gb_work/list")
	[ -z "$odd" ] || gb_die "$url holds what no netboot archive of Alpine holds: $odd"
}

member() { # NAME FILE LIMIT
	unpacked | tar -xOf - "$1" 2>/dev/null | head -c $(($3 + 1)) >"$2" || gb_die "cannot write $2: is the disk full?"
	[ -s "$2" ] || gb_die "$url holds no $1"
	[ "$(wc -c <"$2")" -le "$3" ] || gb_die "$1 in $url is larger than $(($3 / 1048576)) MiB"
}

# A mirror on this machine is at 10.0.2.2 for the guest.
write_append() {
	seen_from_guest=$(printf '%s\n' "$mirror" | sed -E 's,^(https?://)(127\.0\.0\.1|localhost)([:/]|$),\110.0.2.2\3,')
	printf 'ip=dhcp alpine_repo=%s/%s/main modloop=%s/%s/releases/x86_64/netboot-%s/modloop-virt\n' \
		"$seen_from_guest" "$branch" "$seen_from_guest" "$branch" "$version"
}

gb_need run curl flock gzip tar
recipe=$(cat alpine.sh extract-vmlinux.sh)
gb_stamp=$gb_cache/.known-alpine-$(gb_hash -- "$mirror" "$branch" "$recipe")
if [ -z "$refresh" ] && [ -n "$(find "$gb_stamp" -mmin -$day 2>/dev/null)" ]; then
	target=$(cat "$gb_stamp")
	[ ! -d "$target" ] || { printf '%s\n' "$target"; exit 0; }
fi
gb_begin alpine
read_index
parse_index
target=$gb_cache/alpine-$(gb_hash -- "$version" "$sha512" "$mirror" "$recipe")
[ ! -d "$target" ] || { gb_found "$target"; exit 0; }
fetch_archive
check_archive
out=$gb_work/out
mkdir "$out"
member boot/vmlinuz-virt "$out/bzImage" $kernel_limit
member boot/initramfs-virt "$out/initrd" $initrd_limit
./extract-vmlinux.sh "$out/bzImage" "$out/vmlinux" || gb_die "$url holds a kernel that is not understood"
write_append >"$out/append"
printf '%s\n' "$version" >"$out/version"
grep -a -o -m 1 'Linux version [0-9][^ ]*' "$out/vmlinux" | sed -n '1s/.* //p' >"$out/release"
gb_publish "$out" "$target"
gb_say "made Alpine $version, Linux $(cat "$target/release")"
gb_found "$target"
