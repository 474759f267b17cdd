"""Requests, responses, and the ways in which a response can reach the other side, or fail to."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Send = Callable[[socket.socket, bytes, "Response"], None]


@dataclass(frozen=True)
class Request:
    """One request as it came. `at` is in seconds of `time.monotonic`; header names are in lower case."""

    number: int
    port: int
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    place: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def values(self, name: str) -> list[str]:
        """The values of one parameter, in order."""
        return [value for key, value in self.query if key == name]

    @property
    def has_credentials(self) -> bool:
        return "authorization" in self.headers


def whole(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends everything."""
    connection.sendall(head if response.repeat > 1 else head + response.body)
    if response.repeat > 1:
        for _ in range(response.repeat):
            connection.sendall(response.body)


@dataclass(frozen=True)
class Response:
    """What is answered; the body is sent `repeat` times over, as one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    send: Send = whole
    repeat: int = 1
    is_chunked: bool = False

    def with_headers(self, **headers: str) -> Response:
        """The same with more headers, their names' underscores as dashes."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(
            self.status, self.body, {**self.headers, **more}, self.send, self.repeat, self.is_chunked
        )

    def sent(self, send: Send) -> Response:
        """The same, sent in another way."""
        return Response(self.status, self.body, self.headers, send, self.repeat, self.is_chunked)

    def head(self, now: dt.datetime) -> bytes:
        """The status line and headers; `now` is the hospital's clock."""
        headers = {"Date": http_date(now), **self.headers}
        if self.is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers.setdefault("Content-Length", str(len(self.body) * self.repeat))
        lines = [f"HTTP/1.1 {self.status} Told"] + [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def fhir(content: Any, status: int = 200, **headers: str) -> Response:
    """A response of FHIR JSON."""
    return Response(
        status, json.dumps(content).encode(), {"Content-Type": "application/fhir+json"}
    ).with_headers(**headers)


def outcome(status: int, text: str = "told so", **headers: str) -> Response:
    """An OperationOutcome with the status."""
    issue = [{"severity": "error", "code": "processing", "diagnostics": text}]
    return fhir({"resourceType": "OperationOutcome", "issue": issue}, status, **headers)


def http_date(moment: dt.datetime) -> str:
    """As in the headers Date and Retry-After."""
    return moment.astimezone(dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def instant(moment: dt.datetime) -> str:
    """As FHIR writes an instant, to the millisecond."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _half(response: Response) -> bytes:
    return response.body[: len(response.body) // 2]


def reset(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends half of the body, then resets the connection."""
    connection.sendall(head + _half(response))
    time.sleep(0.05)  # else the reset may overtake what was sent
    _reset(connection)


def reset_at_once(connection: socket.socket, head: bytes, response: Response) -> None:
    """Resets the connection instead of an answer."""
    _reset(connection)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # The handler's files hold the socket open: only its number can be closed at once.
    os.close(connection.detach())


def short(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends half of the announced body, then ends the connection in an orderly way."""
    connection.sendall(head + _half(response))
    connection.shutdown(socket.SHUT_RDWR)


def cut_head(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends the status line and a part of the headers, then ends the connection in an orderly way."""
    connection.sendall(head[: head.index(b"\r\n") + 8])
    connection.shutdown(socket.SHUT_RDWR)


def stalled(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends half of the body, then nothing, until the other side has enough of it."""
    connection.sendall(head + _half(response))
    _wait_until_closed(connection)


def silent(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends nothing at all, until the other side has enough of it."""
    _wait_until_closed(connection)


def dripped_head(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends the headers byte by byte, ten a second: no single wait is long, the whole is."""
    try:
        for n in range(len(head)):
            connection.sendall(head[n : n + 1])
            time.sleep(0.1)
        connection.sendall(response.body)
    except OSError:
        connection.close()


def dripped_body(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends the body in eight parts, 0.15 seconds apart: slow, and within each wait's bound."""
    connection.sendall(head)
    size = len(response.body) // 8 + 1
    for start in range(0, len(response.body), size):
        connection.sendall(response.body[start : start + size])
        time.sleep(0.15)


def chunked_and_cut(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends half of a chunked body, and ends the connection without the last chunk."""
    half = _half(response)
    connection.sendall(head + f"{len(half):x}\r\n".encode() + half + b"\r\n")
    connection.shutdown(socket.SHUT_RDWR)


def chunked(connection: socket.socket, head: bytes, response: Response) -> None:
    """Sends a body without announcing its length."""
    half, rest = _half(response), response.body[len(response.body) // 2 :]
    for part in (half, rest, b""):
        head += f"{len(part):x}\r\n".encode() + part + b"\r\n" if part else b""
    connection.sendall(head + b"0\r\n\r\n")


def _wait_until_closed(connection: socket.socket) -> None:
    connection.settimeout(20)
    try:
        while connection.recv(1024):
            pass
    except OSError:
        pass
    connection.close()
