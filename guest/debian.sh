#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Takes Debian's cloud kernel out of the archive, without installing it, and caches it.
#
# usage: guest/debian.sh [--kernel X.Y]      prints the directory with the kernel
#
# Without --kernel: the kernel that linux-image-cloud-amd64 of the running release stands for. With
# it: the newest cloud kernel of that series that apt knows (6.12 on Debian 12, too), exit code 77 if
# it knows none. The directory
# holds bzImage (as Debian ships it; boots with KASLR), vmlinux (the ELF in it; boots by PVH),
# config, release, package, and modules.cpio: what a guest needs for a network card and a disk of
# virtio, with /etc/glassbox/modules naming those to load.
set -eu
cd "$(dirname "$0")"
gb_tool=debian
. ./lib.sh

usage() { sed -n 's/^# usage/usage/p' debian.sh >&2; exit 2; }
series=
case $# in
0) ;;
2) [ "$1" = --kernel ] || usage
	series=$2
	;;
*) usage ;;
esac
case $series in
*[!0-9.]*) gb_die "'$series' is no kernel series: say for example --kernel 6.12" ;;
esac

# Prints PACKAGE=VERSION of the image to take.
wanted_image() {
	if [ -z "$series" ]; then
		image=$(apt-cache depends --important linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1)
	else
		image=$(apt-cache pkgnames linux-image- | grep -E "^linux-image-$(printf %s "$series" | sed 's/\./\\./g')[.+].*cloud-amd64\$" |
			sort -V | tail -n 1)
	fi
	[ -z "$image" ] || gb_deb_versions "$image"
}

# The modules that are loaded at boot, and a few more that can be, with all that they need.
loaded='virtio_pci virtio_net'
carried="$loaded virtio_blk virtio_console"

# Prints the files of modules and what they need, in the order of loading. A module that is built in
# has none.
module_files() {
	for module; do
		modprobe -d "$PWD/mod" -S "$release" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | awk '!($0 in seen) { seen[$0] = 1; print }'
}

# /lib/modules with the few modules, decompressed, as a cpio archive.
collect_modules() {
	mkdir mod
	[ ! -d pkg/lib/modules ] || mv pkg/lib mod/lib
	[ ! -d pkg/usr/lib/modules ] || { mkdir -p mod/lib && mv pkg/usr/lib/modules mod/lib/; }
	depmod -b "$PWD/mod" "$release"
	# shellcheck disable=SC2086 # a list of words
	module_files $carried >carried.list
	# shellcheck disable=SC2086 # a list of words
	module_files $loaded >loaded.list
	in_guest=lib/modules/$release
	mkdir -p "few/$in_guest"
	while read -r file; do
		name=${file##*/}
		case $name in
		*.ko) cp "$file" "few/$in_guest/$name" ;;
		*.ko.xz) xz -dc "$file" >"few/$in_guest/${name%.xz}" ;;
		*.ko.zst) zstd -dcq "$file" >"few/$in_guest/${name%.zst}" ;;
		*) gb_die "$file: a module in a form that is unknown here" ;;
		esac
	done <carried.list
	cp "mod/$in_guest"/modules.builtin* "mod/$in_guest/modules.order" "few/$in_guest/"
	depmod -b "$PWD/few" "$release"
	sed "s,.*/,/$in_guest/,; s,\.ko\..*,.ko," loaded.list >modules
	{
		echo "dir lib/modules/$release 0755 0"
		for file in "few/$in_guest"/*.ko "few/$in_guest/modules.dep"; do
			echo "file ${file#few/} $file 0644 0"
		done
		echo 'file etc/glassbox/modules modules 0644 0'
	} >list
	gb_cpio list out/modules.cpio
}

gb_need run apt-get apt-cache dpkg-deb modprobe depmod flock lz4 xz zstd od
recipe=$(cat debian.sh extract-vmlinux.sh cpio.c)
! gb_known debian -- "$series" "$recipe" || exit 0
image=$(wanted_image)
if [ -z "$image" ]; then
	if [ -n "$series" ]; then
		gb_say "apt knows no cloud kernel $series: 'apt-cache pkgnames linux-image- | grep cloud' lists those it knows"
		exit 77
	fi
	gb_die "apt knows no linux-image-cloud-amd64: this needs Debian's archive for amd64 (and a run of apt-get update)"
fi
target=$gb_cache/debian-$(gb_hash -- "$image" "$recipe")
[ ! -d "$target" ] || { gb_found "$target"; exit 0; }

gb_begin debian
[ ! -d "$target" ] || { gb_found "$target"; exit 0; }
gb_say "fetching ${image%=*} ${image#*=} from Debian (not installing it)"
gb_deb "$gb_work/pkg" "$image"
mkdir "$gb_work/out"
here=$PWD
cd "$gb_work"
for kernel in pkg/boot/vmlinuz-* pkg/usr/lib/modules/*/vmlinuz*; do
	[ ! -f "$kernel" ] || mv "$kernel" out/bzImage
done
[ -f out/bzImage ] || gb_die "the package $image holds no kernel where it is looked for"
release=$(find pkg/lib/modules pkg/usr/lib/modules -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | head -n 1)
[ -n "$release" ] || gb_die "the package $image holds no modules"
"$here/extract-vmlinux.sh" out/bzImage out/vmlinux || gb_die "cannot take the kernel out of $image"
[ ! -f "pkg/boot/config-$release" ] || cp "pkg/boot/config-$release" out/config
printf '%s\n' "$release" >out/release
printf '%s\n' "$image" >out/package
collect_modules
gb_publish out "$target"
gb_say "made Linux $release for the Debian guest"
gb_found "$target"
