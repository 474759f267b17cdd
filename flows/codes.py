"""Which source codes fed each concept of a study, by site, and which of the neighbourhood fed none.

A table on a terminal; CSV elsewhere, with one row a code, and one for a concept that nothing feeds.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TextIO

import duckdb

from flows.code_rows import CodeRow, read_code_rows
from flows.code_table import print_site
from flows.errors import UserError
from flows.published import reading
from flows.source_text import without_formula
from studies.nearest import did_you_mean
from studies.reading import bundled_studies, load_study


def show_codes(home: Path, stream: TextIO, *, study: str | None, site: str | None) -> None:
    """Prints the codes of the published warehouse, of one study and site where they are named.

    Raises UserError for a study or site that the warehouse doesn't have, with the nearest that it has.
    """
    with reading(home) as connection:
        wanted = None if study is None else _study_id(connection, study)
        _check_site(connection, site)
        rows = read_code_rows(connection, wanted, site)
    if stream.isatty():
        for (of, at), of_site in groupby(rows, key=lambda row: (row.study, row.site)):
            print_site(of, at, list(of_site), stream)
    else:
        _write_csv(rows, stream)


def _study_id(connection: duckdb.DuckDBPyConnection, study: str) -> str:
    known = [name for (name,) in connection.execute("select study from meta.study order by study").fetchall()]
    if study in known:
        return study
    if study in bundled_studies() or Path(study).is_dir():
        name = load_study(study).protocol.id
        if name in known:
            return name
        raise UserError(
            f'study "{name}" isn\'t in the warehouse (it has: {", ".join(known)}); `cove build` it'
        )
    raise UserError(f'study "{study}" isn\'t in the warehouse; {did_you_mean(study, known)}')


def _check_site(connection: duckdb.DuckDBPyConnection, site: str | None) -> None:
    known = [name for (name,) in connection.execute("select distinct site from quality.resources").fetchall()]
    if site is not None and site not in known:
        raise UserError(f'--site "{site}": no such site in the warehouse; {did_you_mean(site, known)}')


def _write_csv(rows: Sequence[CodeRow], stream: TextIO) -> None:
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerow(CodeRow._fields)
    lines.writerows(
        [without_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )
