#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Boots a guest with a workload, freezes it, leaves its RAM and what its own kernel said about itself at that moment.
#
# usage: guest/truth/run.sh [--smp N] [--append WORDS] [--storm] KERNEL MEM CPU MACHINE OUTDIR
#
# KERNEL is a vmlinux (PVH, no KASLR) or bzImage (KASLR); a modules.cpio beside it is used. MEM as QEMU takes it (64M), CPU and MACHINE
# too: qemu64, qemu64,+la57, max; q35, pc, microvm. A kernel uses five levels of page tables if the CPU has la57 and it came as a
# bzImage: it is the decompressor that switches. --storm: processes that fork without end are caught in the act.
# OUTDIR must not be there; it appears at the end, complete, with
#   ram.img       the frozen RAM, sparse                         truth.bin     see truth.h
#   layout.json   where in ram.img a guest-physical address is   console.log   what the guest printed
set -eu
caller=$PWD
cd "$(dirname "$0")/.."
gb_tool=truth
# shellcheck source-path=SCRIPTDIR/..
# shellcheck source=lib.sh
. ./lib.sh

usage() { sed -n 's/^# \{0,1\}//; 6p' truth/run.sh >&2; exit 2; }
smp=1 append='' storm=''
while [ $# -gt 5 ]; do
	case $1 in
	--smp) smp=$2 && shift ;;
	--append) append=$2 && shift ;;
	--storm) storm=--storm ;;
	*) usage ;;
	esac
	shift
done
[ $# -eq 5 ] || usage
absolute() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$caller/$1" ;; esac; }
kernel=$(absolute "$1") mem=$2 cpu=$3 machine=$4 out=$(absolute "$5")
[ -r "$kernel" ] || gb_die "cannot read the kernel $kernel"
[ ! -e "$out" ] || gb_die "$out is there already: name a directory that is not"
case $mem in
*[!0-9M]* | M*) gb_die "'$mem' is no size: say for example 128M" ;;
*M) ;;
*) gb_die "'$mem' is no size in M: say for example 128M" ;;
esac
case $smp in
'' | *[!0-9]* | 0) gb_die "'$smp' is no number of processors" ;;
esac

