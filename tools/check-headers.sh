#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# Every header compiles alone and says on top what it is.
cd "$(dirname "$0")/.." || exit 1
bad=0
for header in $(find src bench plugin -name '*.h' 2>/dev/null); do
	echo "#include \"$header\"" |
		${CC:-cc} -std=gnu17 -D_GNU_SOURCE -DGB_VERSION='""' -I. -Isrc -Wall -Werror -fsyntax-only -x c - ||
		{ echo "$header does not compile alone"; bad=1; }
	sed -n 3p "$header" | grep -q '^// .' || { echo "$header: line 3 must say what it is"; bad=1; }
done
exit $bad
