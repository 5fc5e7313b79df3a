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
	# Node does not ask the system which authorities it trusts; a network with one of its own needs that.
	authorities=/etc/ssl/certs/ca-certificates.crt
	[ ! -r "$authorities" ] || export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$authorities}"
	npm ci --prefix "$here" --no-audit --no-fund --loglevel error --fetch-retries 1 --fetch-timeout 60000 >&2 || {
		echo "run.sh: npm could not fetch playwright-core, for the reason above" >&2
		exit 1
	}
	cp "$here/package-lock.json" "$fetched"
fi
exec node "$here/$1"
