#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Takes the ELF kernel out of a bzImage, so that it can be booted by PVH without the kernel's own
# decompressor.
#
# usage: guest/extract-vmlinux.sh BZIMAGE VMLINUX
#
# The x86 boot protocol (Documentation/arch/x86/boot.rst) names the compressed payload since version
# 2.08 (Linux 2.6.26): setup_sects at 0x1f1 counts the sectors of 512 bytes before the
# protected-mode code, less one; payload_offset at 0x248 counts from there; payload_length at 0x24c.
# The payload ends with the size of what it holds (for gzip that belongs to the format, all others
# have it appended by scripts/Makefile.lib), so the result can be checked.
set -eu

die() { printf 'extract-vmlinux: %s\n' "$*" >&2; exit 1; }
[ $# -eq 2 ] || { echo 'usage: guest/extract-vmlinux.sh BZIMAGE VMLINUX' >&2; exit 2; }
image=$1 out=$2
[ -r "$image" ] || die "cannot read $image"

# number OFFSET BYTES: a little-endian number of the image
number() { od -An -v -t "u$2" -j "$1" -N "$2" "$image" | tr -d ' \n'; }

[ "$(od -An -v -t x1 -j 514 -N 4 "$image" | tr -d ' \n')" = 48647253 ] || die "$image is no Linux bzImage (no HdrS)"
[ "$(number 518 2)" -ge 520 ] || die "$image speaks a boot protocol older than 2.08, which does not say where the kernel is"
sectors=$(number 497 1)
[ "$sectors" != 0 ] || sectors=4
offset=$(((sectors + 1) * 512 + $(number 584 4)))
length=$(number 588 4)
total=$(wc -c <"$image")
[ $((offset + length)) -le "$total" ] || die "$image is cut short: its kernel ends at byte $((offset + length)), the file at $total"
size=$(number $((offset + length - 4)) 4)
magic=$(od -An -v -t x1 -j "$offset" -N 6 "$image" | tr -d ' \n')

payload() { tail -c +$((offset + 1)) "$image" | head -c "$1"; }
body=$((length - 4))
trap 'rm -f "$out.part"' EXIT
case $magic in
1f8b*) payload "$length" | gzip -dc ;;
fd377a585a00) payload $body | xz -dc ;;
28b52ffd*) payload $body | zstd -dcq ;;
02214c18*) payload $body | lz4 -dcq ;;
5d0000*) payload $body | xz --format=lzma -dc ;;
425a68*) payload $body | bzip2 -dc ;;
7f454c46*) payload $body ;;
*) die "$image holds a kernel in a compression that is unknown here (it begins with $magic)" ;;
esac >"$out.part" || die "cannot decompress the kernel in $image: it is damaged, or the tool for its compression is missing"
have=$(wc -c <"$out.part")
[ "$have" -eq "$size" ] || die "the kernel in $image is damaged: it should have $size bytes and has $have"
[ "$(od -An -v -t x1 -N 4 "$out.part" | tr -d ' \n')" = 7f454c46 ] || die "what $image holds is no ELF file"
mv "$out.part" "$out"
