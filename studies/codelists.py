"""A codelist: which codes of which systems mean a concept. A CSV file: system, code,
display and, where the rows mean different things, concept."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studies.errors import StudyError
from studies.marked_yaml import read_text

HEADERS = (["system", "code", "display"], ["system", "code", "display", "concept"])
SYSTEM = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")


@dataclass(frozen=True)
class CodelistRow:
    """One code. `concept` is the row's own (the drug's name), or the codelist's name."""

    system: str
    code: str
    display: str
    concept: str


@dataclass(frozen=True)
class Codelist:
    name: str
    rows: tuple[CodelistRow, ...]


def read_codelist(file: Path, shown_as: str) -> Codelist:
    """The codelist of a CSV file, at least one row, in its order; `shown_as` is its name in messages.

    Raises StudyError with file and line: another header, a row of another length, an empty or padded field,
    a system that is no URI, the same code twice for one concept, no row at all.
    """
    rows: list[CodelistRow] = []
    seen: dict[tuple[str, str, str], int] = {}
    for line, row in _rows(read_text(file, shown_as), file.stem, shown_as):
        first = seen.setdefault((row.system, row.code, row.concept), line)
        if first != line:
            raise StudyError(f"{shown_as} line {line}: the code of line {first} again; remove one")
        rows.append(row)
    if not rows:
        raise StudyError(f"{shown_as}: no codes; add at least one row")
    return Codelist(file.stem, tuple(rows))


def _rows(text: str, name: str, shown_as: str) -> Iterator[tuple[int, CodelistRow]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if header not in HEADERS:
            raise StudyError(f"{shown_as} line 1: another header; write system,code,display or with ,concept")
        for cells in reader:
            yield reader.line_num, _row(cells, len(header), name, f"{shown_as} line {reader.line_num}")
    except csv.Error as error:
        raise StudyError(f"{shown_as} line {reader.line_num}: {error}; check the quotes there") from error


def _row(cells: list[str], width: int, name: str, where: str) -> CodelistRow:
    if len(cells) != width:
        raise StudyError(f"{where}: {len(cells)} columns; write {width}, and quote a field that has a comma")
    if any(cell != cell.strip() for cell in cells):
        raise StudyError(f"{where}: spaces around a field; remove them")
    if not all(cells[:3]):
        raise StudyError(f"{where}: an empty field; write system, code and display")
    if not SYSTEM.match(cells[0]):
        raise StudyError(f"{where}: the system is no URI; write for example http://loinc.org")
    concept = cells[3] if width == 4 and cells[3] else name
    return CodelistRow(cells[0], cells[1], cells[2], concept)
