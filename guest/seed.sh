#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Makes the initramfs of one run of a built-in guest: the cached archives, then what belongs to this run alone.
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
gb_tool=seed

usage() { sed -n 's/^# \{0,1\}//; 6p' "$0" >&2; exit 2; }
die() { printf '%s: %s\n' "$gb_tool" "$*" >&2; exit 1; }

out='' name=guest port='' archives=0
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	case $1 in
	--out | --name | --port)
		[ $# -ge 2 ] || usage
		case $1 in --out) out=$2 ;; --name) name=$2 ;; --port) port=$2 ;; esac
		shift 2
		;;
	-*) usage ;;
	*)
		[ -r "$1" ] || die "cannot read the archive $1"
		[ -n "$out" ] || die "give --out before the archives"
		[ "$archives" != 0 ] || : >"$out/initrd" || die "cannot write in $out"
		cat "$1" >>"$out/initrd" || die "cannot copy $1 to $out: is the disk full?"
		archives=$((archives + 1))
		shift
		;;
	esac
done
[ "$archives" != 0 ] || usage
case $name in
'' | *[!A-Za-z0-9.-]* | -*) die "'$name' is no host name: use letters, digits, dots and hyphens" ;;
esac
[ "${#name}" -le 63 ] || die "a host name has at most 63 letters"
case $port in
*[!0-9]*) die "'$port' is no port number" ;;
esac

work=$(mktemp -d "$out/seed.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for key in ssh_key host_key; do
	ssh-keygen -q -t ed25519 -N '' -C "glassbox $name" -f "$work/$key" </dev/null ||
		die "ssh-keygen failed: is openssh-client installed?"
done
# dropbear keeps an ed25519 key as the string "ssh-ed25519" and the string of 64 bytes (private, public) that stands at
# offset 157 of OpenSSH's own format, where all that comes before has a fixed length when there is no passphrase.
{
	printf '\0\0\0\013ssh-ed25519'
	sed '/^-/d' "$work/host_key" | base64 -d | tail -c +158 | head -c 68
} >"$work/dropbear_key"
[ "$(wc -c <"$work/dropbear_key")" -eq 83 ] || die "ssh-keygen wrote a key of an unknown form"
head -c 256 /dev/urandom >"$work/seed"
printf '%s\n' "$name" >"$work/hostname"

cd "$work"
{
	echo '#mtree'
	echo './etc/hostname type=file mode=0644 uid=0 gid=0 time=0 nlink=1 contents=hostname'
	echo './etc/glassbox/seed type=file mode=0600 uid=0 gid=0 time=0 nlink=1 contents=seed'
	echo './etc/dropbear/dropbear_ed25519_host_key type=file mode=0600 uid=0 gid=0 time=0 nlink=1 contents=dropbear_key'
	echo './root/.ssh/authorized_keys type=file mode=0600 uid=0 gid=0 time=0 nlink=1 contents=ssh_key.pub'
	echo './home/alice/.ssh/authorized_keys type=file mode=0600 uid=1000 gid=1000 time=0 nlink=1 contents=ssh_key.pub'
	if [ $# -gt 1 ]; then
		shift
		printf '%s\0' "$@" >run
		echo './etc/glassbox/run type=file mode=0600 uid=0 gid=0 time=0 nlink=1 contents=run'
	fi
} >list.mtree
bsdtar --format newc -cf seed.cpio @list.mtree || die "bsdtar could not write the archive"
cat seed.cpio >>"$out/initrd" || die "cannot write to $out/initrd: is the disk full?"
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
