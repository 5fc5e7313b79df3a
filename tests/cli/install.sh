#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# shellcheck disable=SC2154 # work, root, g and status come from lib.sh
# What is installed works by itself: guests, page, manual, completion, with no source directory in sight. usage: install.sh
# BUILD-DIRECTORY
. "$(dirname "$0")/../vm/lib.sh"
unset GLASSBOX_DATA
source=$(readlink -f "$(dirname "$0")/../..")
DESTDIR="$work/dest" meson install -C "$1" --no-rebuild >"$work/out" 2>"$work/err"
report $? 'it can be installed'
g=$(find "$work/dest" -path '*/bin/glassbox')
share=${g%/bin/glassbox}/share
[ -x "$share/glassbox/guest/tiny.sh" ] && [ -x "$share/glassbox/guest/debian.sh" ] && [ -f "$share/glassbox/guest/root/etc/passwd" ] &&
	[ -f "$share/glassbox/web/index.html" ] && [ -f "$share/glassbox/shaders/scene.wgsl" ]
report $? 'guests, page and shaders'
[ ! -e "$share/glassbox/guest/truth" ] && [ -z "$(find "$work/dest" -perm /022 ! -type l)" ]
report $? 'nothing that is for tests alone, and nothing that others may write to'
(cd "$source" && find guest web shaders -type f ! -path 'guest/truth/*' ! -path web/package.json -printf '%m %p\n' | sort) >"$work/want"
(cd "$share/glassbox" && find . -type f -printf '%m %P\n' | sort) >"$work/out"
diff "$work/want" "$work/out" >"$work/err"
report $? 'all files, with their modes'
if command -v scdoc >/dev/null; then
	zcat -f "$share"/man/man1/glassbox.1* | grep -q '^\.TH "glassbox" "1"'
	report $? 'the manual page'
else
	skip 'the manual page' 'there is no scdoc'
fi
[ -f "$share/bash-completion/completions/glassbox" ] && [ -f "$share/zsh/site-functions/_glassbox" ] &&
	[ -f "$share/fish/vendor_completions.d/glassbox.fish" ]
report $? 'completion'

# From here on the source directory is empty.
cat >"$work/elsewhere.sh" <<'END'
mount -t tmpfs none "$1" && cd / || exit 1
g=$2 work=$3
[ -z "$(ls "$1")" ] || exit 1
"$g" run tiny --name away -- true || exit 2
"$g" run tiny --name away --detach >/dev/null || exit 3
url=$("$g" ls --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["vms"][0]["url"])')
curl -sf "$url" >"$work/index" && curl -sf "${url}app.js" >"$work/app" && curl -sf "${url}scene.wgsl" >"$work/scene"
status=$?
"$g" stop away
exit $status
END
if unshare -m true 2>/dev/null; then
	status=0
	unshare -m sh "$work/elsewhere.sh" "$source" "$g" "$work" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = 0 ]
	report $? 'it runs a guest with its own data'
	cmp -s "$work/index" "$share/glassbox/web/index.html" && cmp -s "$work/app" "$share/glassbox/web/app.js" && cmp -s "$work/scene" "$share/glassbox/shaders/scene.wgsl"
	report $? 'and serves its own page'
else
	skip 'it runs a guest with its own data' 'mounting is not allowed here'
	skip 'and serves its own page' 'mounting is not allowed here'
fi
nothing_left
report $? 'nothing is left'
end_of_tests
