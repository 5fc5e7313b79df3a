#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Installs the Debian packages that are missing for one or more purposes, and nothing when nothing
# is missing.
#
# usage: tools/deps.sh [--dry-run | --list] [build | run | guests | check]...
#
#   build    compile Glass Box              guests   compile the tiny guest's kernel
#   run      boot the default guest         check    run every test
#
# Without a group: build run. --dry-run says what would be installed and exits 1 if that is
# anything; --list prints the packages of the groups. It works on Debian 12 and 13 and on what
# derives from them.
set -eu

# group  package[/minimum version][|command that does as well]  what for
table() {
	cat <<'END'
build   gcc|cc                          the C compiler (12 or newer)
build   libc6-dev                       C headers, and the static libc of programs that run in a guest
build   make                            the front door: make build, make run, make check
build   meson|meson                     the build system
build   ninja-build|ninja               runs the build
build   pkg-config|pkg-config           finds the libraries below
build   scdoc|scdoc                     the manual page
build   libcivetweb-dev                 HTTP and WebSocket server
build   libjansson-dev                  reading JSON
build   libpng-dev                      pictures
build   zlib1g-dev                      gzip-compressed kernels and dumps
build   liblzma-dev                     xz-compressed kernels
build   libzstd-dev                     zstd-compressed kernels
build   liblz4-dev                      lz4-compressed kernels
build   libxxhash-dev                   fast hashes of frames
run     qemu-system-x86/1:10.0          the emulator
run     binutils|readelf                which libraries the guest's programs need
run     ca-certificates                 https, for Alpine
run     curl|curl                       fetches Alpine
check   libarchive-tools                bsdtar: the archive of the programs that freeze a guest
run     lz4|lz4                         unpacks a kernel
run     xz-utils|xz                     unpacks a kernel, a kernel's source, a module
run     zstd|zstd                       unpacks a kernel
run     kmod                            depmod and modinfo: the order in which a guest's modules load
run     openssh-client|ssh              keys of a guest, and the way into it
guests  gcc|cc                          compiles the kernel
guests  make                            runs its build
guests  bc                              kernel build: timeconst.h
guests  bison                           kernel build: Kconfig
guests  flex                            kernel build: Kconfig
guests  dwarves                         kernel build: pahole makes the BTF
guests  libelf-dev                      kernel build: objtool, resolve_btfids
guests  lz4|lz4                         kernel build: compresses bzImage
guests  perl                            kernel build: scripts
guests  xz-utils|xz                     unpacks the source
check   clang|clang                     the second compiler, and libFuzzer
check   libclang-rt-dev                 the sanitizers' and libFuzzer's runtime
check   clang-format|clang-format       the style of the code
check   shellcheck|shellcheck           lints the scripts
check   nodejs|node                     runs the page's unit tests and drives the browser
check   npm|npm                         fetches what the tests of the page need
check   chromium|chromium               shows the page
check   python3|python3                 serves the mirror of the download tests
check   busybox-static                  an httpd for tests
check   curl|curl                       asks the server
check   memtest86+                      a guest that is no Linux
END
}

