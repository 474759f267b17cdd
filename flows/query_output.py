"""Where a query's rows go: CSV as it comes, or a table that is safe to show on a terminal."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import BinaryIO

import duckdb

from flows.errors import SourceError
from mappers.values import text

SHOWN = 40  # rows on a terminal
NESTED = frozenset({"list", "array", "struct", "map"})
JOINERS = "\u200c\u200d"  # scripts and emoji need them, and they move nothing


def inner(query: str) -> str:
    """The one statement of `query` without its closing semicolon, to stand between parentheses."""
    source = query.encode()
    for start, kind in duckdb.tokenize(query):
        if kind == duckdb.token_type.operator and source[start : start + 1] == b";":
            return source[:start].decode()
    return query


def write_csv(connection: duckdb.DuckDBPyConnection, query: str, target: BinaryIO) -> None:
    """Writes the rows of a select as CSV in DuckDB's own text: header, null as nothing, empty text as `""`.

    Lists, arrays, structs and maps are JSON. Rows are written as they come; what the query raises comes after
    those before it. The query has a line of its own, so that DuckDB's lines are one more than its own.
    """
    rows = f"(from (\n{inner(query)}\n))"  # `from`, for a describe can't be copied itself
    # Names and types, from a statement of its own: a relation's errors have places in another text.
    columns = connection.execute(f"select * from {rows} limit 0").description or []  # noqa: S608 - is a query
    if any(kind.id in NESTED for _, kind, *_ in columns):
        shown = [_column(number, name, kind.id) for number, (name, kind, *_) in enumerate(columns, 1)]
        rows = f"(select {', '.join(shown)} from {rows})"  # noqa: S608
    with _poured(target) as path:
        # As text: for a value that is bound DuckDB imports pandas, which takes half a second, and loses a signal then.
        connection.execute(f"copy {rows} to {text(path)} (format csv, header true)")


def write_csv_of(rows: duckdb.DuckDBPyRelation, target: BinaryIO) -> None:
    """Writes as CSV what can't stand within a query: an `explain`."""
    with _poured(target) as path:
        rows.write_csv(path, header=True)


def table(rows: duckdb.DuckDBPyRelation) -> str:
    """DuckDB's box, as wide as the terminal: the first and last rows, and how many there are."""
    box = io.StringIO()
    with redirect_stdout(box):
        rows.show(max_width=shutil.get_terminal_size().columns, max_rows=SHOWN)
    return visible(box.getvalue().rstrip("\n"))


def visible(shown: str) -> str:
    """The text with control and format characters as escapes, such as `\\u009b`; lines stay lines.

    A terminal obeys them: they could move the cursor, set its title, or show text in another order.
    """
    return "".join(map(_visible, shown))


def _visible(character: str) -> str:
    kind = unicodedata.category(character)
    if character == "\n" or character in JOINERS or kind not in {"Cc", "Cf", "Zl", "Zp", "Cs"}:
        return character
    return f"\\u{ord(character):04x}"


def _column(number: int, name: str, kind: str) -> str:
    quoted = name.replace('"', '""')
    return f'to_json(#{number}) as "{quoted}"' if kind in NESTED else f'#{number} as "{quoted}"'


@contextmanager
def _poured(target: BinaryIO) -> Iterator[str]:
    """A path that DuckDB can write to; what it writes goes to `target` at once.

    DuckDB would open the file behind standard output anew, and write over what is there already. A reader that
    closes the pipe ends the command, as it ends `cat`. Raises SourceError when the rows can't be written.
    """
    reading, writing = os.pipe()
    pump, is_stopped = _Pump(reading, target), False
    pump.start()
    try:
        yield f"/dev/fd/{writing}"
    except BaseException as error:
        is_stopped = not isinstance(error, duckdb.Error)
        if pump.failure is None or not isinstance(error, duckdb.IOException):
            raise
    finally:
        os.close(writing)
        # Of a query that is stopped from outside DuckDB closes the file with its connection, which is later.
        if not is_stopped:
            pump.join()
    if isinstance(pump.failure, BrokenPipeError):
        # Python flushes standard output once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), target.fileno())
        sys.exit(128 + signal.SIGPIPE)
    if pump.failure is not None:
        raise SourceError(
            f"the rows can't be written ({pump.failure.strerror}); free space, and run again"
        ) from pump.failure


class _Pump(threading.Thread):
    """Copies from a pipe; when the target fails it closes the pipe, so that whoever writes to it fails too."""

    def __init__(self, reading: int, target: BinaryIO) -> None:
        super().__init__(daemon=True)
        self._reading, self._target = reading, target
        self.failure: OSError | None = None

    def run(self) -> None:
        with os.fdopen(self._reading, "rb", buffering=0) as source:
            try:
                shutil.copyfileobj(source, self._target, 1 << 16)
                self._target.flush()
            except OSError as error:
                self.failure = error  # before the pipe closes: the writer fails then, and looks for the cause
