#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Runs a test that drives a browser; fetches the driver (playwright-core, pinned) when it is not there.
#
# usage: tests/web/run.sh TEST.mjs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
fetched=$here/node_modules/package-lock.json
if ! cmp -s "$here/package-lock.json" "$fetched"; then
	command -v npm >/dev/null || { echo "run.sh: npm is missing: make deps, or apt install npm" >&2; exit 1; }
	npm ci --prefix "$here" --no-audit --no-fund --silent >&2 || {
		echo "run.sh: npm could not fetch playwright-core: is there a network?" >&2
		exit 1
	}
	cp "$here/package-lock.json" "$fetched"
fi
exec node "$here/$1"
