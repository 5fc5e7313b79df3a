#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Run a fuzz target on its own seeds for a number of inputs, always the same ones.
#
# usage: fuzz/run.sh TARGET [INPUTS]
set -eu
target=$1 inputs=${2:-2000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/seeds" "$dir/found"
"$target" "--write-seeds=$dir/seeds"
status=0
"$target" -runs="$inputs" -seed=1 -len_control=0 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$dir/found/" \
	"$dir/seeds" || status=$?
for input in "$dir"/found/*; do
	[ -e "$input" ] || continue
	echo "the input, in base64 (keep it as a seed of the target once the bug is fixed):"
	base64 "$input"
done
exit "$status"
