"""Listens on a free port of this machine's loopback, for all hospitals; ends with the process, whatever ends it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from demo.server.holdings import FIRST_NIGHT
from demo.server.hospital import Hospital
from demo.server.messages import Answer, Asked, refusal

LOOPBACK = "127.0.0.1"
ROOT = "/fhir"


class Listener(ThreadingHTTPServer):
    """The hospitals by the names that their paths begin with: `/hospital-a/fhir/…`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.hospitals: dict[str, Hospital] = {}

    @property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def base(self, name: str) -> str:
        """The address of a hospital's server."""
        return f"{self.origin}/{name}{ROOT}"

    def find(self, target: str) -> tuple[Hospital, str] | None:
        """Whom a path is for, and the rest of it."""
        _, _, rest = target.partition("/")
        name, _, below = rest.partition("/")
        hospital = self.hospitals.get(name)
        is_found = hospital is not None and f"/{below}".startswith(f"{ROOT}/")
        return (hospital, f"/{below}".removeprefix(ROOT)) if hospital and is_found else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no error of the server."""


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener without hospitals yet, which answers until the block ends."""
    listener = Listener()
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.shutdown()
        listener.server_close()


def move_on(hospitals: Mapping[str, Hospital]) -> None:
    """A month goes by at all hospitals."""
    for hospital in hospitals.values():
        hospital.night += 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = cast(Listener, self.server).find(path)
        if found is None:
            self._send(refusal(404, "there is no such hospital"), FIRST_NIGHT)
            return
        hospital, rest = found
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(hospital.answer(Asked(self.command, rest, query, headers, body)), hospital.now)

    do_POST = do_DELETE = do_GET  # noqa: N815

    def _send(self, answer: Answer, now: datetime) -> None:
        self.send_response_only(answer.status)
        for name, value in {
            "Date": format_datetime(now.astimezone(UTC), usegmt=True),
            **answer.headers,
            "Content-Length": len(answer.body),
        }.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(answer.body[: answer.cut_at])
        if answer.cut_at is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps quiet: the pull tells what it does."""
