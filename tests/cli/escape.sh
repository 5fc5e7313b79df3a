#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
# What a terminal is not shown is what the page is not shown: src/base/utf8.c against web/text.js, over all of Unicode.
# usage: escape.sh PLAIN (plain.c)
set -u
plain=$(readlink -f "$1")
cd "$(dirname "$0")/../.." || exit 1
command -v node >/dev/null || { echo '1..0 # SKIP there is no node'; exit 0; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. tests/tap.sh
"$plain" >"$work/hidden"
# node may know an older Unicode: what is not assigned there is not compared.
cat >"$work/compare.mjs" <<'END'
import { readFileSync } from 'node:fs';
const { clean } = await import(process.argv[2]);
const hidden = new Set(readFileSync(process.argv[3], 'utf8').trim().split('\n').map((line) => parseInt(line, 16)));
let compared = 0, different = 0;
for (let c = 0; c < 0x110000; c++) {
	const letter = String.fromCodePoint(c), page = c !== 0xb7 && clean(letter) === '\u00b7';
	if (c >= 0xd800 && c < 0xe000 || hidden.has(c) && !page && /\p{Cn}/u.test(letter))
		continue;
	compared++;
	if (hidden.has(c) !== page && different++ < 20)
		console.log(`U+${c.toString(16)}: the page ${page ? 'hides' : 'shows'} it, a terminal ${page ? 'shows' : 'hides'} it`);
}
console.log(`${compared} compared, ${different} different`);
process.exit(different || compared < 1e6 ? 1 : 0);
END
cp web/text.js "$work/text.mjs"
node "$work/compare.mjs" "$work/text.mjs" "$work/hidden" >"$work/out" 2>"$work/err"
report $? 'the page and a terminal hide the same letters'
end_of_tests
