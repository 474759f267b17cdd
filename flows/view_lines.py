"""Sorts the resources of files for one view: lines of its type by FHIR version, and what became of the rest.

Each line goes to a chunk with its place, as

    {"$scope":…,"file":…,"line":…,"resource":{…}}

where `$scope` is the bundle, or else the file, within which a `urn:` reference is meant.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flows.bundles import bundle_pieces
from flows.exact_numbers import DuplicateKeyError, Tree, with_exact_numbers
from flows.pieces import Piece
from flows.resource_text import id_from, on_one_line, with_id
from flows.routing import MAX_NESTING
from flows.sorted_lines import Lines
from flows.splitting import split_texts
from mappers.shape_check import Checked, ShapeChecker

UNREADABLE = "unreadable"  # what DuckDB's reader refuses, as an object that has a key twice
PLACES = 5  # named for each rule
PLACE = re.compile(rb'\{"\$scope":\d+,"file":(\d+),"line":(\d+),')


# The scope, a `urn:` within it, and the key of the resource that it means.
Alias = tuple[int, str, str]


@dataclass
class Told:
    """How often a rule was broken, and where first: places as (file, line)."""

    count: int = 0
    places: list[tuple[Path, int]] = field(default_factory=list)

    def add(self, file: Path, line: int) -> None:
        self.count += 1
        if len(self.places) < PLACES:
            self.places.append((file, line))


@dataclass
class Tally:
    """What became of the resources received."""

    mapped: int = 0
    other_types: Counter[str] = field(default_factory=Counter)
    deletions: int = 0
    quarantined: dict[str, Told] = field(default_factory=dict)
    findings: dict[str, Told] = field(default_factory=dict)

    def refuse(self, rule: str, file: Path, line: int) -> None:
        self.quarantined.setdefault(rule, Told()).add(file, line)

    @property
    def refused(self) -> int:
        return sum(told.count for told in self.quarantined.values())


@dataclass(frozen=True)
class Chunk:
    """Lines by FHIR version, and the aliases of every entry in their bundles."""

    lines: dict[str, Lines]
    aliases: list[Alias]


class LineSorter:
    """Takes files one after the other, and gives a chunk whenever `chunk_size` bytes are there.

    `exact` holds, by FHIR version, the numbers to be written as strings; a version that it lacks is written
    as it came.
    """

    def __init__(
        self, work: Path, files: list[Path], checker: ShapeChecker, exact: dict[str, Tree], chunk_size: int
    ) -> None:
        self.tally = Tally()
        self._work, self._files, self._checker, self._exact = work, files, checker, exact
        self._chunk_size = chunk_size
        self._chunk = Chunk({}, [])
        self._made = self._scope = 0

    def chunks(self) -> Iterator[Chunk]:
        """The chunks, in the order of the files; the last may be small."""
        for number, path in enumerate(self._files):
            for batches in split_texts(path, self._work):
                yield from self._chunks_of(number, batches)
        if self._chunk.lines:
            yield self._cut()

    def refuse_line(self, line: bytes) -> None:
        """Enters a line of a chunk as one that can't be read."""
        self.tally.mapped -= 1
        self.tally.refuse(UNREADABLE, *self.place_of(line))

    def place_of(self, line: bytes) -> tuple[Path, int]:
        """The file and the line (or entry) that a line of a chunk came from."""
        found = PLACE.match(line)
        if found is None:
            raise ValueError("is no line of a chunk")
        return self._files[int(found[1])], int(found[2])

    def _chunks_of(self, file: int, batches: Iterator[list[Piece]]) -> Iterator[Chunk]:
        self._scope += 1
        scope = self._scope
        for batch in batches:
            for piece in batch:
                self._take(file, scope, piece, 0)
            # A urn may be that of a later entry, so that a bundle is never cut.
            if self._is_full() and not any(piece.full_url for piece in batch):
                yield self._cut()
        if self._is_full():
            yield self._cut()

    def _is_full(self) -> bool:
        return sum(lines.size + lines.held_size for lines in self._chunk.lines.values()) >= self._chunk_size

    def _cut(self) -> Chunk:
        full, self._chunk = self._chunk, Chunk({}, [])
        for lines in full.lines.values():
            lines.put_away()
        return full

    def _take(self, file: int, scope: int, piece: Piece, nesting: int) -> None:
        if piece.deleted is not None:
            self.tally.deletions += 1
            return
        if piece.rule:
            self.tally.refuse(piece.rule, self._files[file], piece.line)
            return
        checked = self._checker.check(piece.data)
        if checked.resource_type == "Bundle" and nesting < MAX_NESTING:
            self._scope += 1
            inner_scope = self._scope
            for inner in bundle_pieces(piece.data, piece.line, str(inner_scope)):
                self._take(file, inner_scope, inner, nesting + 1)
            return
        self._alias(scope, piece, checked)
        for rule in checked.findings:
            self.tally.findings.setdefault(rule, Told()).add(self._files[file], piece.line)
        if checked.rule:
            self.tally.refuse(checked.rule, self._files[file], piece.line)
        elif not checked.is_asked_for:
            self.tally.other_types[str(checked.resource_type)] += 1
        else:
            self._write(file, scope, piece, checked)

    def _alias(self, scope: int, piece: Piece, checked: Checked) -> None:
        url = piece.full_url
        if url and url.startswith("urn:") and checked.resource_type:
            alias = url.lower() if url.startswith("urn:uuid:") else url
            self._chunk.aliases.append((scope, alias, f"{checked.resource_type}/{checked.id or url}"))

    def _write(self, file: int, scope: int, piece: Piece, checked: Checked) -> None:
        data = piece.data
        if not checked.id and (identity := id_from(piece.full_url)):
            data = with_id(data, identity)
        tree = self._exact.get(str(checked.fhir_version))
        if tree is not None:
            try:
                data = with_exact_numbers(data, tree)
            except (DuplicateKeyError, RecursionError):
                self.tally.refuse(UNREADABLE, self._files[file], piece.line)
                return
        data = on_one_line(data, checked)
        place = b'{"$scope":%d,"file":%d,"line":%d,"resource":' % (scope, file, piece.line)
        self._lines_of(str(checked.resource_type), str(checked.fhir_version)).add(place, data)
        self.tally.mapped += 1

    def _lines_of(self, resource_type: str, version: str) -> Lines:
        lines = self._chunk.lines.get(version)
        if lines is None:
            self._made += 1
            path = self._work / f"{self._made}.ndjson"
            lines = self._chunk.lines[version] = Lines(path, resource_type)
        return lines
