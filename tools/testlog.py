# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
"""Prints NAME|STATUS (0, 1, 77) for each test in one of meson's testlog.json files."""
import json
import sys

STATUS = {"OK": 0, "EXPECTEDFAIL": 0, "SKIP": 77}

for line in open(sys.argv[1], encoding="utf-8"):
    test = json.loads(line)
    name = test["name"].split(" / ")[-1].replace("|", "/").replace("\n", " ")
    print(f"{name}|{STATUS.get(test['result'], 1)}")
