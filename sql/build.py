"""Builds what every study reads: the relations of `fhir`, the current resources, `clinical` and `quality`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb

from sql.runner import ModelBuild, build_models
from studies.reading import Study

SQL = Path(__file__).parent
LINEAGE = {"_resource", "_quarantine", "_finding", "_alias", "_deletion", "_file", "_concept_map"}

ConversionFactor = Callable[[str, str, Decimal | None], Decimal | None]


def publish_relations(
    con: duckdb.DuckDBPyConnection, relations: Mapping[str, Sequence[Path]], as_of: datetime | None = None
) -> None:
    """Makes `fhir.<name>` a view over the Parquet files of each relation, of what had landed at `as_of`.

    The views hold absolute paths, and an instant in UTC.
    """
    con.execute("create schema if not exists fhir")
    for name, paths in relations.items():
        files = ", ".join(_literal(str(path)) for path in paths)
        known = f" where landed_at <= {_literal(as_of.isoformat())}::timestamptz" if as_of else ""
        view = _name(name.removeprefix("_"))
        # A view's text can't have bound parameters.
        con.execute(
            f"create or replace view fhir.{view} as select * from read_parquet([{files}], union_by_name = true){known}"
        )  # noqa: S608


def build_clinical(
    con: duckdb.DuckDBPyConnection, studies: Sequence[Study], conversion_factor: ConversionFactor
) -> list[ModelBuild]:
    """Builds `current`, `clinical` and `quality` for the codelists of the studies; returns what was built, in order.

    Needs the `fhir` relations and the macros of the mappers on the connection. `conversion_factor` gives the exact
    factor from a unit as written to a codelist's, or None.
    """
    con.execute((SQL / "clinical_macros.sql").read_text(encoding="utf-8"))
    con.execute("create schema if not exists clinical")
    _study_tables(con, studies)
    built = build_models(con, SQL / "current", "current")
    _unit_conversions(con, conversion_factor)
    built += build_models(con, SQL / "clinical", "clinical")
    built += build_models(con, SQL / "quality", "quality")
    return built


def _study_tables(con: duckdb.DuckDBPyConnection, studies: Sequence[Study]) -> None:
    codes, units, roles = [], [], []
    for study in studies:
        protocol = study.protocol
        codes += [
            (protocol.id, name, row.system, row.code, row.display, row.concept)
            for name, codelist in study.codelists.items()
            for row in codelist.rows
        ]
        units += [
            (protocol.id, name, measurement.unit, measurement.molar_mass)
            for name, measurement in protocol.measurements.items()
        ]
        named = {"death": protocol.deaths.codelist, "discharge": protocol.deaths.discharge}
        roles += [(protocol.id, role, codelist) for role, codelist in named.items() if codelist]
    with (SQL / "meddra_soc.csv").open(encoding="utf-8", newline="") as file:
        soc = [(row["code"], row["name"]) for row in csv.DictReader(file)]
    text = ("study", "codelist", "system", "code", "display", "concept")
    _table(con, "codelist", dict.fromkeys(text, "varchar"), codes)
    _table(
        con,
        "measurement_unit",
        {"study": "varchar", "codelist": "varchar", "unit": "varchar", "molar_mass": "double"},
        units,
    )
    _table(con, "study_role", dict.fromkeys(("study", "role", "codelist"), "varchar"), roles)
    _table(con, "soc", {"code": "varchar", "name": "varchar"}, soc)


WRITTEN_UNITS = """
with written as (
    select distinct code.study, code.codelist, unit.code as source_code, unit.text as source_unit
    from current.observation as observation
    join current.code as code
        on code.site = observation.site
        and code.system = observation.code_system
        and code.code = observation.code_code
    cross join lateral (
        values
            (observation.value_unit_code, observation.value_unit),
            (
                coalesce(observation.low_unit_code, observation.value_unit_code),
                coalesce(observation.low_unit, observation.value_unit)
            ),
            (
                coalesce(observation.high_unit_code, observation.value_unit_code),
                coalesce(observation.high_unit, observation.value_unit)
            )
    ) as unit (code, text)
)

select distinct
    coalesce(written.source_code, '') as source_code,
    coalesce(written.source_unit, '') as source_unit,
    wanted.unit,
    wanted.molar_mass
from written
join clinical.measurement_unit as wanted using (study, codelist)
order by all
"""


def _unit_conversions(con: duckdb.DuckDBPyConnection, conversion_factor: ConversionFactor) -> None:
    """One row a unit as written (code and text) and a codelist's unit; no factor where they don't convert."""
    rows = []
    for source_code, source_unit, unit, molar_mass in con.execute(WRITTEN_UNITS).fetchall():
        mass = None if molar_mass is None else Decimal(str(molar_mass))
        factor = _factor(source_code, source_unit, unit, mass, conversion_factor)
        shift = None if factor is None else _power_of_ten(factor)
        number = None if factor is None else float(factor)
        rows.append((source_code, source_unit, unit, molar_mass, number, shift))
    columns = {
        "source_code": "varchar",
        "source_unit": "varchar",
        "unit": "varchar",
        "molar_mass": "double",
        "factor": "double",
        "shift": "integer",
    }
    _table(con, "unit_conversion", columns, rows)


def _factor(
    code: str, text: str, unit: str, molar_mass: Decimal | None, conversion_factor: ConversionFactor
) -> Decimal | None:
    """By the unit's code; by its text where there is no code, or one that doesn't convert."""
    for written in (code, text):
        if written and (factor := conversion_factor(written, unit, molar_mass)) is not None:
            return factor
    return None if code or text else Decimal(1)


def _power_of_ten(factor: Decimal) -> int | None:
    _, digits, exponent = factor.normalize().as_tuple()
    return int(exponent) if digits == (1,) else None


def _table(
    con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
) -> None:
    listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    con.execute(f"create or replace table clinical.{name} ({listed})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        con.executemany(f"insert into clinical.{name} values ({marks})", rows)  # noqa: S608


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
