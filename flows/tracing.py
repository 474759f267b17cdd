"""Leads a number of a report back to the persons behind it, and to the source lines behind them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TextIO

import duckdb

from flows.errors import UserError
from flows.home import Home
from flows.published import read_warehouse
from flows.query_output import visible
from flows.run import MANIFEST
from flows.source_lines import source_lines
from reports.statistics.results_csv import read_results
from sql.control import CONTROL
from studies.variations import variation_schema

SOURCES = """
select distinct c.person_id, c.site, c.resource_type, c.resource_id, c.resource_version, c.file, c.line
from {0} as c
where
    c.analysis = $analysis
    and (c.level = $level or c.level is null)
    and (c.statistic = $statistic or c.statistic = '')
    and (
        $variable = ''
        or ($variable = 'site' and c.site = $group_level)
        or ($variable = 'without_site' and c.site <> $group_level)
        or c.person_id in (select person_id from {1} where variable = $variable and level = $group_level)
    )
    and ($persons = 'all' or c.person_id in (select person_id from {2} where best_response <> 'NE'))
order by all
"""
# What a sensitivity analysis gives again, of whom, and its schema where that has sources of its own.
VARIED = """
select varies, persons, schema_name
from {0}
left join duckdb_views() as view
    on view.schema_name = $study || '.' || variation and view.view_name = 'contribution'
where analysis = $analysis
"""
# The study's persons and the control patients, each with the sources of their own schema.
COMPARED = """
with source as (
    select 'study' as side, one.* from {0}.contribution as one
    union all
    select 'control', one.* from {1}.contribution as one
    anti join {0}.treated as of_study on of_study.person_id = one.person_id
)

select distinct person_id, site, resource_type, resource_id, resource_version, file, line
from source
where
    analysis = $analysis
    and ($statistic <> 'events' or statistic = 'events')
    and ($side = '' or side = $side)
order by all
"""
CONTROL_PREFIX = "control."
# Who they are and what they weigh isn't of an analysis: these are led back to the doses that begin their time.
OF_PERSONS = ("persons", "missing", "balance", "weights")
SIDES = ("study", "control")


@dataclass(frozen=True)
class Question:
    """Which row of results.csv is asked about."""

    analysis: str
    statistic: str
    group: str
    level: str


def trace_number(folder: Path, question: Question, *, home: Path | None, show: bool, stream: TextIO) -> None:
    """Prints the row, then each person (pseudonym) with its sources; with `show` the lines as received.

    Raises UserError when the folder is no report, has no such row, or its warehouse is gone.
    """
    manifest = _manifest(folder)
    _print_row(folder, question, stream)
    root = home or Path(manifest["home"])
    # A report may come from elsewhere: what it names is a file of the versions, and nothing beside.
    version = root / "versions" / Path(manifest["warehouse"]).name
    if not os.access(version, os.R_OK):
        raise UserError(
            f"{folder}: its warehouse isn't in {root / 'versions'}, or can't be read; give --home, "
            "or make the report anew"
        )
    with read_warehouse(version) as connection:
        sources = sources_of(connection, manifest["study"], question)
    places = {(site, file, line) for _, site, _, _, _, file, line in sources if file is not None}
    shown = source_lines(Home(root), places) if show else {}
    persons = [(person, list(rows)) for person, rows in groupby(sources, key=lambda row: row[0])]
    _say(f"{len(persons)} persons", stream)
    for person, rows in persons:
        _say(f"{person}", stream)
        for _, site, kind, identity, number, file, line in rows:
            if file is None:
                continue
            _say(f"  {site}  {kind}/{identity}  version {number or '-'}  file {file}  line {line}", stream)
            if show:
                _say(f"    {shown[site, file, line]}", stream)


def _manifest(folder: Path) -> dict[str, str]:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{folder}: holds no report (no {MANIFEST}); name a folder that `cove run` made"
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}/{MANIFEST}: can't be read; make the report anew") from error
    if not isinstance(content, dict) or not {"home", "warehouse", "study"} <= content.keys():
        raise UserError(f"{folder}/{MANIFEST}: is no report's manifest; make the report anew")
    return content


def _print_row(folder: Path, question: Question, stream: TextIO) -> None:
    try:
        results = read_results(folder / "results.csv")
    except OSError as error:
        raise UserError(
            f"{folder}/results.csv: can't be read ({error.strerror}); make the report anew"
        ) from error
    asked = {
        "analysis": question.analysis,
        "statistic": question.statistic,
        "group": question.group,
        "level": question.level,
    }
    found = results
    for column, value in asked.items():
        narrowed = found.filter(found[column] == value)
        if not narrowed.height:
            known = ", ".join(sorted(set(found[column])))
            raise UserError(
                f"results.csv has no row with {column} {value!r} here; there are: {visible(known)}"
            )
        found = narrowed
    for row in found.iter_rows(named=True):
        method = f" ({row['method']})" if row["method"] else ""
        level = f" {row['level']}" if row["level"] else ""
        _say(f"{row['analysis']}{level}, {row['group']}: {row['statistic']} = {row['text']}{method}", stream)


def sources_of(connection: duckdb.DuckDBPyConnection, study: str, question: Question) -> list[tuple]:
    """The persons behind a row, each with the resources, sorted: person, site, type, id, version, file and line."""
    if question.analysis.startswith(CONTROL_PREFIX):
        return _compared(connection, study, question)
    variable, _, level = question.group.partition("=")
    analysis, persons, schema = _varied(connection, study, question.analysis)
    tables = [(schema, "contribution"), (study, "subgroup"), (schema, "response")]
    return connection.execute(
        SOURCES.format(*(f"{_quoted(place)}.{name}" for place, name in tables)),
        {
            "analysis": analysis,
            "persons": persons,
            "level": _level(question.level),
            "statistic": question.statistic,
            "variable": "" if question.group == "all" else variable,
            "group_level": level,
        },
    ).fetchall()


def _compared(connection: duckdb.DuckDBPyConnection, study: str, question: Question) -> list[tuple]:
    compared = question.analysis.removeprefix(CONTROL_PREFIX)
    side = next((side for side in (question.level, question.statistic) if side in SIDES), "")
    return connection.execute(
        COMPARED.format(_quoted(study), _quoted(variation_schema(study, CONTROL))),
        {
            "analysis": "exposure.doses" if compared in OF_PERSONS else compared,
            "statistic": question.statistic,
            "side": side,
        },
    ).fetchall()


def _varied(connection: duckdb.DuckDBPyConnection, study: str, analysis: str) -> tuple[str, str, str]:
    """What the analysis gives again, of which persons, and the schema that its sources are in; itself, of all and
    the study's, where it isn't a sensitivity analysis."""
    found = connection.execute(
        VARIED.format(f"{_quoted(study)}.variation"), {"study": study, "analysis": analysis}
    ).fetchone()
    if found is None:
        return analysis, "all", study
    varies, persons, schema = found
    return varies, persons, schema or study


def _level(level: str) -> str:
    """The level by which contributions are kept: every week of a curve is made of all its persons."""
    *curve, last = level.split(" ")
    return " ".join(curve) if last.startswith("week_") else level


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _say(text: str, stream: TextIO) -> None:
    # What came from a source must move no cursor; a line as received means the same with JSON's escapes.
    print(visible(text), file=stream)
