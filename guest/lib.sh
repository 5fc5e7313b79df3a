# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# What the scripts that make guests share: the cache, locks, Debian packages, progress. To be
# sourced by a POSIX sh.
# shellcheck shell=sh
#
# An artefact lives in a directory of its own, $gb_cache/NAME-HASH, where HASH covers everything
# that went into it. It is made in a directory beside it and renamed when complete, so whatever
# bears the name is complete. The sourcing script sets gb_tool (its name in messages) first and
# stands in the directory of this file.

LC_ALL=C # for sort, and for what tools say that is read here
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin # modprobe, depmod: Debian gives ordinary users no way to them

gb_cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set, and XDG_CACHE_HOME is not either}/.cache}/glassbox/guests
gb_work=
gb_guest_dir=$PWD

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

# A child that was killed a moment ago may still write: then the directory is not empty at first.
gb_cleanup() {
	gb_tries=0
	while [ -n "$gb_work" ] && ! rm -rf "$gb_work" 2>/dev/null && [ $gb_tries -lt 100 ]; do
		gb_tries=$((gb_tries + 1))
	done
	gb_work=
}

# gb_begin NAME: takes the lock of NAME (waiting for another maker of it) and makes the directory
# $gb_work for the work. A work directory that a killed maker left behind is removed here: whoever
# holds the lock knows that it is dead.
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
	trap 'exit 141' PIPE # nobody listens any more: the messages go to a parent that is gone
	trap 'exit 143' TERM
	rm -rf "$gb_cache/.work-$1".*
	gb_work=$(mktemp -d "$gb_cache/.work-$1.XXXXXX")
	chmod 755 "$gb_work"
}

# gb_publish DIR TARGET: the finished DIR gets its final name. An incomplete or older TARGET cannot be
# there: names are hashes. What was made under the same name from other inputs and was not asked for
# in the last two weeks is removed.
gb_publish() {
	mv -T "$1" "$2" || gb_die "cannot rename $1 to $2"
	find "$gb_cache" -maxdepth 1 -type d -mtime +14 -regextype posix-extended \
		-regex ".*/$(basename "$2" | sed 's/-[0-9a-f]*$//')-[0-9a-f]{16}" -exec rm -rf {} +
}

# gb_known NAME FILE... -- WORD...: prints the directory that was made from these inputs, if what
# apt knows has not changed since. It spares the half second that asking apt takes.
gb_known() {
	gb_stamp=$gb_cache/.known-$1-$(shift && gb_hash "$@")
	[ -r "$gb_stamp" ] || return 1
	for gb_lists in /var/lib/apt/lists /etc/apt; do
		[ -z "$(find "$gb_lists" -maxdepth 1 -newer "$gb_stamp" -print -quit)" ] || return 1
	done
	gb_target=$(cat "$gb_stamp")
	[ -d "$gb_target" ] && touch "$gb_target" && printf '%s\n' "$gb_target"
}

# gb_found DIR: says where the artefact is, and remembers it for gb_known.
gb_found() {
	printf '%s\n' "$1" >"$gb_stamp.$$" && mv "$gb_stamp.$$" "$gb_stamp"
	touch "$1"
	printf '%s\n' "$1"
}

# Prints NAME=VERSION for each package that apt knows, with the version it would take.
gb_deb_versions() {
	apt-cache show --no-all-versions "$@" 2>/dev/null |
		awk '/^Package: / { name = $2 } /^Version: / && !(name in seen) { seen[name] = 1; print name "=" $2 }' | sort
}

# gb_deb DIR PACKAGE=VERSION...: takes packages out of Debian's archive (apt checks the signature)
# and unpacks them in DIR. Installs nothing.
gb_deb() {
	gb_dir=$1
	shift
	mkdir -p "$gb_dir" "$gb_work/deb"
	if ! (cd "$gb_work/deb" && apt-get -q -o DPkg::Lock::Timeout=600 -o APT::Sandbox::User=root download "$@") >"$gb_work/apt.log" 2>&1; then
		cat "$gb_work/apt.log" >&2
		gb_die "apt could not fetch $*: is there a network? If the lists are old, run apt-get update and try again"
	fi
	for gb_file in "$gb_work"/deb/*.deb; do
		dpkg-deb -x "$gb_file" "$gb_dir" || gb_die "cannot unpack $gb_file: is the disk full?"
		rm -f "$gb_file"
	done
}

# gb_cpio LIST ARCHIVE: writes an initramfs (see cpio.c); the program is compiled once. Runs in the
# directory of the list's sources.
gb_cpio() {
	gb_program=$gb_cache/cpio-$(gb_hash "$gb_guest_dir/cpio.c" -- "$(cc -dumpfullversion)")
	if [ ! -x "$gb_program" ]; then
		mkdir -p "$gb_cache"
		cc -std=gnu17 -D_GNU_SOURCE -O2 -o "$gb_program.$$" "$gb_guest_dir/cpio.c" || gb_die "cannot compile guest/cpio.c"
		mv "$gb_program.$$" "$gb_program"
	fi
	"$gb_program" <"$1" >"$2" || gb_die "cannot write the archive $2"
}

# Reads a build's output, shows how far it is: gb_progress TOTAL WHAT. A bar on a terminal, a line
# every tenth elsewhere.
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
