"""The codes of a site as a table for people: each concept with what fed it, and with the nearest of what didn't."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.code_rows import CodeRow
from flows.source_text import shortened

# A concept has a few good neighbours, or many bad ones; the CSV and the warehouse have them all.
SHOWN_ORPHANS = 5
LONGEST_SYSTEM, LONGEST_CODE, LONGEST_NAME = 24, 28, 40
COUNTS = ("resources", "persons", "treated")
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
STYLES = {"fed": "", "unused": "yellow", "none": "bold red", "orphan": "cyan"}


def print_site(study: str, site: str, rows: Sequence[CodeRow], stream: TextIO) -> None:
    """Prints what nothing feeds, then a table; `rows` are of one study and site, in their order."""
    console = Console(file=stream, highlight=False, markup=False)
    console.print(Text(f"{study}: {site}", "bold"))
    console.print(Text(_summary(rows)))
    for codelist, of_list in groupby(_unfed(rows), key=lambda row: row.codelist):
        console.print(
            Text(f"nothing feeds {_names(codelist, [row.concept for row in of_list])}", STYLES["none"])
        )
    console.print(_table(rows, console.width))
    console.print()


def _summary(rows: Sequence[CodeRow]) -> str:
    concepts = {(row.codelist, row.concept) for row in rows}
    fed = {(row.codelist, row.concept) for row in rows if row.kind == "fed"}
    orphans = {(row.resource_type, row.system, row.code) for row in rows if row.kind == "orphan"}
    return (
        f"{len(fed)} of {len(concepts)} concepts are fed; {len(orphans)} codes near them (marked ?) feed none"
    )


def _unfed(rows: Sequence[CodeRow]) -> list[CodeRow]:
    """A row of each concept without any code of the site's, even a mapped one that nothing uses."""
    return [row for row in rows if row.kind == "none"]


def _names(codelist: str, concepts: Sequence[str]) -> str:
    return codelist if list(concepts) == [codelist] else f"{codelist}: {', '.join(concepts)}"


def _table(rows: Sequence[CodeRow], width: int) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    columns = [name for name, least in COLUMNS.items() if width >= least]
    for name in columns:
        table.add_column(name, justify="right" if name in COUNTS else "left", no_wrap=True)
    with_codes = [row for row in rows if row.kind != "none"]
    for (codelist, concept), of_concept in groupby(with_codes, key=lambda row: (row.codelist, row.concept)):
        for style, line in _lines(_names(codelist, [concept]), list(of_concept)):
            table.add_row(*(Text(line.get(name, "")) for name in columns), style=style)
    return table


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
    """The end of a system's address, which tells it apart; the CSV has it whole."""
    short = system.partition("://")[2] or system
    return short if len(short) <= LONGEST_SYSTEM else f"…{short[-LONGEST_SYSTEM + 1 :]}"
