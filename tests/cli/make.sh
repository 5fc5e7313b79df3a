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
# Each step says that it begins and ends, and notices another one that has begun meanwhile.
cat >"$work/step" <<'END'
#!/bin/sh
name=${0##*/}
mkdir "$STEPS/busy" 2>/dev/null || echo "$name while another runs" >>"$STEPS/log"
echo "$name $*" >>"$STEPS/log"
sleep 0.1 # the time in which another could begin; nothing is waited for
rmdir "$STEPS/busy" 2>/dev/null
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
