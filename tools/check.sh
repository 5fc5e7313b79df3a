#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Every check there is, cheap first. Prints one line a check and ends with what was skipped, also within a test, and why;
# then "N passed, N failed".
#
# usage: tools/check.sh [--quick]     --quick: no guests, no browser
set -u
cd "$(dirname "$0")/.." || exit 1
quick=${1:-}
logs=build/check
mkdir -p "$logs"
passed=0 failed=0 skipped=0 reasons=''

result() { # name, status, why it was skipped
	case $2 in
	0) passed=$((passed + 1)); echo "ok       $1" ;;
	77)
		skipped=$((skipped + 1))
		reasons="$reasons  $1: ${3:-it does not say why}
"
		echo "skipped  $1"
		;;
	*) failed=$((failed + 1)); echo "FAILED   $1" ;;
	esac
}

check() { # name, command...
	checked=$1
	shift
	log=$logs/$(echo "$checked" | tr -c 'a-z0-9\n' '-').log
	status=0
	"$@" >"$log" 2>&1 || status=$?
	result "$checked" "$status" "$(tail -n 1 "$log")"
	[ "$status" = 0 ] || [ "$status" = 77 ] || tail -n 40 "$log" | sed 's/^/    /'
	return "$status"
}

configure() { # dir, options...
	dir=$1
	shift
	[ ! -f "$dir/build.ninja" ] || set -- --reconfigure "$@"
	meson setup "$dir" "$@"
}

build() { # name, dir, options...
	compiler=$1
	shift
	check "$compiler: configure" configure "$@" && check "$compiler: build" ninja -C "$1"
}

# Run a meson suite and count each test in it.
suite() { # name, dir, suite
	log=$2/meson-logs/testlog-$3.json
	rm -f "$log"
	meson test -C "$2" --no-rebuild --suite "$3" --logbase "testlog-$3" --print-errorlogs \
		--num-processes "${GLASSBOX_JOBS:-2}" >"$logs/$1-$3.log" 2>&1
	[ -f "$log" ] || { result "$1: suite $3 did not run" 1; tail -n 20 "$logs/$1-$3.log"; return; }
	while IFS='|' read -r test status why; do
		result "$1: $test" "$status" "$why"
	done <<END
$(python3 tools/testlog.py "$log")
END
	grep -q . "$log" || result "$1: suite $3 is empty" 1
	[ "$(python3 tools/testlog.py "$log" | grep -cv '|0|\||77|')" = 0 ] ||
		sed -n '/^=*$/,$p' "$logs/$1-$3.log" | tail -n 80
}

check "layers" tools/check-layers.sh
check "headers stand alone" tools/check-headers.sh
check "shell scripts" tools/check-shell.sh
check "style of the C code" tools/check-style.sh
check "format of the C code" tools/check-format.sh

built=no
build gcc build -Dwerror=true && {
	built=yes
	suite gcc build unit
	suite gcc build cli
}
build clang build-clang --native-file tools/clang.ini -Dwerror=true -Dfuzz=true -Db_lundef=false && {
	suite clang build-clang unit
	suite clang build-clang fuzz
}
# no werror: with sanitizers gcc warns of paths that cannot be taken; the plain build has shown there is none
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
build sanitizers build-asan -Db_sanitize=address,undefined && suite sanitizers build-asan unit

if [ "$quick" != --quick ] && [ "$built" = yes ]; then
	suite guests build guest
	suite page build web
fi

[ "$skipped" = 0 ] || printf '%s skipped:\n%s' "$skipped" "$reasons"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
