"""Opens the published warehouse, only to read: it needs nothing of what builds one, so that readers start at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from flows.errors import UserError


@contextmanager
def read_warehouse(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a published version. Raises UserError when it can't be opened."""
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise UserError(
            f"{path}: can't be opened as a warehouse; publish it anew with `cove build`"
        ) from error
    try:
        yield connection
    finally:
        connection.close()


def published(home: Path) -> Path:
    """The published warehouse of a home. Raises UserError when nothing is published there."""
    path = home / "warehouse.duckdb"
    if not os.path.exists(path):  # noqa: PTH110 - a home of somebody else is none, not an error
        raise UserError(
            f"--home {home}: no warehouse is published there; run `cove run` first, or name another home"
        )
    return path


@contextmanager
def reading(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the published warehouse, for queries of this release.

    Raises UserError where nothing is published, or by a release that had other tables.
    """
    with read_warehouse(published(home)) as connection:
        try:
            yield connection
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise UserError(
                f"--home {home}: another release built the warehouse; build it anew with `cove build STUDY`"
            ) from error
