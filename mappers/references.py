"""The SQL macros that mapping calls: keys of resources and references, dates, boundaries, instants.

`references.sql`, `boundaries.sql` and `instants.sql` hold them, each with its rule.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

BLOCK = 64  # bytes, of SHA-256


def install_macros(connection: duckdb.DuckDBPyConnection, identity_key: bytes) -> None:
    """Creates the macros on the connection; the key is kept in its variables only.

    `identity_key` is the key of the HMAC-SHA256 that stands for an identifier (RFC 2104).
    """
    key = hashlib.sha256(identity_key).digest() if len(identity_key) > BLOCK else identity_key
    padded = key.ljust(BLOCK, b"\0")
    # Digits in the text, since DuckDB imports pandas (half a second) for the first value that is bound.
    for name, mask in (("ipad", 0x36), ("opad", 0x5C)):
        connection.execute(f"set variable {name} = unhex('{bytes(byte ^ mask for byte in padded).hex()}')")
    for name in ("references.sql", "boundaries.sql", "instants.sql"):
        connection.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))
