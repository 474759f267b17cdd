"""Where a view's rows go: a file that is there whole or not at all, a stream of CSV, or a terminal."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import duckdb

from flows.errors import UserError

SUFFIXES = (".parquet", ".csv", ".ndjson")
SHOWN = 40  # rows on a terminal


class ViewOutput:
    """Takes the rows of one chunk after the other. `finish` is called when all are there, `abandon` in any
    case.

    `kind` is the suffix without its dot. A list is a list in Parquet and NDJSON, and JSON in CSV.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, work: Path, kind: str) -> None:
        self._connection, self._work, self.kind = connection, work, kind
        self._parts: list[Path] = []

    def add(self, rows: duckdb.DuckDBPyRelation) -> None:
        """Runs the query of the rows, and keeps what it gives; raises what the query raises."""
        part = self._work / f"rows-{len(self._parts)}.{self.kind}"
        _write(self._connection, rows, part, self.kind)
        self._parts.append(part)
        self.taken()

    def begin(self, header: bytes) -> None:
        """Called first; `header` is the first line of CSV."""

    def taken(self) -> None:
        """Called after each chunk."""

    def finish(self, empty: duckdb.DuckDBPyRelation) -> None:
        """Ends the output. `empty` has the columns, and no row."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Removes what isn't finished."""

    def _pour(self, target: BinaryIO) -> None:
        for part in self._parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)
            part.unlink()
        self._parts.clear()


class FileOutput(ViewOutput):
    """A file at `path`, which takes the place of a former one when it is whole.

    Raises UserError at once where nothing can be written there.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, work: Path, path: Path) -> None:
        super().__init__(connection, work, path.suffix.removeprefix("."))
        self._path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            if path.is_dir():
                raise IsADirectoryError(21, "is a folder")
            self._target = self._part.open("wb")
        except OSError as error:
            raise UserError(f"--out {path}: can't be written ({error.strerror}); choose another") from error

    def taken(self) -> None:
        if self.kind != "parquet":
            self._pour(self._target)

    def begin(self, header: bytes) -> None:
        if self.kind == "csv":
            self._target.write(header)

    def finish(self, empty: duckdb.DuckDBPyRelation) -> None:
        if self.kind == "parquet":
            _join(self._connection, self._parts, empty, self._part)
        self._target.flush()
        os.fsync(self._target.fileno())
        self._target.close()
        self._part.replace(self._path)

    def abandon(self) -> None:
        self._target.close()
        self._part.unlink(missing_ok=True)


class CsvStream(ViewOutput):
    """CSV as it comes, for a pipe."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, work: Path, target: BinaryIO) -> None:
        super().__init__(connection, work, "csv")
        self._target = target

    def begin(self, header: bytes) -> None:
        self._target.write(header)

    def taken(self) -> None:
        self._pour(self._target)
        self._target.flush()

    def finish(self, empty: duckdb.DuckDBPyRelation) -> None:
        self._target.flush()


class TerminalTable(ViewOutput):
    """A table as wide as the terminal: the first and last rows, and how many there are."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        work: Path,
        show: Callable[[duckdb.DuckDBPyRelation], None],
    ) -> None:
        super().__init__(connection, work, "parquet")
        self._show = show

    def finish(self, empty: duckdb.DuckDBPyRelation) -> None:
        self._show(_read(self._connection, self._parts) if self._parts else empty)


def csv_header(names: list[str]) -> bytes:
    """The first line of the CSV; a view's column names need no quotes."""
    return (",".join(names) + "\n").encode()


def show_table(rows: duckdb.DuckDBPyRelation) -> None:
    """Prints rows as DuckDB's box; it escapes the control characters that data may hold."""
    rows.show(max_width=shutil.get_terminal_size().columns, max_rows=SHOWN)


def _write(
    connection: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation, path: Path, kind: str
) -> None:
    if kind == "parquet":
        rows.write_parquet(str(path), compression="zstd")
    elif kind == "csv":
        _with_lists_as_json(rows).write_csv(str(path), header=False)
    else:
        rows.create_view("view_rows", replace=True)
        connection.execute("copy (from view_rows) to $1 (format json)", [str(path)])


def _with_lists_as_json(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    columns = [
        duckdb.FunctionExpression("to_json", duckdb.ColumnExpression(name)).alias(name)
        if kind.id == "list"
        else duckdb.ColumnExpression(name)
        for name, kind in zip(rows.columns, rows.types, strict=True)
    ]
    return rows.select(*columns)


def _join(
    connection: duckdb.DuckDBPyConnection, parts: list[Path], empty: duckdb.DuckDBPyRelation, path: Path
) -> None:
    if len(parts) == 1:
        shutil.copyfile(parts[0], path)
    else:
        rows = _read(connection, parts) if parts else empty
        rows.write_parquet(str(path), compression="zstd")


def _read(connection: duckdb.DuckDBPyConnection, parts: list[Path]) -> duckdb.DuckDBPyRelation:
    return connection.read_parquet([str(part) for part in parts])
