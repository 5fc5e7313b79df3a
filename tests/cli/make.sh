#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# The Makefile: its steps come one after the other, also with make -j. All that it calls is faked.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. tests/tap.sh

mkdir "$work/bin" "$work/tools"
cp Makefile "$work/"
# Each step waits until make does: then all that may run beside it has begun, and is a child of make, too.
cat >"$work/step" <<'END'
#!/bin/sh
name=${0##*/}
echo "$name $*" >>"$STEPS/log"
until grep -q '^State:[[:space:]]*S' "/proc/$PPID/status"; do :; done
[ "$(ps -o pid= --ppid "$PPID" | wc -l)" = 1 ] || echo "$name while another runs" >>"$STEPS/log"
[ "$name" != meson ] || { mkdir -p build && : >build/build.ninja; }
[ "$name" != ninja ] || cp "$0" build/glassbox
END
chmod +x "$work/step"
for step in bin/meson bin/ninja tools/deps.sh tools/check.sh; do
	cp "$work/step" "$work/$step"
done

steps() { # TARGET: what make -j does for it
	: >"$work/log"
	rm -rf "$work/build"
	(cd "$work" && STEPS=$work PATH=$work/bin:$PATH MAKEFLAGS='' make -s -j8 "$1" RUN_ARGS=tiny) >"$work/out" 2>"$work/err" && cut -d' ' -f1 "$work/log" | tr '\n' ' '
}

[ "$(steps run)" = 'deps.sh deps.sh meson ninja glassbox ' ] && ! grep -q 'while another' "$work/log" && grep -qx 'glassbox run tiny' "$work/log"
report $? 'make -j run: install, configure, build, run'
[ "$(steps check)" = 'deps.sh check.sh ' ]
report $? 'make -j check: install, check'
[ "$(steps install)" = 'deps.sh meson meson ninja meson ' ]
report $? 'make -j install: install what is missing, configure, build, install'
end_of_tests
