#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The C code is formatted as .clang-format says; 'tools/check-format.sh --fix' does it. Every release of
# clang-format has a taste of its own: the one of Debian 12 counts, others are not asked (exit 77).
cd "$(dirname "$0")/.." || exit 1
version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
[ "$version" = 14 ] || { echo "clang-format is of version $version, not 14"; exit 77; }
if [ "${1:-}" = --fix ]; then
	set -- -i
else
	set -- --dry-run -Werror
fi
git ls-files -z --cached --others --exclude-standard '*.[ch]' | xargs -0 clang-format "$@"
