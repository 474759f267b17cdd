"""Tables whose every number is a result row: lines and columns say which, and empty ones fall away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from reports.rendering.lookup import NOTHING, Cell, Results, key_of
from reports.rendering.words import DASH

NUMBER = re.compile(r"-?\d+(?:\.(\d+))?")


@dataclass(frozen=True)
class Ask:
    """Which result a line or a column is about; a line and a column together name it whole.

    `prefix` is what a level of the column begins with on this line.
    """

    analysis: str | None = None
    group: str | None = None
    level: str | None = None
    method: str | None = None
    show: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    prefix: str = ""

    def over(self, other: Ask) -> Ask:
        """This, and what `other` says where this says nothing."""
        return Ask(
            analysis=self.analysis if self.analysis is not None else other.analysis,
            group=self.group if self.group is not None else other.group,
            level=self.level if self.level is not None else other.level,
            method=self.method if self.method is not None else other.method,
            show=self.show or other.show,
            aside=self.aside if self.show else other.aside,
            prefix=self.prefix or other.prefix,
        )


@dataclass(frozen=True)
class Entry:
    """What stands in one place of a table: numbers, and beside them others in parentheses.

    `pad` is what the number lacks in decimals, so that a column's decimal points stand under each other;
    `is_short` says that others in the column have numbers beside them, and this one hasn't.
    """

    main: tuple[Cell, ...] = ()
    aside: tuple[Cell, ...] = ()
    pad: str = ""
    is_short: bool = False

    @property
    def is_code(self) -> bool:
        """Whether it is a hash or the like, which may be broken anywhere."""
        return any(len(cell.text) > 40 and " " not in cell.text for cell in self.main)

    @property
    def is_empty(self) -> bool:
        """Whether no result stands here."""
        return not any(cell.text for cell in (*self.main, *self.aside))


@dataclass(frozen=True)
class Column:
    """A column's heading, the heading over it and its neighbours, what its results are, and whether numbers."""

    name: str
    ask: Ask = Ask()
    over: str = ""
    is_number: bool = True


@dataclass(frozen=True)
class Line:
    """A line's label and what its results are; a line without an Ask is a heading."""

    label: str
    ask: Ask | None = None


@dataclass(frozen=True)
class Row:
    """A line of a table with an entry for each column; a heading has none."""

    label: str
    entries: tuple[Entry, ...] = ()
    is_heading: bool = False


@dataclass(frozen=True)
class Heading:
    """A cell of the table's head."""

    text: str
    columns: int = 1
    rows: int = 1
    is_number: bool = True


@dataclass(frozen=True)
class Table:
    """A table that can be read alone: population, size, denominator, method and notes stand on it.

    `cautions` are footnotes that come with numbers of the table, as rows of the results.
    """

    number: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    head: str = ""
    population: str = ""
    size: Cell = NOTHING
    denominator: str = ""
    method: str = ""
    notes: tuple[str, ...] = ()
    cautions: tuple[tuple[Cell, ...], ...] = ()
    is_listing: bool = False
    is_long: bool = False

    @property
    def head_rows(self) -> list[list[Heading]]:
        """The rows of the table's head, without its first column."""
        if not any(column.over for column in self.columns):
            return [[Heading(column.name, is_number=column.is_number) for column in self.columns]]
        top: list[Heading] = []
        for over, columns in groupby(self.columns, key=lambda column: column.over):
            together = list(columns)
            if over:
                top.append(Heading(over, columns=len(together)))
            else:
                top.extend(Heading(column.name, rows=2) for column in together)
        return [top, [Heading(column.name) for column in self.columns if column.over]]


def results_table(
    results: Results, number: str, title: str, lines: Iterable[Line], columns: Sequence[Column]
) -> Table:
    """The lines and columns that have results, each number with its row's key."""
    lines = list(lines)
    rows = [_row(results, line, columns) for line in lines]
    kept = _without_empty(rows)
    filled = [
        i for i in range(len(columns)) if any(not row.entries[i].is_empty for row in kept if row.entries)
    ]
    narrowed = [replace(row, entries=tuple(row.entries[i] for i in filled if row.entries)) for row in kept]
    made = Table(number, title, tuple(columns[i] for i in filled), tuple(_aligned(narrowed)))
    return replace(made, cautions=tuple(cautions_of(results, lines, columns)))