# The programs, as an archive for the guest, and the one that gathers the truth here.
make_programs() {
	set -- truth/*.[ch] cpio.c
	! gb_known truth "$@" -- "$compiler" || return 0
	target=$gb_cache/truth-$(gb_hash "$@" -- "$compiler")
	gb_begin truth
	if [ ! -d "$target" ]; then
		mkdir "$gb_work/out"
		for program in freeze work; do
			cc -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$gb_work/$program" "truth/$program.c" || gb_die "cannot compile $program.c"
		done
		cc -std=gnu17 -D_GNU_SOURCE -O2 -o "$gb_work/out/truth" truth/truth.c || gb_die "cannot compile truth.c"
		{
			echo 'dir truth 0755 0'
			for program in freeze work; do
				echo "file truth/$program $program 0755 0"
			done
		} >"$gb_work/list"
		(cd "$gb_work" && gb_cpio list out/truth.cpio)
		gb_publish "$gb_work/out" "$target"
	fi
	gb_found "$target"
}

# The map of guest-physical addresses onto the file, from QEMU itself: the lines of the flat view of all memory that are our RAM.
# Firmware hides and shows pieces below 1 MiB while it runs, and what is hidden is still in the file: pieces with one difference
# between address and offset are one extent, with what lies between.
layout() {
	printf 'info mtree -f\nquit\n' | "$@" -S -monitor stdio | tr -d '\r' | awk '
		function number(hex,    i, n) {
			for (i = 1; i <= length(hex); i++)
				n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
			return n
		}
		/^FlatView/ { system_view = 0 }
		/Root memory region: system$/ { system_view = 1; seen++ }
		system_view && seen == 1 && / ram( |$)/ && match($1, /^[0-9a-f]+-[0-9a-f]+$/) && /\((prio [0-9-]+), (ram|rom)\): ram/ {
			split($1, ends, "-")
			offset = $NF ~ /^@/ ? substr($NF, 2) : "0"
			start = number(ends[1]); len = number(ends[2]) - start + 1; file = number(offset)
			if (n && start - file == gpa[n] - at[n]) { size[n] = start + len - gpa[n]; next }
			n++; gpa[n] = start; size[n] = len; at[n] = file
		}
		END {
			if (!n) exit 1
			printf "{\"extents\": ["
			for (i = 1; i <= n; i++)
				printf "%s{\"gpa\": %.0f, \"len\": %.0f, \"offset\": %.0f}", (i > 1 ? ", " : ""), gpa[i], size[i], at[i]
			print "]}"
		}'
}

gb_need build cc
gb_need run qemu-system-x86_64 flock
compiler=$(cc -dumpfullversion)
programs=$(make_programs)
base=$(./initramfs.sh)/initramfs.cpio
modules=${kernel%/*}/modules.cpio
[ -r "$modules" ] || modules=''
mkdir -p "${out%/*}"
[ -d /dev/shm ] && [ -w /dev/shm ] && tmpfs=/dev/shm || tmpfs=${TMPDIR:-/tmp}
dir=$(mktemp -d "$tmpfs/glassbox-truth.XXXXXX")
made='' qemu=''
finish() {
	[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :
	rm -rf "$dir" ${made:+"$made"}
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# kallsyms takes most, 7 MB on Debian; the frames 32 bytes each.
megabytes=$((10 + ${mem%M} / 64))
# A freeze that comes back has failed, and with -no-reboot a reboot ends QEMU.
./seed.sh --out "$dir" --name truth "$base" ${modules:+"$modules"} "$programs/truth.cpio" -- \
	/bin/sh -c "/truth/freeze $megabytes /truth/work $storm; reboot -f"
words="console=ttyS0 loglevel=4 no_timer_check panic=-1 $append"
[ "$smp" != 1 ] || words="$words nolapic_timer"
set -- qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -accel tcg \
	-machine "$machine,memory-backend=ram" -cpu "$cpu" -smp "$smp" -m "$mem" \
	-object "memory-backend-file,id=ram,size=$mem,mem-path=$dir/ram.img,share=on" \
	-device isa-debug-exit,iobase=0x501,iosize=4
layout "$@" >"$dir/layout.json" || gb_die "QEMU did not say where the RAM lies"
rm -f "$dir/ram.img"
case $machine in
microvm*) set -- "$@" -netdev user,id=net,restrict=on -device virtio-net-device,netdev=net ;;
*) set -- "$@" -netdev user,id=net,restrict=on -device virtio-net-pci,netdev=net,romfile= ;;
esac
# The guest's clock counts instructions: on a busy host, too, the readings take little of its time.
timeout 300 "$@" -icount shift=0,sleep=off -kernel "$kernel" -initrd "$dir/initrd" -append "$words" \
	-chardev "file,id=console,path=$dir/console.log" -device isa-serial,chardev=console \
	-chardev "file,id=control,path=$dir/control" -device isa-serial,chardev=control </dev/null &
qemu=$!
code=0
wait "$qemu" || code=$?
qemu=''
if [ "$code" != 85 ]; then
	tail -n 5 "$dir/console.log" "$dir/control" >&2
	gb_die "the guest did not freeze itself (QEMU ended with $code; above is what it said last)"
fi
"$programs/truth" unpack "$dir/ram.img" "$dir/truth.bin" || gb_die "the frozen RAM holds no truth"
made=$(mktemp -d "${out%/*}/.${out##*/}.XXXXXX")
cp --sparse=always "$dir/ram.img" "$dir/truth.bin" "$dir/layout.json" "$dir/console.log" "$made/" ||
	gb_die "cannot write to ${out%/*}: is the disk full?"
chmod 755 "$made"
chmod 644 "$made"/*
mv -T "$made" "$out" || gb_die "cannot rename $made to $out: somebody else made it meanwhile"
made=''
