"""The codes of a site as a table for people: each concept with what fed it, and with the nearest of what didn't."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.code_rows import CodeRow
from flows.source_text import shortened

# A concept has a few good neighbours, or many bad ones; the CSV and the warehouse have them all.
SHOWN_ORPHANS = 5
LONGEST_SYSTEM, LONGEST_CODE, LONGEST_NAME = 24, 28, 40
# Each column, and how wide a terminal must be for it: one line a code is easier to read than every column.
COLUMNS = {
    "concept": 0,
    "code": 0,
    "system": 140,
    "name": 0,
    "resource": 110,
    "by": 0,
    "resources": 0,
    "persons": 0,
    "treated": 0,
    "first": 160,
    "last": 160,
}
# Texts may be cut by a narrow terminal; a count or a date never is.
TEXTS = ("concept", "code", "system", "name", "resource", "by")
COUNTS = ("resources", "persons", "treated")
GAP = 2
STYLES = {"fed": "", "unused": "yellow", "none": "bold red", "orphan": "cyan"}


def print_site(study: str, site: str, rows: Sequence[CodeRow], stream: TextIO) -> None:
    """Prints what nothing feeds, then a table; `rows` are of one study and site, in their order."""
    console = Console(file=stream, highlight=False, markup=False)
    console.print(Text(f"{study}: {site}", "bold"))
    console.print(Text(_summary(rows)))
    if unfed := _unfed(rows):
        console.print(Text(f"nothing feeds {unfed}", STYLES["none"]))
    console.print(_table(rows, console.width))
    console.print()


def _summary(rows: Sequence[CodeRow]) -> str:
    concepts = {(row.codelist, row.concept) for row in rows}
    fed = {(row.codelist, row.concept) for row in rows if row.kind == "fed"}
    orphans = {(row.resource_type, row.system, row.code) for row in rows if row.kind == "orphan"}
    near = "1 code" if len(orphans) == 1 else f"{len(orphans)} codes"
    return f"{len(fed)} of {len(concepts)} concepts are fed; {near} near them (marked ?) fed none"


def _unfed(rows: Sequence[CodeRow]) -> str:
    """The concepts without any code of the site's, even a mapped one that nothing uses."""
    empty = groupby((row for row in rows if row.kind == "none"), key=lambda row: row.codelist)
    return "; ".join(_names(codelist, [row.concept for row in of_list]) for codelist, of_list in empty)


def _names(codelist: str, concepts: Sequence[str]) -> str:
    return codelist if list(concepts) == [codelist] else f"{codelist}: {', '.join(concepts)}"


def _table(rows: Sequence[CodeRow], width: int) -> Table:
    columns = [name for name, least in COLUMNS.items() if width >= least]
    with_codes = [row for row in rows if row.kind != "none"]
    lines = [
        line
        for (codelist, concept), of_concept in groupby(
            with_codes, key=lambda row: (row.codelist, row.concept)
        )
        for line in _lines(_names(codelist, [concept]), list(of_concept))
    ]
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, GAP, 0, 0))
    for name, wide in _widths(columns, [cells for _, cells in lines], width).items():
        table.add_column(
            name, justify="right" if name in COUNTS else "left", width=wide, no_wrap=True, overflow="ellipsis"
        )
    for style, cells in lines:
        table.add_row(*(Text(cells.get(name, "")) for name in columns), style=style)
    return table


def _widths(columns: Sequence[str], lines: Sequence[dict[str, str]], width: int) -> dict[str, int]:
    """The width of each column: what its cells need, and less for the widest texts where that is too much."""
    widths = {name: max(len(name), *(cell_len(line.get(name, "")) for line in lines), 0) for name in columns}
    texts = [name for name in columns if name in TEXTS]
    while sum(widths.values()) + GAP * len(columns) > width and max(widths[name] for name in texts) > 1:
        widths[max(texts, key=lambda name: widths[name])] -= 1
    return widths


def _lines(concept: str, rows: Sequence[CodeRow]) -> Iterator[tuple[str, dict[str, str]]]:
    """The style and the cells by column of each line of a concept; the first one names it."""
    orphans = [row for row in rows if row.kind == "orphan"]
    others = [row for row in rows if row.kind != "orphan"]
    for number, row in enumerate((*others, *orphans[:SHOWN_ORPHANS])):
        yield STYLES[row.kind], _cells(row) | {"concept": "" if number else concept}
    if len(orphans) > SHOWN_ORPHANS:
        yield STYLES["orphan"], {"code": f"? {len(orphans) - SHOWN_ORPHANS} more"}


def _cells(row: CodeRow) -> dict[str, str]:
    is_orphan = row.kind == "orphan"
    return {
        "code": ("? " if is_orphan else "") + shortened(row.code, LONGEST_CODE),
        "system": _short_system(row.system),
        "name": shortened(row.display, LONGEST_NAME),
        "resource": row.resource_type or "none has it",
        "by": row.reason if is_orphan else row.mapped_by,
        "resources": str(row.resources),
        "persons": str(row.persons),
        "treated": str(row.treated_persons),
        "first": row.first_on,
        "last": row.last_on,
    }


def _short_system(system: str) -> str:
    """What tells a system apart: its address without the scheme, or the end of a long one; the CSV has it whole."""
    short = system.partition("://")[2] or system
    if len(short) > LONGEST_SYSTEM:
        short = short.rstrip("/").rpartition("/")[2] or short
    return shortened(short, LONGEST_SYSTEM)
