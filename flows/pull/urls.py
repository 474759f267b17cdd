"""URLs: whom a request goes to, and how one is told without what it may hide."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]


def origin_of(url: str) -> Origin:
    """Scheme, host and port: whoever differs in one of them is somebody else. ValueError where a port is none."""
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme.lower())


def is_web(url: str) -> bool:
    """Whether the URL is absolute, over http or https, and has a host."""
    try:
        scheme, host, _ = origin_of(url)
    except ValueError:
        return False
    return scheme in PORTS and bool(host)


def is_private(url: str) -> bool:
    """Whether a credential may go there: over TLS, or to this machine itself."""
    scheme, host, _ = origin_of(url)
    return scheme == "https" or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def joined(base: str, written: str) -> str | None:
    """The address that a server wrote, as given where it is whole; None where it is none."""
    try:
        written.encode()  # JSON may hold half of a character
        url = written if is_web(written) else urljoin(base, written)
    except ValueError:
        return None
    return url if is_web(url) else None


def told(url: str) -> str:
    """The URL for a message: without a user's name or password, and with the names of its query only."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    host = parts.netloc.rpartition("@")[2]
    names = ",".join(dict.fromkeys(name for name, _ in parse_qsl(parts.query, keep_blank_values=True)))
    shown = f"{parts.scheme}://{host}{parts.path}{'?' + names if names else ''}"
    # The server may have written it: nothing of it may steer a terminal.
    return "".join(character for character in shown if character.isprintable())[:300]


def fingerprint(url: str) -> str:
    """What tells a URL from others where it is kept: itself, it may be signed, or hold a patient's name."""
    return hashlib.sha256(url.encode(errors="surrogateescape")).hexdigest()[:32]


def with_query(url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The URL with parameters; a plus in an instant's offset is escaped, or it would be read as a space."""
    query = urlencode(list(parameters), safe=",:/$")
    return f"{url}?{query}" if query else url
