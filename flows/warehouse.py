"""Builds the warehouse aside, and publishes it by a rename; readers keep the version that they opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from flows.home import Home, open_home, read_key
from flows.run import Run

KEPT_VERSIONS = 10


@contextmanager
def read_warehouse(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a published version."""
    connection = duckdb.connect(str(path), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def publish(built: Path, home: Home, name: str) -> Path:
    """Makes a finished database file the published one, and keeps it among the versions.

    Both names are links to one file: nothing is copied, and a reader of the former one is not disturbed.
    """
    version = home.versions / f"{name}.duckdb"
    built.chmod(0o400)
    built.replace(version)
    link = home.root / f".warehouse.{os.getpid()}.part"
    link.unlink(missing_ok=True)
    os.link(version, link)
    link.replace(home.warehouse)
    for former in sorted(home.versions.glob("*.duckdb"))[:-KEPT_VERSIONS]:
        former.unlink()
    return version
