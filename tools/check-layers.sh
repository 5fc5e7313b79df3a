#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Fails when a file in src/ includes a header of a folder that tools/layers.txt does not allow it.
cd "$(dirname "$0")/.." || exit 1
exec awk '
	FILENAME == "tools/layers.txt" {
		if (/^#/ || NF == 0)
			next
		from = $1; sub(":", "", from); known[from] = 1; allowed[from, from] = 1
		for (i = 2; i <= NF; i++)
			allowed[from, $i] = 1
		next
	}
	/^#include "/ {
		split(FILENAME, path, "/"); split($2, quoted, "\""); split(quoted[2], to, "/")
		if ((to[1] in known) && !((path[2], to[1]) in allowed)) {
			printf "%s:%d: src/%s may not include %s\n", FILENAME, FNR, path[2], quoted[2]
			bad = 1
		}
	}
	END { exit bad }
' tools/layers.txt $(find src -name '*.[ch]')
