# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
"""Prints what a guest's VGA text screen shows, asked over the QMP socket that the only argument names."""
import json
import re
import socket
import sys

ROWS, COLUMNS, TEXT = 25, 80, 0xB8000

with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    qmp = connection.makefile("rw")
    qmp.readline()  # the greeting

    def execute(command, **arguments):
        qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        qmp.flush()
        while True:
            answer = json.loads(qmp.readline())
            if "event" not in answer:
                return answer["return"]

    execute("qmp_capabilities")
    dump = execute("human-monitor-command", **{"command-line": f"xp /{ROWS * COLUMNS}xh {TEXT:#x}"})

cells = [int(word, 16) & 0xFF for word in re.findall(r"0x([0-9a-f]{4})\b(?!:)", dump)]
text = "".join(chr(c) if 0x20 <= c < 0x7F else " " for c in cells)
for row in range(0, len(text), COLUMNS):
    print(text[row : row + COLUMNS].rstrip())
