"""A hospital over loopback that serves one prepared file, and a pull from it: each a process of its own.

python -m benchmarks.pulls serve FILE     says its base address in a line, and serves until it is ended
python -m benchmarks.pulls pull URL HOME  pulls an export of it; the last line says in how many seconds
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from flows.config import Config, Site
from flows.home import open_home
from flows.pull.pulling import Clock, pull_sites

FILE, STATUS = "/export.ndjson", "/fhir/status"


def serve(file: Path) -> None:
    """Answers a bulk export whose one output is the file."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == FILE:
                self._send_file()
            elif self.path == STATUS:
                self._answer(200, json.dumps(_manifest(self._origin())).encode())
            else:
                self._answer(202, b"", status=f"{self._origin()}{STATUS}")

        def do_DELETE(self) -> None:
            self._answer(202, b"")

        def _origin(self) -> str:
            return f"http://{self.headers['Host']}"

        def _answer(self, code: int, body: bytes, status: str = "") -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            if status:
                self.send_header("Content-Location", status)
            self.end_headers()
            self.wfile.write(body)

        def _send_file(self) -> None:
            size = file.stat().st_size
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+ndjson")
            self.send_header("Content-Length", str(size))
            self.send_header("ETag", f'"{size}"')
            self.end_headers()
            self.wfile.flush()
            # By the system itself: the server should cost as little as it can.
            with file.open("rb") as source:
                at = 0
                while at < size:
                    at += os.sendfile(self.connection.fileno(), source.fileno(), at, size - at)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}/fhir\n")
    sys.stdout.flush()
    server.serve_forever()


def _manifest(origin: str) -> dict[str, object]:
    output = [{"type": "Observation", "url": f"{origin}{FILE}"}]
    time_of_it = "2026-11-25T00:00:00Z"
    return {"transactionTime": time_of_it, "requiresAccessToken": False, "output": output, "error": []}


def pull(url: str, root: Path) -> None:
    """Pulls the export into a home; says the seconds, without those in which Python starts."""
    site = Site("hospital", "bulk", url=url, types=("Observation",), deletions="manifest")
    config = Config(home=root, sites=(site,), keep=1, path=Path("cove.toml"))
    home = open_home(root)
    started = time.perf_counter()
    pulled = pull_sites(config, home, full=False, clock=Clock(), progress=lambda text: None)
    seconds = time.perf_counter() - started
    if pulled.failures:
        sys.exit(pulled.failures[0])
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pulls")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve").add_argument("file", type=Path)
    pulling = commands.add_parser("pull")
    pulling.add_argument("url")
    pulling.add_argument("home", type=Path)
    given = parser.parse_args()
    serve(given.file) if given.command == "serve" else pull(given.url, given.home)
