#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Makes the kernel of the tiny guest from Debian's linux-source package and guest/tiny/config, once,
# and caches it.
#
# usage: guest/tiny.sh [--variant NAME]...     prints the directory with the kernel
#
# The directory holds vmlinux (ELF, boots by PVH), bzImage (boots with KASLR), System.map, config,
# release, version and modules/*.ko. A variant adds guest/tiny/NAME.config to the configuration.
# Nothing is installed; the source is removed again. The build needs 2.5 GB of disk and about 10
# minutes of processor time.
set -eu
cd "$(dirname "$0")"
gb_tool=tiny
. ./lib.sh

usage() { sed -n 's/^# usage/usage/p' tiny.sh >&2; exit 2; }

variants='' fragments=tiny/config
while [ $# -gt 0 ]; do
	case $1 in
	--variant)
		[ $# -ge 2 ] || usage
		[ -r "tiny/$2.config" ] || gb_die "there is no variant '$2': guest/tiny/$2.config does not exist"
		variants=$variants-$2 fragments="$fragments tiny/$2.config"
		shift 2
		;;
	*) usage ;;
	esac
done
name=tiny$variants

# --- recipe: a change from here to the end of the recipe makes another kernel, and another
# directory

package=linux-source-6.12
objects=1500 # what a build compiles and links, for the progress bar only

# What is large and never compiled here; every Kconfig and Makefile stays.
excluded() {
	for tree in drivers/gpu drivers/media drivers/net/ethernet drivers/net/wireless drivers/staging drivers/infiniband \
		drivers/scsi drivers/iio drivers/usb sound tools/perf tools/testing; do
		printf '%s\n' "*/$tree/*.[chS]"
	done
	for arch in alpha arc arm arm64 csky hexagon loongarch m68k microblaze mips nios2 openrisc parisc powerpc riscv s390 sh sparc xtensa; do
		printf '%s\n' "linux-source-*/arch/$arch/*.[chS]"
	done
	printf '%s\n' '*.rst' '*.dts' '*.dtsi' '*.json' '*.svg' '*.yaml'
}

# Every line of the fragments must have survived the dependency check of Kconfig.
check_config() {
	lost=$(grep '^CONFIG_' glassbox.config | awk -F= '{ v[$1] = $0 } END { for (k in v) print v[k] }' |
		while IFS= read -r line; do
			case $line in
			*=n) ! grep -q "^${line%=n}=" "$1" || echo "$line" ;;
			*) grep -qxF "$line" "$1" || echo "$line" ;;
			esac
		done)
	[ -z "$lost" ] || gb_die "the kernel's configuration did not take these lines:
$lost"
}

build() {
	# shellcheck disable=SC2086 # a list of files
	cat $fragments >"$source/glassbox.config"
	cd "$source"
	make -s KCONFIG_ALLCONFIG=glassbox.config allnoconfig >"$log" 2>&1 || return 1
	check_config .config
	# The directory's name differs each time and must not be seen in the result.
	map=-fdebug-prefix-map=$PWD=.
	{
		nice -n 10 make -j"$(nproc)" KCFLAGS="$map" KAFLAGS="$map" KBUILD_BUILD_USER=glassbox KBUILD_BUILD_HOST=glassbox \
			KBUILD_BUILD_TIMESTAMP='2026-01-01 00:00:00 UTC' KBUILD_BUILD_VERSION=1 bzImage modules 2>&1 || echo 'BUILD FAILED'
	} | tee -a "$log" | gb_progress "$objects" "compiling the kernel (once, about 10 minutes)"
	! tail -n 1 "$log" | grep -qx 'BUILD FAILED' || return 1
}

collect() {
	mkdir "$out" "$out/modules"
	strip --strip-debug -o "$out/vmlinux" vmlinux
	cp arch/x86/boot/bzImage System.map "$out/"
	cp .config "$out/config"
	cp include/config/kernel.release "$out/release"
	printf '%s\n' "$version" >"$out/version"
	find . -name '*.ko' | sort | while read -r module; do
		strip --strip-debug -o "$out/modules/${module##*/}" "$module"
	done
	cp modules.order "$out/modules/"
}

# --- end of the recipe

gb_need guests gcc make bc bison flex pahole perl lz4 xz nice flock apt-get dpkg-deb
# shellcheck disable=SC2086 # a list of files
lines=$(grep -h '^CONFIG_' $fragments)
recipe=$(sed -n '/^# --- recipe/,/^# --- end/p' tiny.sh)
compiler=$(gcc -dumpfullversion)
! gb_known "$name" -- "$lines" "$recipe" "$compiler" || exit 0
version=$(gb_deb_versions $package)
version=${version#*=}
if [ -z "$version" ]; then
	for dir in "$gb_cache/$name"-*; do
		if [ -s "$dir/vmlinux" ]; then
			gb_say "apt knows no $package here; taking the kernel made earlier"
			printf '%s\n' "$dir"
			exit 0
		fi
	done
	gb_die "apt knows no package $package: run apt-get update (Debian 12 has it in bookworm-security, Debian 13 in trixie)"
fi
target=$gb_cache/$name-$(gb_hash -- "$lines" "$recipe" "$version" "$compiler")
[ ! -d "$target" ] || { gb_found "$target"; exit 0; }

gb_begin "$name"
[ ! -d "$target" ] || { gb_found "$target"; exit 0; }
log=$gb_work/build.log out=$gb_work/out
gb_say "fetching the source of Linux $version from Debian (150 MB)"
gb_deb "$gb_work/pkg" "$package=$version"
gb_say "unpacking it"
excluded >"$gb_work/excluded"
mkdir "$gb_work/src"
tar -C "$gb_work/src" -X "$gb_work/excluded" --wildcards -xf "$gb_work/pkg/usr/src/$package.tar.xz" ||
	gb_die "cannot unpack the source: is the disk full? It needs 2.5 GB in $gb_cache"
rm -rf "$gb_work/pkg"
source=$gb_work/src/$package
if ! (build); then
	cp "$log" "$gb_cache/$name.build.log"
	tail -n 20 "$log" >&2
	gb_die "the build failed; the whole log is $gb_cache/$name.build.log"
fi
(cd "$source" && collect)
gb_publish "$out" "$target"
gb_say "made Linux $(cat "$target/release") for the tiny guest"
gb_found "$target"
