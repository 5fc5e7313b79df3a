# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The image of a row of guest/truth/matrix.sh. To be sourced.
# shellcheck shell=sh

# frozen MATRIX ROW: $image is its directory; or the test ends here, skipped or failed.
frozen() {
	code=0
	image=$("$1" "$2") || code=$?
	case $code in
	0) return ;;
	77) echo "1..0 # SKIP this release of Debian does not have the kernel of $2"; exit 0 ;;
	*) echo "Bail out! there is no image of $2"; exit 1 ;;
	esac
}
