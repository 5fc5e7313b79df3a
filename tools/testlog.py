# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
"""Prints NAME|STATUS|WHY for each test in one of meson's testlog.json files: status 0, 1 or 77, and why if it was skipped.

A part of a test that skipped itself ("ok 3 - part # SKIP why" in TAP) is a line of its own: NAME: PART|77|WHY.
"""
import json
import re
import sys

STATUS = {"OK": 0, "EXPECTEDFAIL": 0, "SKIP": 77}
PART = re.compile(r"^ok +\d+ *(?:- *)?(.*?) *# *SKIP\b *(.*)$", re.IGNORECASE | re.MULTILINE)
WHOLE = re.compile(r"^1\.\.0 *# *SKIP\b *(.*)$", re.IGNORECASE | re.MULTILINE)


def say(name, status, why=""):
    print("|".join(str(word).replace("|", "/").replace("\n", " ") for word in (name, status, why)))


def reason(test):
    """Why all of a test was skipped: TAP has a place for it, others say it last."""
    words = WHOLE.search(test.get("stdout", ""))
    lines = (test.get("stdout", "") + "\n" + test.get("stderr", "")).strip().splitlines()
    return words[1] if words else lines[-1] if lines else ""


for line in open(sys.argv[1], encoding="utf-8"):
    test = json.loads(line)
    name = test["name"].split(" / ")[-1]
    status = STATUS.get(test["result"], 1)
    say(name, status, reason(test) if status == 77 else "")
    if status != 77:
        for part, why in PART.findall(test.get("stdout", "")):
            say(f"{name}: {part}", 77, why)
