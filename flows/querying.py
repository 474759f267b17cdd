"""A read-only prompt on the published warehouse, for analysts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import duckdb

from flows.errors import UserError
from flows.warehouse import read_warehouse


def run_query(home: Path, query: str, stream: TextIO) -> None:
    """Prints the rows of one statement as a table on a terminal, as CSV elsewhere."""
    with read_warehouse(published(home)) as connection:
        _answer(connection, query, stream)


def prompt(home: Path) -> None:
    """Reads statements from the terminal, one a line, until the end of input."""
    with read_warehouse(published(home)) as connection:
        while True:
            try:
                query = input("cove> " if sys.stdin.isatty() else "")
            except EOFError:
                return
            if not query.strip():
                continue
            try:
                _answer(connection, query, sys.stdout)
            except UserError as error:
                print(error, file=sys.stderr)  # noqa: T201


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


def _answer(connection: duckdb.DuckDBPyConnection, query: str, stream: TextIO) -> None:
    try:
        _check_only_reads(connection.extract_statements(query))
        relation = connection.sql(query)
        if relation is None:
            return
        if stream.isatty():
            print(relation, file=stream)
        else:
            relation.pl().write_csv(sys.stdout.buffer if stream is sys.stdout else stream)
    except duckdb.Error as error:
        raise UserError(f"the query can't be run: {str(error).splitlines()[0]}") from error


def _check_only_reads(statements: list[duckdb.Statement]) -> None:
    """Raises UserError for what could write: a read-only database still copies to files and attaches others."""
    kinds = [statement.type for statement in statements]
    if kinds == [duckdb.StatementType.SELECT]:
        return
    # `explain analyze` runs the statement that it explains.
    if kinds == [duckdb.StatementType.EXPLAIN] and "analyze" not in statements[0].query.lower():
        return
    raise UserError("the prompt only reads: give one select, show, describe, summarize or explain")
