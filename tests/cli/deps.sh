#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# tools/deps.sh: what it says and returns without installing anything. An empty package database stands for a bare machine.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. tests/tap.sh

# says CODE WORDS COMMAND...: the exit code, and what standard error holds.
says() {
	code=$1 words=$2
	shift 2
	status=0
	"$@" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = "$code" ] && grep -qE -- "$words" "$work/err"
}

mkdir -p "$work/bare/updates" "$work/bare/info"
: >"$work/bare/status"
chmod -R go+rX "$work"

says 2 '^usage: tools/deps.sh' tools/deps.sh everything
report $? "an unknown group is a usage error"
tools/deps.sh --list run >"$work/out" 2>"$work/err" && grep -qx qemu-system-x86 "$work/out" && ! grep -q '[|/ ]' "$work/out"
report $? "--list prints names of packages"
says 1 'missing for build: .*libjansson-dev' env DPKG_ADMINDIR="$work/bare" tools/deps.sh --dry-run build && ! grep -qw gcc "$work/err"
report $? "--dry-run names what is missing, but not a compiler that is there by another name"
sed 's,^run     qemu-system-x86/1:10\.0 ,run     qemu-system-x86/9:99.0 ,' tools/deps.sh >"$work/deps.sh"
says 1 'missing for run: qemu-system-x86$' sh "$work/deps.sh" --dry-run run
report $? "a package that is too old is missing"
if [ "$(id -u)" = 0 ] && ! command -v sudo >/dev/null; then
	says 1 'run this as root:  apt-get install .*libjansson-dev' \
		setpriv --reuid=65534 --regid=65534 --clear-groups env DPKG_ADMINDIR="$work/bare" sh tools/deps.sh build
	report $? "neither root nor sudo: the line to run as root"
else
	number=$((number + 1))
	echo "ok $number - neither root nor sudo # SKIP needs root, and a machine without sudo"
fi
end_of_tests
