#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Makes the userland of the built-in guests: busybox and dropbear out of Debian's archive, our PID
# 1, as one cpio archive.
#
# usage: guest/initramfs.sh      prints the directory with initramfs.cpio
#
# The archive is not compressed (unpacking it costs the guest less than decompressing), holds no key
# and no password, and is byte for byte the same whenever it is made from the same packages. Nothing
# is installed and root is not needed.
set -eu
cd "$(dirname "$0")"
gb_tool=initramfs
. ./lib.sh

[ $# -eq 0 ] || { sed -n 's/^# usage/usage/p' initramfs.sh >&2; exit 2; }

# dropbear and what it needs, each with the version that apt would take: NAME=VERSION.
wanted_packages() {
	# shellcheck disable=SC2046 # a list of words
	gb_deb_versions busybox-static $(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances dropbear-bin | grep -E '^[a-z0-9]' | grep -vE '^gcc-[0-9]+-base$')
}

# The shared libraries that the files given need, and those that these need.
needed_libraries() {
	queue="$*" seen=' '
	while [ -n "${queue# }" ]; do
		next=
		for file in $queue; do
			for name in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
				case $seen in *" $name "*) continue ;; esac
				seen="$seen$name "
				path=$(find pkg -name "$name" | head -n 1)
				[ -n "$path" ] || gb_die "$name, which ${file##*/} needs, is in none of the packages fetched"
				printf '%s\n' "$path"
				next="$next $path"
			done
		done
		queue=$next
	done
}

file() { echo "file $2 $1 $3 ${4:-0}"; }
dir() { echo "dir $1 $2 ${3:-0}"; }
link() { echo "slink $1 $2"; }

list() {
	for name in bin dev etc etc/crontabs etc/dropbear etc/glassbox home lib lib64 lib/modules mnt proc run sbin srv srv/www \
		sys tmp usr usr/bin usr/lib usr/sbin usr/local usr/local/bin var var/log var/spool var/spool/cron; do
		dir "$name" 0755
	done
	dir root 0700
	dir root/.ssh 0700
	dir home/alice 0755 1000
	dir home/alice/.ssh 0700 1000
	echo 'nod dev/console 0600 5 1'
	echo 'nod dev/null 0666 1 3'
	link var/run /run
	link var/spool/cron/crontabs /etc/crontabs
	link etc/mtab /proc/self/mounts
	file init init 0755
	link sbin/init /init
	file "$busybox" bin/busybox 0755
	for applet in $("$busybox" --list | grep -vxE 'busybox|init|linuxrc'); do
		link "bin/$applet" busybox
	done
	for applet in poweroff reboot halt; do
		link "sbin/$applet" ../bin/busybox
	done
	file pkg/usr/sbin/dropbear usr/sbin/dropbear 0755
	file pkg/usr/bin/dbclient usr/bin/dbclient 0755
	link usr/bin/ssh dbclient
	for library in $(needed_libraries pkg/usr/sbin/dropbear pkg/usr/bin/dbclient | sort); do
		case ${library##*/} in
		ld-linux*) file "$library" "lib64/${library##*/}" 0755 ;;
		*) file "$library" "lib/${library##*/}" 0644 ;;
		esac
	done
	for name in passwd group shells profile hosts hostname resolv.conf; do
		file "root/etc/$name" "etc/$name" 0644
	done
	file root/etc/shadow etc/shadow 0600
	file root/etc/crontab-root etc/crontabs/root 0600
	file root/srv/www/index.html srv/www/index.html 0644
	file root/home/alice/journal home/alice/journal 0644 1000
}

gb_need build cc
gb_need run apt-get apt-cache dpkg-deb readelf flock
inputs=$(printf '%s\n' initramfs.sh cpio.c init/*.[ch] && find root -type f | sort)
# shellcheck disable=SC2086 # a list of files
! gb_known initramfs $inputs -- "$(cc -dumpfullversion)" || exit 0
packages=$(wanted_packages)
case $packages in
*busybox-static=*dropbear-bin=*) ;;
*)
	for dir in "$gb_cache"/initramfs-*; do
		if [ -s "$dir/initramfs.cpio" ]; then
			gb_say "apt knows no busybox-static and dropbear-bin here; taking the archive made earlier"
			printf '%s\n' "$dir"
			exit 0
		fi
	done
	gb_die "apt knows no busybox-static and dropbear-bin: run apt-get update"
	;;
esac
# shellcheck disable=SC2086 # lists of words
target=$gb_cache/initramfs-$(gb_hash $inputs -- $packages "$(cc -dumpfullversion)")
[ ! -d "$target" ] || { gb_found "$target"; exit 0; }

gb_begin initramfs
[ ! -d "$target" ] || { gb_found "$target"; exit 0; }
gb_say "fetching busybox, dropbear and their libraries from Debian"
# shellcheck disable=SC2086 # a list of words
gb_deb "$gb_work/pkg" $packages
cp -r root "$gb_work/"
cc -std=gnu17 -D_GNU_SOURCE -Os -static -s -Wl,--build-id=none -o "$gb_work/init" init/*.c ||
	gb_die "cannot compile the guest's PID 1 (guest/init)"
mkdir "$gb_work/out"
cd "$gb_work"
busybox=$(find pkg -type f -path '*bin/busybox')
[ -x "$busybox" ] || gb_die "the package busybox-static holds no busybox"
list >list
gb_cpio list out/initramfs.cpio
printf '%s\n' "$packages" >out/packages
gb_publish "$gb_work/out" "$target"
gb_say "made the userland, $(($(wc -c <"$target/initramfs.cpio") / 1024)) KiB"
gb_found "$target"
