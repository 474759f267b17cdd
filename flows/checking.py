"""Data quality and accounting of a home, as a person reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import duckdb

from flows.published import reading
from flows.source_text import plain, shortened
from flows.warehouse import unaccounted_files

LONGEST = 60  # characters of a cell: rules and units are shorter, unless a source wrote nonsense

ACCOUNTING = """
select site, sum(landed), sum(mapped), sum(quarantined), sum(superseded), sum(not_asked_for)
from quality.resources group by site order by site
"""
QUARANTINED = "select site, rule, count(*) from quality.quarantine group by all order by all"
FOUND = "select site, rule, count(*) from quality.finding group by all order by all"

UNITS = """
select site, study, codelist, source_code, source_unit, unit, measurements, persons
from quality.unit order by site, study, codelist, measurements desc, source_code, source_unit
"""


def check_home(home: Path, stream: TextIO) -> int:
    """Prints the accounting by site, the counts of rules, and the units that aren't used.

    Returns 1 when a file isn't accounted for, else 0.
    """
    with reading(home) as connection:
        _table(
            connection,
            ACCOUNTING,
            ("site", "landed", "mapped", "quarantined", "superseded", "not asked for"),
            stream,
        )
        _table(connection, QUARANTINED, ("site", "quarantined by rule", "resources"), stream)
        _table(connection, FOUND, ("site", "finding", "resources"), stream)
        _table(
            connection,
            UNITS,
            ("site", "study", "codelist", "unit not converted", "its text", "wanted", "values", "persons"),
            stream,
        )
        unaccounted = unaccounted_files(connection)
    for sentence in unaccounted:
        _say(sentence, stream)
    return 1 if unaccounted else 0


def _table(connection: duckdb.DuckDBPyConnection, query: str, heads: tuple[str, ...], stream: TextIO) -> None:
    rows = [
        heads,
        *(
            tuple(shortened(plain(str(value)), LONGEST) for value in row)
            for row in connection.execute(query).fetchall()
        ),
    ]
    if len(rows) == 1:
        return
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    for row in rows:
        _say("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip(), stream)
    _say("", stream)


def _say(text: str, stream: TextIO) -> None:
    print(text, file=stream)
