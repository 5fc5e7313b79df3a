#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# tools/testlog.py: what is counted as passed, failed and skipped, parts of tests among it.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. tests/tap.sh

cat >"$work/log" <<'END'
{"name": "glassbox:unit / good", "stdout": "ok 1 - one\n1..1\n", "result": "OK"}
{"name": "glassbox:unit / bad|odd", "stdout": "not ok 1 - one # SKIPPED by nobody\n", "result": "FAIL"}
{"name": "slow", "result": "TIMEOUT"}
{"name": "x / part", "stdout": "ok 1 - one\nok 2 - a full | tmpfs # SKIP mounting is not allowed\nok 3 # skip\n1..3\n", "result": "OK"}
{"name": "x / broken", "stdout": "ok 1 - a # SKIP because\nnot ok 2 - b\n", "result": "FAIL"}
{"name": "x / whole", "stdout": "1..0 # SKIP no network\n", "result": "SKIP"}
{"name": "x / plain", "stdout": "", "stderr": "first\nclang-format is of version 19\n", "result": "SKIP"}
END
cat >"$work/want" <<'END'
good|0|
bad/odd|1|
slow|1|
part|0|
part: a full / tmpfs|77|mounting is not allowed
part: |77|
broken|1|
broken: a|77|because
whole|77|no network
plain|77|clang-format is of version 19
END
python3 tools/testlog.py "$work/log" >"$work/out" 2>"$work/err" && diff "$work/want" "$work/out" >>"$work/err"
report $? 'tests, their parts and reasons'

# The last lines of tools/check.sh, on a copy of it with nothing but this log to count.
mkdir -p "$work/tools" "$work/bin" "$work/tree"
sed '/^check "layers"/,/^fi$/d' tools/check.sh >"$work/tools/check.sh"
[ "$(grep -c '^suite [a-z]\|^check "\|^build [a-z]' "$work/tools/check.sh")" = 0 ]
report $? 'the copy checks nothing'
cp tools/testlog.py "$work/tools/"
sed -i "s,^\[ \"\$skipped\" = 0 \].*,suite x tree y\n&," "$work/tools/check.sh"
printf '#!/bin/sh\nmkdir -p tree/meson-logs && cp log tree/meson-logs/testlog-y.json\n' >"$work/bin/meson"
chmod +x "$work/tools/check.sh" "$work/bin/meson"
status=0
PATH=$work/bin:$PATH "$work/tools/check.sh" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 1 ] && tail -n 7 "$work/out" >"$work/last" && diff - "$work/last" >>"$work/err" <<'END'
5 skipped:
  x: part: a full / tmpfs: mounting is not allowed
  x: part: : it does not say why
  x: broken: a: because
  x: whole: no network
  x: plain: clang-format is of version 19
2 passed, 3 failed
END
report $? 'check.sh ends with what was skipped and why, then with the numbers'
end_of_tests
