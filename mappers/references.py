"""The SQL macros that mapping calls: keys of resources and references, dates, boundaries, instants.

`references.sql`, `boundaries.sql` and `instants.sql` hold them, each with its rule.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

BLOCK = 64  # bytes, of SHA-256
BOUNDARIES = Path(__file__).with_name("boundaries.sql")
MACRO = re.compile(r"create or replace temp macro (\w+)")


def install_macros(
    connection: duckdb.DuckDBPyConnection, identity_key: bytes, *, called_by: Iterable[str] | None = None
) -> None:
    """Creates the macros on the connection; the key is kept in its variables only.

    `identity_key` is the key of the HMAC-SHA256 that stands for an identifier (RFC 2104). With `called_by`, SQL of
    views, the many macros of boundaries are left out where none of it calls one.
    """
    key = hashlib.sha256(identity_key).digest() if len(identity_key) > BLOCK else identity_key
    padded = key.ljust(BLOCK, b"\0")
    # Digits in the text, since DuckDB imports pandas (half a second) for the first value that is bound.
    for name, mask in (("ipad", 0x36), ("opad", 0x5C)):
        connection.execute(f"set variable {name} = unhex('{bytes(byte ^ mask for byte in padded).hex()}')")
    for name in ("references.sql", "instants.sql"):
        connection.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    boundaries = BOUNDARIES.read_text(encoding="utf-8")
    if called_by is None or _calls_any(called_by, MACRO.findall(boundaries)):
        connection.execute(boundaries)


def _calls_any(queries: Iterable[str], macros: Sequence[str]) -> bool:
    return any(f"{macro}(" in sql for sql in queries for macro in macros)