say() { printf 'deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

usage() {
	sed -n '/^# usage/,/^[^#]/ s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

# The version of an installed package, empty when it is not installed.
installed() {
	dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p' | head -n 1
}

# Reads table lines, prints the packages that are missing or too old.
missing() {
	while read -r _ want _; do
		command=${want#*|}
		[ "$command" != "$want" ] || command=
		want=${want%%|*}
		minimum=${want#*/}
		[ "$minimum" != "$want" ] || minimum=
		package=${want%%/*}
		[ -z "$command" ] || ! command -v "$command" >/dev/null || continue
		have=$(installed "$package")
		[ -n "$have" ] || { echo "$package"; continue; }
		[ -z "$minimum" ] || dpkg --compare-versions "$have" ge "$minimum" || echo "$package"
	done | sort -u
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

apt() {
	as_root apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2 "$@"
}

candidate() {
	LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: //p'
}

# Debian 12 has QEMU 7.2; 10.0 is in its backports. The mirror is the one that the system uses
# already.
backports_file=/etc/apt/sources.list.d/glassbox-backports.sources

backports_text() {
	# shellcheck disable=SC2016 # apt's own variables
	uri=$(apt-get indextargets --format '$(REPO_URI)|$(CODENAME)|$(RELEASE)|$(COMPONENT)' 'Identifier: Packages' |
		awk -F'|' -v c="$1" '($2 == c || $3 == c) && $4 == "main" { print $1; exit }')
	[ -n "$uri" ] || die "no apt source of $1/main found in /etc/apt: add one, then run this again"
	printf '# %s\n' 'Written by tools/deps.sh of Glass Box: QEMU 10 for this release. Remove the file to undo it.'
	printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n' "$uri" "$1"
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ ! -r "$keyring" ] || printf 'Signed-By: %s\n' "$keyring"
}

# Packages that a package of backports needs in the same version.
qemu_family='qemu-system-x86 qemu-system-common qemu-system-data'

needs_backports() {
	found=$(candidate qemu-system-x86)
	[ -n "$found" ] && [ "$found" != '(none)' ] && dpkg --compare-versions "$found" lt 1:10.0
}

install_qemu() {
	if needs_backports; then
		release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
		[ "$release" = bookworm ] ||
			die "QEMU here is $(candidate qemu-system-x86), Glass Box needs 10.0 or newer: use Debian 12 or 13, or install a newer QEMU yourself"
		if ! apt-cache policy | grep -q "n=$release-backports"; then
			text=$(backports_text "$release")
			say "QEMU $(candidate qemu-system-x86) is too old; adding $release-backports in $backports_file"
			printf '%s\n' "$text" | as_root tee "$backports_file" >/dev/null
			apt update >&2 || die "apt-get update failed after adding $backports_file: see the lines above"
		fi
		# shellcheck disable=SC2086 # a list of words
		apt install --no-install-recommends -t "$release-backports" $qemu_family >&2 || return 1
	else
		apt install --no-install-recommends qemu-system-x86 >&2 || return 1
	fi
	dpkg --compare-versions "$(installed qemu-system-x86)" ge 1:10.0 ||
		die "QEMU $(installed qemu-system-x86) was installed, but Glass Box needs 10.0 or newer"
}

mode=install groups=""
for arg; do
	case $arg in
	--dry-run) mode=dry ;;
	--list) mode=list ;;
	build | run | guests | check) groups="$groups $arg" ;;
	*) usage ;;
	esac
done
groups=${groups:-build run}
lines=$(table | awk -v groups="$groups" 'BEGIN { n = split(groups, g, " "); for (i = 1; i <= n; i++) want[g[i]] = 1 } $1 in want')

if [ "$mode" = list ]; then
	printf '%s\n' "$lines" | awk '{ sub(/[\/|].*/, "", $2); print $2 }' | sort -u
	exit 0
fi
if ! [ -x /usr/bin/dpkg-query ] || ! [ -x /usr/bin/apt-get ]; then
	die "this is no Debian (no apt): install by hand what 'tools/deps.sh --list$groups' prints, with QEMU 10.0 or newer"
fi
packages=$(printf '%s\n' "$lines" | missing | tr '\n' ' ')
packages=${packages% }
[ -n "$packages" ] || exit 0

say "missing for $(echo $groups | sed 's/ / and /g'): $packages"
[ "$mode" = install ] || exit 1
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
	die "neither root nor sudo: run this as root:  apt-get install --no-install-recommends $packages"
fi
[ "$(id -u)" = 0 ] && with= || with=' with sudo'
say "installing them with apt$with"
apt update >&2 || die "apt-get update failed: is there a network, and are /etc/apt/sources.list* right? The lines above say which mirror"
case " $packages " in
*' qemu-system-x86 '*)
	install_qemu || die "apt could not install QEMU: the lines above say why"
	packages=$(printf '%s\n' $packages | grep -vx qemu-system-x86 | tr '\n' ' ')
	;;
esac
if [ -n "${packages% }" ]; then
	# shellcheck disable=SC2086 # a list of words
	apt install --no-install-recommends $packages >&2 || die "apt could not install: $packages (the lines above say why)"
fi
left=$(printf '%s\n' "$lines" | missing | tr '\n' ' ')
[ -z "$left" ] || die "still missing after the installation: $left"
say "done"
