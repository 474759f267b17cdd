"""Whether a site's secrets are there, readable by their owner only, and what they should be; never what they are."""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator
from pathlib import Path

from flows.config import Secret, Site
from flows.doctor.lines import Line, counted, fail, ok, warn
from flows.errors import UserError
from flows.pull.failures import SiteFailure
from flows.pull.keys import read_key

KEYS = ("private_key", "token", "user", "password", "cert", "key", "ca")
PUBLIC = ("cert", "ca", "user")  # whoever reads these can't be taken for the client
OTHERS = stat.S_IRWXG | stat.S_IRWXO
EXPIRES_SOON = 14  # days of a client's certificate
# How each kind of certificate is to be given, and what to do when it ended.
CERTIFICATES = {
    "cert": ("give it as PEM", "ask the hospital for a new one"),
    "ca": ("give the authority's as PEM", "ask the hospital for the present one"),
}


def secret_lines(site: Site, now: dt.datetime) -> Iterator[Line]:
    """A line for each secret or certificate that the site's configuration names."""
    for key in KEYS:
        written = getattr(site, key)
        if isinstance(written, Secret):
            yield _secret_line(site, key, written, now)
        elif isinstance(written, Path):
            yield _file_line(key, written, now)


def _secret_line(site: Site, key: str, secret: Secret, now: dt.datetime) -> Line:
    try:
        text = secret.reveal()
    except UserError as error:
        found, _, remedy = str(error).removeprefix(f'site "{site.name}": {key}: ').partition("; ")
        return fail(key, found, remedy)
    line = _content_line(key, text, str(secret), now)
    path = secret.path
    if line.verdict == "ok" and key not in PUBLIC and path is not None and _is_open(path):
        return warn(key, f"{line.found}; others than its owner can read it", f"chmod 600 {path}")
    return line


def _file_line(key: str, path: Path, now: dt.datetime) -> Line:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return fail(key, f"{path} can't be read ({error.strerror})", "put it there, or give cove access")
    except UnicodeDecodeError:
        return fail(key, f"{path} is no PEM file", "give the certificate as PEM")
    return _content_line(key, text, str(path), now)


def _content_line(key: str, text: str, place: str, now: dt.datetime) -> Line:
    if key == "private_key":
        return _client_key_line(text, place)
    if key in CERTIFICATES:
        return _certificate_line(key, text, place, now)
    return ok(key, f"{place} is readable")


def _client_key_line(text: str, place: str) -> Line:
    try:
        key = read_key(text)
    except SiteFailure as failure:
        return fail("private_key", f"{place} can't be read as a private key", failure.remedy)
    return ok("private_key", f"{place} is readable: {key.algorithm}, kid {key.kid[:64]}")


def _certificate_line(key: str, text: str, place: str, now: dt.datetime) -> Line:
    as_pem, remedy = CERTIFICATES[key]
    ends_at = _first_end(text)
    if ends_at is None:
        return fail(key, f"{place} can't be read as a certificate", as_pem)
    if ends_at <= now:
        return fail(key, f"{place} ended on {ends_at:%Y-%m-%d}", remedy)
    left = (ends_at - now).days
    if key == "cert" and left < EXPIRES_SOON:
        return warn(key, f"{place} ends in {counted(left, 'day')}", remedy)
    return ok(key, f"{place} is readable, and holds until {ends_at:%Y-%m-%d}")


def _first_end(text: str) -> dt.datetime | None:
    """When the first of the certificates that end does; None where the text has no certificate."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return max(one.not_valid_after_utc for one in load_pem_x509_certificates(text.encode()))
    except ValueError:
        return None


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & OTHERS)
