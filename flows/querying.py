"""A read-only prompt on the published warehouse, for analysts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import duckdb

from flows.errors import UserError
from flows.published import published, read_warehouse
from flows.query_errors import located, told
from flows.query_output import table, visible, write_csv, write_csv_of

READ_TO_SHOW = 10_000  # rows that DuckDB reads for a table on a terminal


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


def _answer(connection: duckdb.DuckDBPyConnection, query: str, stream: TextIO) -> None:
    lines_before = 0
    try:
        kind = _check_only_reads(connection.extract_statements(query))
        if kind == duckdb.StatementType.EXPLAIN:
            _explain(connection, query, stream)
        elif stream.isatty():
            _show(connection, query, stream)
        else:
            lines_before = 1
            write_csv(connection, query, stream.buffer)
    except duckdb.Error as error:
        raise UserError(f"the query can't be run: {told(error, query, lines_before)}") from error


def _explain(connection: duckdb.DuckDBPyConnection, query: str, stream: TextIO) -> None:
    plan = connection.sql(query)
    if stream.isatty():
        print(visible("\n".join(text for _, text in plan.fetchall())), file=stream)
    else:
        write_csv_of(plan, stream.buffer)


def _show(connection: duckdb.DuckDBPyConnection, query: str, stream: TextIO) -> None:
    try:
        print(table(connection.sql(query)), file=stream)
    except duckdb.Error as error:
        # A relation's error has a place in a text that DuckDB made of the query.
        again = located(connection, query, READ_TO_SHOW) or error
        raise UserError(f"the query can't be run: {told(again, query, 1)}") from error


def _check_only_reads(statements: list[duckdb.Statement]) -> duckdb.StatementType:
    """The kind of the one statement. Raises UserError for what could write: a read-only database still copies
    to files and attaches others.
    """
    kinds = [statement.type for statement in statements]
    if kinds == [duckdb.StatementType.SELECT]:
        return kinds[0]
    # `explain analyze` runs the statement that it explains.
    if kinds == [duckdb.StatementType.EXPLAIN] and "analyze" not in statements[0].query.lower():
        return kinds[0]
    raise UserError("the prompt only reads: give one select, show, describe, summarize or explain")
