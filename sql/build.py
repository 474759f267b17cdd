"""Builds what every study reads: the relations of `fhir`, the current resources, `clinical` and `quality`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb

from sql.runner import ModelBuild, build_models, insert
from studies.reading import Study

SQL = Path(__file__).parent

ConversionFactor = Callable[[str, str, Decimal | None], Decimal | None]
Validate = Callable[[duckdb.DuckDBPyConnection], None]

# The rules that the resources of `quality.validated` break, by content: what `Validate` fills.
CONTENT_RULE = "create or replace temp table content_rule (hash varchar, fhir_version varchar, rule varchar)"


# What is known of pulls: one row a pull, a type asked for in it (no `since`: all of it), and a file that it brought.
PULL_TABLES = """
create schema if not exists fhir;
create table if not exists fhir.pull (
    site varchar, pull varchar, source varchar, started_at timestamptz, ended_at timestamptz,
    completed_at timestamptz, failed_step varchar, is_full boolean, deletions varchar
);
create table if not exists fhir.pulled_type (site varchar, pull varchar, resource_type varchar, since varchar);
create table if not exists fhir.pulled_file (
    site varchar, pull varchar, file varchar, kind varchar, resource_type varchar, received_at timestamptz
);
"""


def validate_nothing(con: duckdb.DuckDBPyConnection) -> None:
    """Leaves every resource without a finding of the full validation."""


def publish_relations(
    con: duckdb.DuckDBPyConnection, relations: Mapping[str, Sequence[Path]], as_of: datetime | None = None
) -> None:
    """Makes `fhir.<name>` a view over the Parquet files of each relation, of what had landed at `as_of`.

    `fhir.landed_file` and `fhir.landed_resource` hold what landed later too: every resource is accounted for.
    The views hold absolute paths, and an instant in UTC.
    """
    con.execute("create schema if not exists fhir")
    known = f" where landed_at <= {_literal(as_of.isoformat())}::timestamptz" if as_of else ""
    for name, paths in relations.items():
        files = ", ".join(_literal(str(path)) for path in paths)
        everything = f"select * from read_parquet([{files}], union_by_name = true)"  # noqa: S608
        # A view's text can't have bound parameters.
        con.execute(f"create or replace view fhir.{_name(name.removeprefix('_'))} as {everything}{known}")
        if name in ("_file", "_resource"):
            con.execute(f"create or replace view fhir.{_name('landed' + name)} as {everything}")


def build_clinical(
    con: duckdb.DuckDBPyConnection,
    studies: Sequence[Study],
    conversion_factor: ConversionFactor,
    validate: Validate = validate_nothing,
    time_zones: Mapping[str, str] | None = None,
) -> list[ModelBuild]:
    """Builds `current`, `clinical` and `quality` for the codelists of the studies; returns what was built.

    Needs the `fhir` relations and the macros of the mappers on the connection. `conversion_factor` gives the
    exact factor from a unit as written to a codelist's, or None. `validate` inserts into the temporary table
    `content_rule` (hash, fhir_version, rule) what the resources of `quality.validated` break. `time_zones`
    has the zone of sites that write instants with `Z` for their own time.
    """
    con.execute((SQL / "clinical_macros.sql").read_text(encoding="utf-8"))
    con.execute("create schema if not exists clinical")
    _sites(con, time_zones or {})
    con.execute(PULL_TABLES)
    _study_tables(con, studies)
    built = build_models(con, SQL / "current", "current")
    _unit_conversions(con, conversion_factor)
    _converted_numbers(con)
    built += build_models(con, SQL / "clinical", "clinical")
    built += build_models(con, SQL / "validation", "quality")
    con.execute(CONTENT_RULE)
    validate(con)
    built += build_models(con, SQL / "quality", "quality")
    return built


NO_TIME_ZONES = "create or replace temp macro placed(written, place) as written"


def _sites(con: duckdb.DuckDBPyConnection, time_zones: Mapping[str, str]) -> None:
    """One row a site, with its zone; and the macro `placed`, which costs nothing where no zone is known."""
    zones = {"sites": list(time_zones), "zones": list(time_zones.values())}
    con.execute("set variable time_zones = map($sites::varchar[], $zones::varchar[])", zones)
    con.execute(
        "create or replace table clinical.site as "
        "select site, getvariable('time_zones')[site] as timezone from (select distinct site from fhir.file)"
    )
    con.execute((SQL / "time_zones.sql").read_text(encoding="utf-8") if time_zones else NO_TIME_ZONES)


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
        diagnosis = protocol.population.diagnosis
        named = {
            "index_drug": protocol.population.index_drug.codelist,
            "diagnosis": diagnosis.codelist if diagnosis else None,
            "death": protocol.deaths.codelist,
            "discharge": protocol.deaths.discharge,
            "death_cause": protocol.deaths.cause,
        }
        roles += [(protocol.id, role, codelist) for role, codelist in named.items() if codelist]
        if protocol.control is not None:  # control patients are validated as those of the study are
            roles.append((protocol.id, "index_drug", protocol.control.codelist))
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
    select distinct
        observed_code.study,
        observed_code.codelist,
        unit.code as source_code,
        unit.text as source_unit
    from current.observed_element as element
    join current.observed_code as observed_code using (site, resource_key, component)
    cross join lateral (
        values
            (element.unit_code, element.unit_text),
            (element.low_unit_code, element.low_unit_text),
            (element.high_unit_code, element.high_unit_text)
    ) as unit (code, text)
)

select distinct written.source_code, written.source_unit, wanted.unit, wanted.molar_mass
from written
join clinical.measurement_unit as wanted using (study, codelist)
order by all
"""