def cautions_of(
    results: Results, lines: Sequence[Line], columns: Sequence[Column]
) -> Iterator[tuple[Cell, ...]]:
    """A footnote for each caution that a number of the table has, with the lines that it is about."""
    about: dict[str, tuple[Cell, list[str]]] = {}
    heading = ""
    for line in lines:
        heading = f"{line.label}: " if line.ask is None else heading
        label = heading + line.label
        for ask in {line.ask.over(column.ask) for column in columns} if line.ask else ():
            level = ask.prefix + (ask.level or "")
            for cell in results.cautions(ask.analysis or "", level, ask.group or "all", ask.method):
                labels = about.setdefault(cell.text, (cell, []))[1]
                labels.extend([label] if label not in labels else [])
    for cell, labels in about.values():
        yield Cell(f"{'; '.join(labels)}: "), cell


def _row(results: Results, line: Line, columns: Sequence[Column]) -> Row:
    if line.ask is None:
        return Row(line.label, is_heading=True)
    return Row(line.label, tuple(_entry(results, line.ask.over(column.ask)) for column in columns))


def _entry(results: Results, ask: Ask) -> Entry:
    level = ask.prefix + (ask.level or "")

    def cells(names: tuple[str, ...]) -> tuple[Cell, ...]:
        return tuple(
            results.cell(ask.analysis or "", name, level=level, group=ask.group or "all", method=ask.method)
            for name in names
        )

    main, aside = cells(ask.show), cells(ask.aside)
    if not any(cell.key for cell in (*main, *aside)):
        return Entry()
    percent = [Cell("%")] if ask.aside == ("percent",) and aside[0].text[-1:].isdigit() else []
    return Entry(_ranged(main), (*_ranged(aside), *percent))


def _ranged(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells with a dash between them, when there are two or more."""
    return tuple(part for cell in cells for part in (Cell(DASH), cell))[1:]


def _without_empty(rows: Sequence[Row]) -> list[Row]:
    """The rows with a result, and the headings with such a row below them."""
    kept: list[Row] = []
    for row in reversed(rows):
        has_rows_below = bool(kept) and not kept[-1].is_heading
        if has_rows_below if row.is_heading else any(not entry.is_empty for entry in row.entries):
            kept.append(row)
    return kept[::-1]


def _aligned(rows: Sequence[Row]) -> Iterator[Row]:
    width = max((len(row.entries) for row in rows), default=0)
    decimals = [max(map(_decimals, _column(rows, i)), default=0) for i in range(width)]
    has_aside = [any(entry.aside for entry in _column(rows, i)) for i in range(width)]
    for row in rows:
        yield replace(row, entries=tuple(map(_padded, row.entries, decimals, has_aside)))


def _column(rows: Sequence[Row], index: int) -> list[Entry]:
    return [row.entries[index] for row in rows if row.entries]


def _decimals(entry: Entry) -> int:
    found = NUMBER.fullmatch(entry.main[0].text) if len(entry.main) == 1 and not entry.aside else None
    return len(found[1] or "") if found else 0


def _padded(entry: Entry, decimals: int, has_aside: bool) -> Entry:
    if len(entry.main) != 1 or entry.aside or NUMBER.fullmatch(entry.main[0].text) is None:
        return entry
    if has_aside:
        return replace(entry, is_short=True)
    lacking = decimals - _decimals(entry)
    return replace(entry, pad=("." if _decimals(entry) == 0 and lacking else "") + "0" * lacking)


def level_lines(
    analysis: str, levels: Iterable[str], label: Callable[[str], str], *, method: str | None = None
) -> list[Line]:
    """A line for each level of an analysis."""
    return [Line(label(level), Ask(analysis=analysis, level=level, method=method)) for level in levels]


def whole_table(results: Results) -> Table:
    """Every row of results.csv, so that nothing is known to the file that the report doesn't show."""
    rows = tuple(
        Row(
            row["analysis"],
            (
                *(
                    Entry((Cell(row[name]),))
                    for name in ("population", "group", "level", "statistic", "method")
                ),
                Entry((Cell(row["text"], key_of(row)),)),
            ),
        )
        for row in results.frame.iter_rows(named=True)
    )
    names = ("Population", "Group", "Level", "Statistic", "Method", "Result")
    columns = tuple(Column(name, is_number=name == "Result") for name in names)
    return Table("F.1", "All results", columns, rows, head="Analysis", is_listing=True, is_long=True)


def plain_table(number: str, title: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of what is no statistic: versions, hashes, rules."""
    filled = [tuple("" if value is None else value for value in row) for row in rows]
    columns = tuple(
        Column(name, is_number=all(isinstance(row[i], int) for row in filled))
        for i, name in enumerate(names[1:], 1)
    )
    lines = tuple(Row(str(row[0]), tuple(Entry((Cell(str(value)),)) for value in row[1:])) for row in filled)
    return Table(number, title, columns, lines, head=names[0], is_listing=True)
