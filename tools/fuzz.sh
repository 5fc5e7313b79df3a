#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Fuzz every target for FUZZ_SECONDS (60); findings stay in build-fuzz/findings.
set -eu
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}
[ -f build-fuzz/build.ninja ] ||
	meson setup build-fuzz --native-file tools/clang.ini -Dfuzz=true -Db_lundef=false
ninja -C build-fuzz
mkdir -p build-fuzz/findings
found=0
for target in build-fuzz/fuzz/fuzz_*; do
	[ -x "$target" ] && [ ! -d "$target" ] || continue
	name=${target##*/}
	mkdir -p "build-fuzz/corpus/$name"
	"$target" "--write-seeds=build-fuzz/corpus/$name"
	echo "$name: $seconds s"
	"$target" -max_total_time="$seconds" -artifact_prefix="build-fuzz/findings/$name-" \
		"build-fuzz/corpus/$name" 2>"build-fuzz/findings/$name.log" || { found=1; tail -n 5 "build-fuzz/findings/$name.log"; }
done
exit $found
