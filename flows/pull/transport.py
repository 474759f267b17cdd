"""Connections by `requests`: all headers within one wait, the site's certificates, nothing from the environment."""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.timeout import Timeout

from flows.config import Site
from flows.pull.urls import PORTS, origin_of


class _Noting:
    """A stream of lines that notes whether it ended within one, or where one was wanted."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.is_cut = stream, False

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self.stream.readline(limit)
        self.is_cut = self.is_cut or not line or (not line.endswith(b"\n") and len(line) != limit)
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class WholeHeaders(HTTPResponse):
    """An answer whose headers came to their end: `http.client` takes what came before a connection closed for
    all of them, and then the body for empty.
    """

    def begin(self) -> None:
        stream: Any = self.fp
        noting: Any = _Noting(stream)
        self.fp = noting
        super().begin()
        if self.fp is noting:
            self.fp = stream
        if noting.is_cut:
            raise ConnectionResetError("the answer is cut within its headers")


class HeadersInTime:
    """A connection whose `read` timeout bounds all of an answer's headers: a socket's bounds each piece only."""

    response_class: Any = WholeHeaders

    def getresponse(self) -> Any:
        connection: Any = self
        seconds = connection.timeout
        if isinstance(seconds, Timeout):
            seconds = seconds.read_timeout
        if connection.sock is None or not isinstance(seconds, int | float):
            return super().getresponse()  # type: ignore[misc]
        late = threading.Event()

        def end(sock: Any = connection.sock) -> None:
            late.set()
            # A read that waits returns at once; closing the socket would not wake it.
            _shut(sock)

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            return super().getresponse()  # type: ignore[misc]
        except Exception as error:
            if late.is_set():
                raise ReadTimeoutError(None, "", "headers") from error  # type: ignore[arg-type]
            raise
        finally:
            timer.cancel()


class PlainConnection(HeadersInTime, HTTPConnection):
    """Over http."""


class SecureConnection(HeadersInTime, HTTPSConnection):
    """Over https."""


class PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection


class Adapter(HTTPAdapter):
    """Makes such connections, by one TLS context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leaves all of it to the context."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {**pool, "ssl_context": self._context}


def open_session(plain: ssl.SSLContext, own: ssl.SSLContext, url: str) -> requests.Session:
    """A session (for one thread). Only the site's own origin sees the context `own`, with its certificate."""
    session = requests.Session()
    # No proxy, password or certificate that isn't in cove.toml: a .netrc is not meant for hospitals.
    session.trust_env = False
    session.mount("https://", Adapter(plain))
    session.mount("http://", Adapter(plain))
    scheme, host, port = origin_of(url)
    name = f"[{host}]" if ":" in host else host
    for written in {f"{name}:{port}", *([name] if PORTS[scheme] == port else [])}:
        session.mount(f"{scheme}://{written}/", Adapter(own))
    return session


def contexts(site: Site) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS as the site's `ca` wants it: without, and with, the certificate of mutual TLS.

    Raises OSError or ssl.SSLError where a certificate can't be read.
    """
    plain = _context(site)
    if site.auth != "mtls" or site.cert is None:
        # One serves for both: reading the authorities takes longer than a request.
        return plain, plain
    own = _context(site)
    _load_certificate(own, site.cert, site.key)
    return plain, own


def _context(site: Site) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(site.ca) if site.ca else DEFAULT_CA_BUNDLE_PATH)


def _load_certificate(context: ssl.SSLContext, cert: Any, key: Any) -> None:
    """OpenSSL reads certificates from files only: a secret's text is in one for that moment."""
    with tempfile.TemporaryDirectory(prefix="cove-") as folder:
        paths = [
            None if part is None else _as_file(part, Path(folder) / name)
            for part, name in ((cert, "cert.pem"), (key, "key.pem"))
        ]
        # Without an answer OpenSSL would ask the terminal for a password.
        context.load_cert_chain(str(paths[0]), paths[1], password=lambda: b"")


def _as_file(part: Any, path: Path) -> Path:
    if isinstance(part, Path):
        return part
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as target:
        target.write(part.reveal())
    return path


def _shut(sock: Any) -> None:
    try:
        sock.shutdown(2)
    except OSError:
        # It was closed by the other side meanwhile.
        return
