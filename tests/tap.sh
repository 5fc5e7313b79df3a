# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Test Anything Protocol for the shell tests. To be sourced; what a failed test shows is in $work/out and $work/err.
# shellcheck shell=sh
number=0 failed=0

# A test that knows more to show about a failure defines this anew.
on_failure() { :; }

report() { # STATUS NAME
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
		return
	fi
	failed=1
	echo "not ok $number - $2"
	for file in "$work/out" "$work/err"; do
		[ ! -f "$file" ] || sed "s,^,# ${file##*/}: ," "$file"
	done
	on_failure
}

skip() { # NAME WHY
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# own_mounts COMMAND...: runs it with mounts of its own, which it may change, as their root; fails with 125 where that is not allowed.
own_mounts() {
	if unshare -Urm true 2>/dev/null; then
		unshare -Urm "$@"
	elif unshare -m true 2>/dev/null; then
		unshare -m "$@" # in a chroot there are no new users
	else
		return 125
	fi
}

end_of_tests() {
	echo "1..$number"
	exit "$failed"
}
