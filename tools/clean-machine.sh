#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Runs a command in a clean Debian that has nothing but the distribution, git, make and gcc.
#
# usage (as root): tools/clean-machine.sh [--user] bookworm|trixie DIR [COMMAND...]
#
# DIR/SUITE is made with debootstrap once and kept as DIR/SUITE.tar; each call starts from that, with a
# fresh clone of this repository at /root/glassbox. Without a command: make check. DIR/SUITE stays for a look.
# --user: sudo is installed, too, and the command is run by an ordinary user who may use it, in
# /home/user/glassbox, with the PATH that Debian gives ordinary users.
set -eu
as_user=no
[ "${1:-}" != --user ] || { as_user=yes; shift; }
[ $# -ge 2 ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
suite=$1 dir=$2
shift 2
top=$(cd "$(dirname "$0")/.." && pwd)
root=$dir/$suite

mirror() {
	apt-get indextargets --format '$(REPO_URI)|$(COMPONENT)|$(ORIGIN)' 'Identifier: Packages' |
		awk -F'|' '$2 == "main" && $3 == "Debian" { print $1; exit }'
}

make_base() {
	rm -rf "${root:?}"
	mkdir -p "$dir"
	debootstrap --include=git,make,gcc,ca-certificates "$suite" "$root" "$(mirror)" >&2
	tar -C "$root" -cf "$dir/$suite.tar.new" .
	mv "$dir/$suite.tar.new" "$dir/$suite.tar"
}

make_user() {
	chroot "$root" apt-get -q update >&2
	chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends sudo >&2
	chroot "$root" /usr/sbin/useradd --create-home --shell /bin/bash user
	echo 'user ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/user"
	chmod 440 "$root/etc/sudoers.d/user"
}

unmount() {
	for m in dev/shm dev/pts dev proc sys .; do
		! mountpoint -q "$root/$m" || umount -l "$root/$m"
	done
}

unmount
[ -f "$dir/$suite.tar" ] || make_base
rm -rf "${root:?}"
mkdir -p "$root"
tar -C "$root" -xf "$dir/$suite.tar"
trap unmount EXIT
trap 'exit 130' INT TERM
mount --bind "$root" "$root"
for m in proc sys dev dev/pts; do
	mount --bind "/$m" "$root/$m"
done
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ ! -d /etc/apt/apt.conf.d ] || cp -n /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/"
# The network is this machine's, and so are the authorities that vouch for it.
mkdir -p "$root/usr/local/share/ca-certificates"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
chroot "$root" update-ca-certificates >&2
home=/root path=/usr/sbin:/usr/bin:/sbin:/bin become=
if [ "$as_user" = yes ]; then
	make_user
	home=/home/user path=/usr/local/bin:/usr/bin:/bin become='setpriv --reuid user --regid user --init-groups'
fi
git clone -q "$top" "$root$home/glassbox"
[ "$as_user" = no ] || chroot "$root" chown -R user:user "$home/glassbox"
[ $# -gt 0 ] || set -- make check
# With this root alone, and not in a chroot: there the kernel refuses namespaces, which tests make.
cd "$root"
# shellcheck disable=SC2016,SC2086 # expanded inside; a list of words
unshare --mount sh -c 'pivot_root . mnt && umount -l /mnt && exec "$@"' sh \
	$become /usr/bin/env -i HOME=$home PATH=$path TERM="${TERM:-dumb}" CI="${CI:-}" \
	sh -c 'cd "$HOME/glassbox" && exec "$@"' sh "$@"