# Numbers in units whose factor is no power of ten; few differ, however many were measured.
WRITTEN_NUMBERS = """
with written as (
    select
        observed_code.study,
        observed_code.codelist,
        unnest([
            {'code': element.unit_code, 'unit': element.unit_text, 'number': element.number_text},
            {'code': element.low_unit_code, 'unit': element.low_unit_text, 'number': element.low_text},
            {'code': element.high_unit_code, 'unit': element.high_unit_text, 'number': element.high_text}
        ], recursive := true)
    from current.observed_element as element
    join current.observed_code as observed_code using (site, resource_key, component)
)

select distinct conversion.factor, written.number
from written
join clinical.measurement_unit as wanted using (study, codelist)
join clinical.unit_conversion as conversion
    on conversion.source_code = written.code
    and conversion.source_unit = written.unit
    and conversion.unit = wanted.unit
    and conversion.molar_mass is not distinct from wanted.molar_mass
where conversion.factor is not null and conversion.shift is null and written.number is not null
order by all
"""


def _unit_conversions(con: duckdb.DuckDBPyConnection, conversion_factor: ConversionFactor) -> None:
    """One row a unit as written (code and text) and a codelist's unit; no factor where they don't convert."""
    rows = []
    for source_code, source_unit, unit, molar_mass in con.execute(WRITTEN_UNITS).fetchall():
        mass = None if molar_mass is None else Decimal(str(molar_mass))
        factor = _factor(source_code, source_unit, unit, mass, conversion_factor)
        shift = None if factor is None else _power_of_ten(factor)
        written = None if factor is None else str(factor)
        rows.append((source_code, source_unit, unit, molar_mass, written, shift))
    columns = {
        "source_code": "varchar",
        "source_unit": "varchar",
        "unit": "varchar",
        "molar_mass": "double",
        "factor": "varchar",
        "shift": "integer",
    }
    _table(con, "unit_conversion", columns, rows)


def _converted_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """One row a factor and number as written, with the double nearest to their exact product."""
    written = con.execute(WRITTEN_NUMBERS).fetchall()
    values = [float(Decimal(factor) * Decimal(number)) for factor, number in written]
    con.execute(
        "create or replace table clinical.converted_number as "
        "select unnest($factors::varchar[]) as factor, unnest($numbers::varchar[]) as number_text, "
        "unnest($values::double[]) as value",
        {"factors": [f for f, _ in written], "numbers": [n for _, n in written], "values": values},
    )


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
        insert(con, f"clinical.{name}", list(columns.values()), rows)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
