"""Runs a ViewDefinition alone over files: no study, no configuration, no home."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import duckdb

from flows.errors import SourceError, UserError
from flows.exact_numbers import tree_of
from flows.mapping import reads_of
from flows.refusing import take_out_refused
from flows.sorted_lines import Lines
from flows.view_files import files_meant
from flows.view_lines import Chunk, LineSorter, Tally, Told
from flows.view_output import (
    SUFFIXES,
    CsvStream,
    FileOutput,
    TerminalTable,
    ViewOutput,
    csv_header,
    show_table,
)
from flows.view_query import AskedView, ask_view, explain, note_aliases, rows_of
from mappers.fields import FieldPath
from mappers.references import install_macros
from mappers.repetition import TOO_DEEP
from mappers.shape_check import ShapeChecker

CHUNK = 256 << 20
# Keys of references by identifier are hashes with the home's key, and here there is no home: they tie the rows
# of one command to those of another, and hide nothing.
KEY = b"cove view"
READING_ERRORS = (duckdb.DataError, duckdb.InvalidInputException)
UNHARMED = "number-precision"  # a finding that decimals kept as text make needless


@dataclass(frozen=True)
class Output:
    """Where the rows go: to the file, or, without one, to the stream: a table on a terminal, else CSV."""

    path: Path | None
    stream: TextIO


def view_command(
    definition: Path,
    names: list[str],
    *,
    out: Path | None,
    decimals: str,
    fhir_version: str | None,
    is_explained: bool,
) -> int:
    """What `cove view` does; returns its exit code. A reader that closes the pipe ends it, as it ends `cat`."""
    asked = ask_view(definition, fhir_version=fhir_version, decimals=decimals)
    if is_explained:
        print(explain(asked))  # noqa: T201
        return 0
    if not names:
        raise UserError("FILES: name at least one file, folder or pattern of FHIR data")
    try:
        return run_view(asked, files_meant(names), Output(out, sys.stdout), tell=_to_stderr)
    except BrokenPipeError:
        # Python flushes standard output once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def run_view(
    asked: AskedView,
    files: list[Path],
    output: Output,
    *,
    tell: Callable[[str], None],
    chunk_size: int = CHUNK,
) -> int:
    """Writes the view's rows, tells of what was left out, and returns the exit code: 1 after a quarantine.

    Rows come in the order of the files and lines; in a file that mixes FHIR versions, version by version.
    Raises UserError for an output that can't be written and for a view that the data contradict,
    SourceError when the disk fails or is full.
    """
    _check_output(output.path, asked, files)
    try:
        with tempfile.TemporaryDirectory(prefix="cove-view-") as work:
            tally = write_rows(asked, files, output, Path(work), chunk_size)
    except BrokenPipeError:
        raise
    except (OSError, duckdb.IOException) as error:
        raise SourceError(f"the rows can't be written ({error}); free space, and run again") from error
    for line in told(asked, tally):
        tell(line)
    return 1 if tally.refused else 0


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def told(asked: AskedView, tally: Tally) -> Iterator[str]:
    """What became of the resources, with the places of those that were left out; never a value of theirs."""
    others = f"{tally.other_types.total()} of other types"
    deletions = f", {tally.deletions} deletions passed over" if tally.deletions else ""
    yield f"{asked.view.resource}: {tally.mapped} mapped, {tally.refused} quarantined, {others}{deletions}"
    for rule, places in sorted(tally.quarantined.items()):
        yield f"quarantined, {rule}: {_places(places)}"
    for rule, places in sorted(tally.findings.items()):
        if not (asked.is_exact and rule == UNHARMED):
            yield f"finding, {rule}: {_places(places)}"


def _places(places: Told) -> str:
    named = "; ".join(f"{path} line {line}" for path, line in places.places)
    more = places.count - len(places.places)
    return f"{places.count} ({named}{f'; and {more} more' if more else ''})"


def _check_output(path: Path | None, asked: AskedView, files: list[Path]) -> None:
    if path is None:
        return
    if path.suffix not in SUFFIXES:
        raise UserError(f"--out {path}: give the file one of the suffixes {', '.join(SUFFIXES)}")
    if path.resolve() in {file.resolve() for file in (*files, Path(asked.view.file))}:
        raise UserError(f"--out {path}: is also read; choose another file")


def write_rows(
    asked: AskedView, files: list[Path], output: Output, work: Path, chunk_size: int = CHUNK
) -> Tally:
    """Writes the view's rows, and says what became of the resources; `work` is a folder for what is under way.

    Raises as `run_view`, and OSError or duckdb.IOException where the disk fails.
    """

    def reads(version: str, _resource_type: str) -> frozenset[FieldPath]:
        return reads_of([asked.compiled[version].paths])

    checker = ShapeChecker((asked.view.resource,), reads, tuple(asked.compiled))
    # Writing a resource anew also finds what DuckDB doesn't see in JSON: a key that is there twice.
    exact = {
        version: tree_of(one.exact_numbers)
        for version, one in asked.compiled.items()
        if one.exact_numbers or one.reads_json
    }
    sorter = LineSorter(work, files, checker, exact, chunk_size)
    with _connect(work) as connection:
        target = _output(connection, output, work)
        try:
            _try_query(connection, asked, work)
            target.begin(csv_header([name for name, _ in asked.columns]))
            for chunk in sorter.chunks():
                _map_chunk(connection, asked, chunk, sorter, target)
            target.finish(_empty(connection, asked, work))
        finally:
            target.abandon()
    return sorter.tally


def _connect(work: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"temp_directory": str(work / "spill"), "memory_limit": "1GB"}
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("set TimeZone = 'UTC'")
    install_macros(connection, KEY)
    return connection


def _output(connection: duckdb.DuckDBPyConnection, output: Output, work: Path) -> ViewOutput:
    if output.path is not None:
        return FileOutput(connection, work, output.path)
    if output.stream.isatty():
        return TerminalTable(connection, work, show_table)
    return CsvStream(connection, work, output.stream.buffer)


def _try_query(connection: duckdb.DuckDBPyConnection, asked: AskedView, work: Path) -> None:
    """Runs the view over a resource without content: what fails there is the view's fault, and no line's."""
    path = work / "nothing.ndjson"
    path.write_text('{"$scope":0,"resource":{}}\n')
    for version in asked.compiled:
        try:
            rows_of(connection, asked, version, path, 0, has_aliases=False).fetchall()
        except duckdb.IOException:
            raise
        except duckdb.Error as error:
            said = str(error).splitlines()[0].partition("Error: ")[2] or "it can't be planned"
            raise UserError(
                f"{asked.view.file}: DuckDB refuses the query: {said}; make the view simpler"
            ) from error


def _map_chunk(
    connection: duckdb.DuckDBPyConnection,
    asked: AskedView,
    chunk: Chunk,
    sorter: LineSorter,
    target: ViewOutput,
) -> None:
    note_aliases(connection, chunk.aliases)
    for version, lines in sorted(chunk.lines.items()):
        while True:
            rows = rows_of(
                connection, asked, version, lines.path, lines.longest, has_aliases=bool(chunk.aliases)
            )
            try:
                target.add(rows)
            except READING_ERRORS:
                if not _take_out(connection, asked, version, lines, sorter):
                    raise
            else:
                break
        lines.path.unlink()


def _take_out(
    connection: duckdb.DuckDBPyConnection, asked: AskedView, version: str, lines: Lines, sorter: LineSorter
) -> int:
    """Takes out what the reader refuses, and returns how many lines it was.

    Raises UserError where a resource has several values and the view asks for one.
    """
    query = asked.compiled[version].select("resources", passthrough=())

    def is_readable(probe: Path, longest: int) -> bool:
        try:
            rows_of(connection, asked, version, probe, longest, has_aliases=False).fetchall()
        except READING_ERRORS as error:
            complaint = _complaint(error, query)
            if complaint and TOO_DEEP not in complaint and probe.read_bytes().count(b"\n") == 1:
                place, line = sorter.place_of(probe.read_bytes())
                raise UserError(f"{asked.view.file}: {complaint} ({place} line {line})") from error
            return False
        return True

    refused = take_out_refused(lines.path, is_readable)
    for line in refused:
        sorter.refuse_line(line)
    return len(refused)


def _complaint(error: duckdb.Error, query: str) -> str | None:
    """What the query itself says against its data: a text of the view's, without a value."""
    message = str(error).partition("Error: ")[2]
    return message if f"error('{message.replace(chr(39), chr(39) * 2)}')" in query else None


def _empty(connection: duckdb.DuckDBPyConnection, asked: AskedView, work: Path) -> duckdb.DuckDBPyRelation:
    path = work / "empty.ndjson"
    path.touch()
    return rows_of(connection, asked, next(iter(asked.compiled)), path, 0, has_aliases=False)
