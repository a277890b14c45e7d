"""Serves the files of a folder over HTTP on this machine only, as badly as the address asks: /MODE/NAME.

Modes: plain (ranges are honoured), norange (they are ignored), truncated (ends after some bytes), corrupt (one byte is
another), stalled (stops after a third, and sends nothing of the rest), redirected, away (no such file), failing (500).
Prints its port; writes a line for each request to FOLDER/requests: MODE NAME RANGE. Ends when its input does.
file_server.py FOLDER
"""
import http.server
import os
import sys
import threading

PIECE = 3000
folder = sys.argv[1]
stop = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *arguments):
        pass

    def head(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def do_GET(self):
        mode, name = self.path.strip("/").split("/", 1)
        asked = self.headers.get("Range")
        with open(os.path.join(folder, "requests"), "a") as log:
            log.write(f"{mode} {name} {asked or '-'}\n")
        if mode == "redirected":
            return self.head(302, Location=f"/plain/{name}")
        path = os.path.join(folder, name)
        if mode == "away" or not os.path.isfile(path):
            return self.head(404)
        if mode == "failing":
            return self.head(500)
        with open(path, "rb") as file:
            content = bytearray(file.read())
        if mode == "corrupt":
            content[len(content) // 2] ^= 1
        first = int(asked[len("bytes=") : -1]) if asked and mode != "norange" else 0
        if first > 0 and first >= len(content):
            return self.head(416)
        if first > 0:
            span = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self.head(206, Content_Length=len(content) - first, Content_Range=span)
        else:
            self.head(200, Content_Length=len(content))
        self.body(mode, content[first:], first)

    def body(self, mode, content, first):
        if mode == "truncated":
            content = content[:PIECE]
        if mode == "stalled":
            content = content[: len(content) // 3] if first == 0 else b""
        self.wfile.write(content)
        self.wfile.flush()
        if mode == "stalled":
            stop.wait(60)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
stop.set()
