# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
"""Starts a QEMU as libvirt does: it listens on the monitor's socket itself, hands the descriptor to QEMU, is the only
client, lets the guest go on (QEMU is started with -S), gives the human monitor the lines of $HMP, and keeps the
connection until QEMU ends.

usage: libvirtd.py DIR QEMU [WORD]...      in the WORDs, @FD@ stands for the descriptor; DIR/pid gets QEMU's pid
"""
import json
import os
import socket
import subprocess
import sys

directory, *words = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(directory + "/monitor.sock")
listener.listen(1)
fd = listener.fileno()
qemu = subprocess.Popen([word.replace("@FD@", str(fd)) for word in words], pass_fds=[fd])
listener.close()

monitor = socket.socket(socket.AF_UNIX)
monitor.connect(directory + "/monitor.sock")
qmp = monitor.makefile("rw")
qmp.readline()  # the greeting


def execute(command, **arguments):
    qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    qmp.flush()
    while "return" not in (answer := json.loads(qmp.readline())):
        pass
    return answer["return"]


for command in ("qmp_capabilities", "cont"):
    execute(command)
for line in os.environ["HMP"].splitlines():
    if said := execute("human-monitor-command", **{"command-line": line}):
        qemu.kill()
        sys.exit(f"{line}: {said}")

with open(directory + "/pid.new", "w", encoding="ascii") as file:
    file.write(f"{qemu.pid}\n")
os.rename(directory + "/pid.new", directory + "/pid")
qemu.wait()
