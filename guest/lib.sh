# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# What the scripts that make guests share: the cache, locks, Debian packages, progress. To be sourced by a POSIX sh.
# shellcheck shell=sh
#
# An artefact lives in a directory of its own, $gb_cache/NAME-HASH, where HASH covers everything that went into it.
# It is made in a directory beside it and renamed when complete, so whatever bears the name is complete.
# The sourcing script sets gb_tool (its name in messages) first.

gb_cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set, and XDG_CACHE_HOME is not either}/.cache}/glassbox/guests
gb_work=

gb_say() { printf '%s: %s\n' "${gb_tool:?}" "$*" >&2; }
gb_die() { gb_say "$*"; exit 1; }

# The commands a script needs, and the group of tools/deps.sh that brings them.
gb_need() {
	group=$1
	shift
	for gb_command; do
		command -v "$gb_command" >/dev/null ||
			gb_die "$gb_command is not installed; tools/deps.sh $group (or: make deps) installs what is missing"
	done
}

# 16 hex digits for the files and words given: gb_hash FILE... -- WORD...
gb_hash() {
	{
		while [ $# -gt 0 ] && [ "$1" != -- ]; do
			sha256sum <"$1"
			shift
		done
		printf '%s\n' "$@"
	} | sha256sum | cut -c1-16
}

gb_cleanup() {
	[ -z "$gb_work" ] || rm -rf "$gb_work"
	gb_work=
}

# gb_begin NAME: takes the lock of NAME (waiting for another maker of it) and makes the directory $gb_work for the work.
# A work directory that a killed maker left behind is removed here: whoever holds the lock knows that it is dead.
gb_begin() {
	mkdir -p "$gb_cache" || gb_die "cannot make the cache directory $gb_cache: set XDG_CACHE_HOME to a place that can be written"
	exec 9>"$gb_cache/.lock-$1"
	if ! flock -n 9; then
		gb_say "another process is making $1; waiting for it"
		flock 9
	fi
	trap gb_cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	rm -rf "$gb_cache/.work-$1".*
	gb_work=$(mktemp -d "$gb_cache/.work-$1.XXXXXX")
	chmod 755 "$gb_work"
}

# gb_publish DIR TARGET: the finished DIR gets its final name. An incomplete or older TARGET cannot be there: names are hashes.
gb_publish() {
	mv -T "$1" "$2" || gb_die "cannot rename $1 to $2"
}

# The version that apt would take of a package, empty when it knows none.
gb_deb_version() {
	LC_ALL=C apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1
}

# gb_deb PACKAGE VERSION DIR: takes a package out of Debian's archive (apt checks its signature) and unpacks it in DIR. Installs nothing.
gb_deb() {
	mkdir -p "$3" "$gb_work/deb"
	if ! (cd "$gb_work/deb" && apt-get -q -o DPkg::Lock::Timeout=600 -o APT::Sandbox::User=root download "$1=$2") >"$gb_work/apt.log" 2>&1; then
		cat "$gb_work/apt.log" >&2
		gb_die "apt could not fetch $1 $2: is there a network? If the lists are old, run apt-get update and try again"
	fi
	for gb_file in "$gb_work/deb/$1"_*.deb; do
		dpkg-deb -x "$gb_file" "$3" || gb_die "cannot unpack $gb_file: is the disk full?"
		rm -f "$gb_file"
	done
}

# Reads a build's output, shows how far it is: gb_progress TOTAL WHAT. A bar on a terminal, a line every tenth elsewhere.
gb_progress() {
	tty=0
	[ ! -t 2 ] || tty=1
	awk -v total="$1" -v what="$2" -v tty="$tty" -v tool="$gb_tool" '
		function show(n,    share, bar, i) {
			share = n / total
			if (tty) {
				bar = ""
				for (i = 1; i <= 30; i++)
					bar = bar (i <= share * 30 ? "#" : ".")
				printf "\r%s: %s [%s] %d/%d", tool, what, bar, n, total > "/dev/stderr"
			} else if (int(share * 10) > shown) {
				shown = int(share * 10)
				printf "%s: %s %d/%d\n", tool, what, n, total > "/dev/stderr"
			}
			fflush("/dev/stderr")
		}
		/^  (CC|AS|AR|LD|HOSTCC|HOSTLD)/ { done++; show(done < total ? done : total - 1) }
		END { show(total); if (tty) printf "\n" > "/dev/stderr" }'
}
