# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Glass Box authors
"""A mirror of Alpine on loopback for the download tests: python3 mirror.py DIR

Serves DIR on 127.0.0.1 and a free port, and prints the port when it listens. Paths that begin with a word below are served
wrongly, from DIR all the same:
  /cut/...      announces the whole length, sends half and closes (archives only)
  /endless/...  announces no length and sends without end (archives only)
  /silent/...   answers nothing and closes
  /away/...     redirects to /
Logs requests to DIR/requests."""
import functools
import http.server
import os
import sys


class Mirror(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        try:
            self.answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client had enough

    def answer(self):
        with open(os.path.join(self.directory, "requests"), "a", encoding="utf-8") as log:
            log.write(self.path + "\n")
        _, mode, rest = (self.path + "/").split("/", 2)
        if mode not in ("cut", "endless", "silent", "away"):
            return super().do_GET()
        self.path = "/" + rest.rstrip("/")
        if mode == "silent":
            self.close_connection = True
        elif mode == "away":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif not self.path.endswith(".gz"):
            return super().do_GET()
        elif mode == "cut":
            self.cut()
        else:
            self.endless()
        return None

    def cut(self):
        with open(self.translate_path(self.path), "rb") as file:
            data = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])

    def endless(self):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(65536))

    def log_message(self, *_):
        pass


handler = functools.partial(Mirror, directory=sys.argv[1])
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
