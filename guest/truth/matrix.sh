#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The frozen guests that src/kernel is tested on: which there are, and where.
#
# usage: guest/truth/matrix.sh            lists the rows
#        guest/truth/matrix.sh ROW        makes the row's image if need be (2 to 6 s), prints its directory (see run.sh)
#
# Exit code 77: this release of Debian does not have the row's kernel. Images are cached, 50 to 200 MB each, under the hash of
# all that they come from; those of a row that have not been asked for in a day go when a new one is made.
set -eu
cd "$(dirname "$0")/.."
gb_tool=matrix
# shellcheck source-path=SCRIPTDIR/..
# shellcheck source=lib.sh
. ./lib.sh

# vmlinux boots by PVH, without KASLR and always with four levels; bzImage with KASLR.
#
# row                   kernel       file     mem    cpu               machine  more for run.sh
table() {
	cat <<'END'
tiny-pvh                tiny         vmlinux  96M    qemu64            q35
tiny-pvh-la57           tiny         vmlinux  96M    max               q35
tiny-microvm            tiny         vmlinux  96M    qemu64            microvm,acpi=off
tiny-kaslr              tiny         bzImage  96M    qemu64            q35
tiny-kaslr-5level       tiny         bzImage  96M    qemu64,+la57      q35
tiny-split              tiny         bzImage  3072M  qemu64            q35
tiny-storm-2cpu         tiny         vmlinux  96M    qemu64            q35      --smp 2 --storm
debian61-pvh            debian-6.1   vmlinux  160M   qemu64            q35
debian61-kaslr          debian-6.1   bzImage  160M   qemu64            q35
debian61-kaslr-5level   debian-6.1   bzImage  160M   qemu64,+la57      q35
debian61-pti            debian-6.1   bzImage  160M   qemu64            q35      --append pti=on
debian612-pvh           debian-6.12  vmlinux  160M   qemu64            q35
debian612-kaslr         debian-6.12  bzImage  160M   qemu64            q35
debian612-kaslr-5level  debian-6.12  bzImage  160M   qemu64,+la57      q35
debian612-split         debian-6.12  bzImage  3072M  max               q35
debian612-2cpu          debian-6.12  bzImage  192M   max               q35      --smp 2
END
}

kernel_dir() {
	case $1 in
	tiny) ./tiny.sh ;;
	debian-*) ./debian.sh --kernel "${1#debian-}" ;;
	esac
}

[ $# -gt 0 ] || { table; exit 0; }
[ $# -eq 1 ] || { sed -n 's/^# \{0,1\}//; 6,7p' truth/matrix.sh >&2; exit 2; }
line=$(table | awk -v row="$1" '$1 == row')
[ -n "$line" ] || gb_die "there is no row '$1': guest/truth/matrix.sh lists them"
gb_need build cc
gb_need run qemu-system-x86_64 flock
# shellcheck disable=SC2086 # the words of the line
set -- $line
row=$1 kernel=$2 file=$3 mem=$4 cpu=$5 machine=$6
shift 6
directory=$(kernel_dir "$kernel") || exit $?
userland=$(./initramfs.sh)
image=$gb_cache/frozen-$row-$(gb_hash truth/run.sh truth/*.[ch] seed.sh cpio.c -- "$line" "${directory##*/}" "${userland##*/}" \
	"$(qemu-system-x86_64 --version)" "$(cc -dumpfullversion)")
if [ ! -d "$image" ]; then
	gb_begin "frozen-$row"
	if [ ! -d "$image" ]; then
		find "$gb_cache" -maxdepth 1 -name "frozen-$row-*" -mmin +1440 -exec rm -rf {} +
		truth/run.sh "$@" "$directory/$file" "$mem" "$cpu" "$machine" "$gb_work/image" >&2
		gb_publish "$gb_work/image" "$image"
	fi
fi
touch "$image"
printf '%s\n' "$image"
