#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Makes the initramfs of one run of a built-in guest: the cached archives, then what belongs to this
# run alone.
#
# usage: guest/seed.sh --out DIR [--name NAME] [--port PORT] ARCHIVE.cpio... [-- COMMAND [ARGUMENT]...]
#
# Writes into DIR (which must exist, should have mode 0700 and is removed with the guest):
#   initrd       the archives and one more with: /etc/hostname, /etc/glassbox/seed (random bytes for the guest's kernel),
#                /etc/glassbox/run (the command), the guest's ssh host key, the key that may log in as root and as alice
#   ssh_key      that key's private half            known_hosts   the guest's public host key, under NAME
#   ssh_config   for: ssh -F DIR/ssh_config NAME    (with --port: where the guest's port 22 is forwarded to on 127.0.0.1)
# Nobody can log in with a password, and no two runs share a key.
set -eu
umask 077
caller=$PWD
cd "$(dirname "$0")"
gb_tool=seed
. ./lib.sh

usage() { sed -n 's/^# usage/usage/p' seed.sh >&2; exit 2; }
absolute() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$caller/$1" ;; esac; }

out='' name=guest port='' archives=0
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	case $1 in
	--out | --name | --port)
		[ $# -ge 2 ] || usage
		case $1 in --out) out=$(absolute "$2") ;; --name) name=$2 ;; --port) port=$2 ;; esac
		shift 2
		;;
	-*) usage ;;
	*)
		archive=$(absolute "$1")
		[ -r "$archive" ] || gb_die "cannot read the archive $1"
		[ -n "$out" ] || gb_die "give --out before the archives"
		[ -d "$out" ] || gb_die "there is no directory $out"
		[ "$archives" != 0 ] || rm -f "$out/initrd"
		cat "$archive" >>"$out/initrd" || gb_die "cannot copy $1 to $out: is the disk full?"
		archives=$((archives + 1))
		shift
		;;
	esac
done
[ "$archives" != 0 ] || usage
case $name in
'' | *[!A-Za-z0-9.-]* | -*) gb_die "'$name' is no host name: use letters, digits, dots and hyphens" ;;
esac
[ "${#name}" -le 63 ] || gb_die "a host name has at most 63 letters"
case $port in
*[!0-9]*) gb_die "'$port' is no port number" ;;
esac

work=$(mktemp -d "$out/seed.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for key in ssh_key host_key; do
	ssh-keygen -q -t ed25519 -N '' -C "glassbox $name" -f "$work/$key" </dev/null ||
		gb_die "ssh-keygen failed: is openssh-client installed, and $out not full?"
done
# dropbear keeps an ed25519 key as the string "ssh-ed25519" and the string of 64 bytes (private,
# public) that stands at offset 157 of OpenSSH's own format, where all that comes before has a fixed
# length when there is no passphrase.
{
	printf '\0\0\0\013ssh-ed25519'
	sed '/^-/d' "$work/host_key" | base64 -d | tail -c +158 | head -c 68
} >"$work/dropbear_key"
[ "$(wc -c <"$work/dropbear_key")" -eq 83 ] || gb_die "ssh-keygen wrote a key of an unknown form"
head -c 256 /dev/urandom >"$work/seed"
printf '%s\n' "$name" >"$work/hostname"

cd "$work"
{
	echo 'file etc/hostname hostname 0644 0'
	echo 'file etc/glassbox/seed seed 0600 0'
	echo 'file etc/dropbear/dropbear_ed25519_host_key dropbear_key 0600 0'
	echo 'file root/.ssh/authorized_keys ssh_key.pub 0600 0'
	echo 'file home/alice/.ssh/authorized_keys ssh_key.pub 0600 1000'
	if [ $# -gt 1 ]; then
		shift
		printf '%s\0' "$@" >run
		echo 'file etc/glassbox/run run 0600 0'
	fi
} >list
gb_cpio list seed.cpio
cat seed.cpio >>"$out/initrd" || gb_die "cannot write to $out/initrd: is the disk full?"
printf '%s %s\n' "$name" "$(cut -d' ' -f1,2 host_key.pub)" >"$out/known_hosts"
mv -f ssh_key "$out/ssh_key"
cat >"$out/ssh_config" <<END
Host $name
	HostName 127.0.0.1
	${port:+Port $port}
	User root
	IdentityFile "$out/ssh_key"
	IdentitiesOnly yes
	HostKeyAlias $name
	UserKnownHostsFile "$out/known_hosts"
	StrictHostKeyChecking yes
	PasswordAuthentication no
	LogLevel ERROR
END
