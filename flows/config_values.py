"""The values of a configuration's keys: each reader gives what a key means, or says what would be right."""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import re
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flows.config_secret import is_reference
from studies.nearest import did_you_mean

PLACEHOLDER = "FILL-IN"  # what `cove init` writes where a value is to be put

Reader = Callable[[Any], Any]


class WrongValueError(Exception):
    """The end of the sentence `site "a" has count …`: what is wrong, and what would be right. No secret."""


def text(value: Any) -> str:
    """A text in one line."""
    if not isinstance(value, str):
        raise WrongValueError("that is no text; write it in quotes")
    if not value.strip() or not value.isprintable():
        raise WrongValueError("that is empty, or has a line break; write a text in one line")
    if PLACEHOLDER in value:
        raise WrongValueError(f"that is still {PLACEHOLDER}; fill it in")
    return value


def choice(*allowed: str) -> Reader:
    """One of a few words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            written = f'"{value}"' if isinstance(value, str) and value.isprintable() else "that is none"
            raise WrongValueError(f"{written}; use {_listed(allowed)}")
        return value

    return read


def boolean(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise WrongValueError("that is neither true nor false; write one of them without quotes")
    return value


def whole_number(at_least: int) -> Reader:
    """A whole number of some size."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
            raise WrongValueError(f"that is no whole number from {at_least} up; write one without quotes")
        return value

    return read


def number(*, above: float | None = None) -> Reader:
    """A finite number above a bound; from 0 up without one."""

    def read(value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or (value <= above if above is not None else value < 0):
            wanted = f"above {above:g}" if above is not None else "from 0 up"
            raise WrongValueError(f"that is no number {wanted}; write one without quotes")
        return float(value)

    return read


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts, without an empty list."""
    if not isinstance(value, list) or not value:
        raise WrongValueError('that is no list with items; write ["…", "…"]')
    return tuple(text(item) for item in value)


def resource_types(value: Any) -> tuple[str, ...]:
    """A list of FHIR's resource types, each once."""
    # Imported late: it brings the models, which other commands don't need.
    from mappers.fhir_types import is_resource, type_paths

    names = texts(value)
    for name in names:
        if not any(is_resource(version, name) for version in ("R4B", "R5")):
            known = [known for known in type_paths("R5") if is_resource("R5", known)]
            near = did_you_mean(name, known)
            hint = near if near.startswith("did") else "use FHIR's name of it"
            raise WrongValueError(f'"{name}", which is no FHIR resource type; {hint}')
    return tuple(dict.fromkeys(names))


def secret(value: Any) -> str:
    """A reference to a secret. What isn't one may be the secret itself, and is never shown."""
    if isinstance(value, str) and PLACEHOLDER in value:
        return text(value)
    if not isinstance(value, str) or not is_reference(value):
        raise WrongValueError("that is no reference to a secret; use env:NAME or file:PATH")
    return value


def base_url(value: Any) -> str:
    """An http or https address without credentials, without the slash at its end. Never shown: it may hold them."""
    try:
        parts = urlsplit(text(value))
        port_is_right = parts.port is None or parts.port > 0
    except ValueError as error:
        raise WrongValueError("that is no address; write https://host/path") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise WrongValueError("that is no http or https address; write https://host/path")
    if parts.username is not None or parts.password is not None:
        raise WrongValueError("with credentials in it; take them out, and use auth")
    if parts.query or parts.fragment or re.search(r"\s", value):
        raise WrongValueError("with a query, a fragment or a space; write the base address only")
    return str(value).rstrip("/")


def is_loopback(parts: SplitResult) -> bool:
    """Whether an address stays on this machine."""
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def time_zone(value: Any) -> str:
    """The name of a time zone of the IANA database."""
    name, known = text(value), zoneinfo.available_timezones() - {"localtime"}
    if name not in known:
        near = did_you_mean(name, known)
        hint = near if near.startswith("did") else 'use a name such as "Asia/Seoul"'
        raise WrongValueError(f'"{name}", which is no time zone; {hint}')
    return name


def window(value: Any) -> tuple[dt.time, dt.time]:
    """Two times of a day that differ; the second may be on the next day."""
    if not isinstance(value, list) or len(value) != 2:
        raise WrongValueError('that is no pair of times; write ["22:00", "06:00"]')
    begins, ends = (_time(item) for item in value)
    if begins == ends:
        raise WrongValueError("of no length; leave the key out for the whole day")
    return begins, ends


def _time(value: Any) -> dt.time:
    if isinstance(value, dt.time):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(r"\d\d:\d\d(:\d\d)?", value):
            return dt.time.fromisoformat(value)
    except ValueError:
        pass  # said below, as of any other text that is no time
    raise WrongValueError('with what is no time of day; write ["22:00", "06:00"]')


def _listed(words: Sequence[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
