"""A hospital's FHIR server over loopback that keeps what it was asked, and fails where it is told to."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import socket
import socketserver
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol, cast

from tests.pulling.authorization import Authorization
from tests.pulling.exports import Exporting, Exports
from tests.pulling.hospital import Hospital, small_hospital
from tests.pulling.searches import Searching, history, search
from tests.pulling.wire import Request, Response, fhir, outcome

FOREVER = 10**9

# Where a request strikes, by method and path; the first that matches.
PLACES = (
    ("discovery", "GET", r"/fhir/\.well-known/smart-configuration"),
    ("token", "POST", r"/auth/token"),
    ("metadata", "GET", r"/fhir/metadata"),
    ("kick-off", "GET|POST", r"/fhir/(.*/)?\$export"),
    ("delete", "DELETE", r"/fhir/status/\d+"),
    ("status", "GET", r"/fhir/status/\d+"),
    ("group", "GET", r"/fhir/Group/[^/]+"),
    ("deleted file", "GET", r"/files/\d+/deleted\.ndjson"),
    ("file", "GET", r"/files/.*"),
    ("history", "GET", r"/fhir/(.+/)?_history"),
    ("search", "GET", r"/fhir/[A-Z]\w+"),
)
OPEN = ("discovery", "token", "metadata")

Deed = Callable[["Server", Request, Response], Response]


class Fault(Protocol):
    """Where, how often and how a server fails."""

    @property
    def at(self) -> str: ...
    @property
    def does(self) -> Deed: ...
    @property
    def times(self) -> int: ...
    @property
    def after(self) -> int: ...


def place_of(method: str, path: str, query: str) -> str:
    """The name of the place that a request is for; a page that isn't the first is a `next`."""
    for name, methods, pattern in PLACES:
        if re.fullmatch(methods, method) and re.fullmatch(pattern, path):
            return "next" if name == "search" and "at=" in query else name
    return "elsewhere"


@dataclass
class Server:
    """One hospital: its data, how it answers, what it was asked. It may listen at a second origin, too."""

    hospital: Hospital = field(default_factory=small_hospital)
    exporting: Exporting = field(default_factory=Exporting)
    searching: Searching = field(default_factory=Searching)
    authorization: Authorization = field(default_factory=Authorization)
    skew: dt.timedelta = dt.timedelta()
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    files_elsewhere: bool = False
    members: list[str] | None = None  # of any Group; None: it isn't to be read
    before: Callable[[Request], None] = lambda request: None
    after: Callable[[Request], None] = lambda request: None
    extra: dict[str, Callable[[Request], Response]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)
    struck: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[_Listener] = []
        self.port = self.other_port = 0
        self.exports = Exports(self.hospital, self.exporting)

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self._name}:{self.port}"

    @property
    def elsewhere(self) -> str:
        return f"http://{self._name}:{self.other_port}"

    @property
    def _name(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def url(self) -> str:
        return f"{self.origin}/fhir"

    def now(self) -> dt.datetime:
        """The hospital's clock."""
        return dt.datetime.now(dt.UTC) + self.skew

    def start(self) -> None:
        """Listens; at the ports it had, when it had some."""
        self._listeners = [_Listener(self, self.port, self.tls), _Listener(self, self.other_port, None)]
        self.port, self.other_port = (listener.server_address[1] for listener in self._listeners)
        self.exports.base = self.url
        self.exports.files_at = self.elsewhere if self.files_elsewhere else self.origin
        self.authorization.token_url = self.authorization.token_url or f"{self.origin}/auth/token"
        for listener in self._listeners:
            threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Listens no more: connections are refused from now on."""
        for listener in self._listeners:
            listener.shutdown()
            listener.server_close()
        self._listeners = []

    def asked(self, *places: str) -> list[Request]:
        """What was asked at the places (everywhere, when none is given), in order."""
        return [request for request in self.requests if not places or request.place in places]

    def record(self, port: int, method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
        """The request as it is kept."""
        path, _, query = target.partition("?")
        with self._lock:
            request = Request(
                len(self.requests),
                port,
                method,
                target,
                headers,
                body,
                time.monotonic(),
                place_of(method, path, query),
            )
            self.requests.append(request)
        return request

    @contextlib.contextmanager
    def under_way(self, request: Request) -> Iterator[None]:
        """Counts how many requests are answered at once."""
        with self._lock:
            for name in ("all", request.place):
                self.at_once[name] += 1
                self.most_at_once[name] = max(self.most_at_once[name], self.at_once[name])
        try:
            yield
        finally:
            with self._lock:
                self.at_once.subtract(("all", request.place))

    def answer(self, request: Request) -> Response:
        """What this hospital says, after the faults that strike."""
        with self._lock:
            begun = len(self.exports.jobs)
            response = self._calm_answer(request)
            for number, fault in enumerate(self.faults if request.port == self.port else ()):
                if fault.at == request.place or (fault.at.startswith("/") and fault.at in request.target):
                    self.struck[number] += 1
                    if fault.after < self.struck[number] <= fault.after + fault.times:
                        response = fault.does(self, request, response)
            if response.status != 202:
                del self.exports.jobs[begun:]  # an export is begun only where the server says so
        return response

    def _calm_answer(self, request: Request) -> Response:
        for part, answer in self.extra.items():
            if part in request.target:
                return answer(request)
        needs_none = request.place in OPEN or (
            request.place in ("file", "deleted file") and not self.exporting.requires_token
        )
        refused = (
            None if needs_none or request.port == self.other_port else self.authorization.refuses(request)
        )
        if refused:
            return refused
        match request.place:
            case "discovery":
                return self.authorization.discovery()
            case "token":
                return self.authorization.token(request)
            case "metadata":
                return fhir(_capabilities(self.url))
            case "group" if self.members is not None:
                return fhir(_group(self.members))
            case "kick-off":
                return self.exports.kick_off(request, self.now())
            case "status" | "delete":
                return self.exports.status(request, self.now())
            case "file" | "deleted file":
                return self.exports.file(request)
            case "history":
                return history(self.hospital, self.url, request, self.now())
            case "search" | "next":
                return search(self.hospital, self.searching, self.url, request, self.now())
        return outcome(404, "nothing is here")


def _group(members: list[str]) -> dict[str, Any]:
    return {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": f"Patient/{member}"}} for member in members],
    }


def _capabilities(url: str) -> dict[str, Any]:
    kinds = ("Patient", "Observation")
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "implementation": {"description": "a hospital", "url": url},
        "rest": [
            {
                "mode": "server",
                "resource": [{"type": kind, "interaction": [{"code": "search-type"}]} for kind in kinds],
            }
        ],
    }


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False

    def __init__(self, server: Server, port: int, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        super().__init__((server.host, port), _Handler)
        self.hospital = server
        self.tls = tls

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no error of the server."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls is not None:
            # Here, in the connection's own thread: one that never shakes hands holds up no other.
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        listener = cast(_Listener, self.server)
        server = listener.hospital
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        port = listener.server_address[1]
        request = server.record(port, self.command, self.path, headers, body)
        try:
            with server.under_way(request):
                server.before(request)
                response = server.answer(request)
                response.send(self.connection, response.head(server.now()), response)
                server.after(request)
        except OSError:
            self.close_connection = True
            return
        if self.connection.fileno() < 0:
            self.close_connection = True

    do_POST = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps quiet: what was asked is in the server's record."""
