"""Builds which source codes fed each concept of a study, by site, and which of its neighbourhood fed none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb

from sql.runner import ModelBuild, build_models, insert
from sql.study_tables import quoted
from studies.checks import own_codelists
from studies.event_checks import BOUNDS
from studies.marked_yaml import KeyPath
from studies.protocol import NamedEvent, Protocol
from studies.reading import Study
from studies.variations import varied_protocol

SQL = Path(__file__).parent

# Where the models read the codelist that a place of the protocol names, and the kind of value that they need there.
# A name in the path stands for any.
READ_FROM: Mapping[tuple[str, ...], tuple[tuple[str, str | None], ...]] = {
    ("population", "index_drug", "codelist"): (("drug", None),),
    ("population", "index_drug", "routes"): (("route", None),),
    ("population", "diagnosis", "codelist"): (("diagnosis", None),),
    ("control", "codelist"): (("drug", None),),
    ("exposure", "combination", "codelist"): (("drug", None),),
    ("baseline", "phenotype", "*"): (("diagnosis", None),),
    ("baseline", "prior_regimens"): (("observation", "number"),),
    ("baseline", "refractory"): (("observation", "boolean"),),
    ("baseline", "completed_follow_up"): (("observation", "boolean"),),
    ("measurements", "*"): (("observation", "number"),),
    ("deaths", "codelist"): (("observation", None), ("observation value", None)),
    ("deaths", "discharge"): (("discharge", None),),
    ("deaths", "cause"): (("observation", "coded"),),
    ("response", "investigator"): (("observation", "coded"),),
}

UNFED_UNITS = """
select distinct unit.code, unit.text, wanted.unit, wanted.molar_mass
from clinical.measurement_unit as wanted
join quality.code_use as concept
    on concept.study = wanted.study and concept.codelist = wanted.codelist
cross join (
    select distinct coalesce(value_unit_code, '') as code, coalesce(value_unit, '') as text
    from current.observation
    where value_number is not null and coalesce(value_unit_code, '') || coalesce(value_unit, '') <> ''
) as unit
where concept.resources = 0
order by all
"""

ConversionFactor = Callable[[str, str, Decimal | None], Decimal | None]


def build_codes(
    con: duckdb.DuckDBPyConnection, studies: Sequence[Study], conversion_factor: ConversionFactor
) -> list[ModelBuild]:
    """Builds `quality.source_code`, `code_use` and `orphan_code`; returns what was built, in order.

    Needs `clinical`, `quality` and the schemas of the studies on the connection, and the clinical macros.
    """
    con.execute((SQL / "codes_macros.sql").read_text(encoding="utf-8"))
    _temporary(con, "codelist_source", ("study", "codelist", "source", "value"), _codelist_sources(studies))
    _treated_persons(con, studies)
    built = build_models(con, SQL / "codes", "quality")
    _temporary(
        con, "matching_unit", ("source_code", "source_unit", "unit"), _matching_units(con, conversion_factor)
    )
    return built + build_models(con, SQL / "orphans", "quality")


def codelist_sources(protocol: Protocol) -> Iterator[tuple[str, str, str | None]]:
    """(codelist, element, kind of value) for each element that the study, or a variation, reads a codelist from.

    The kind is `number`, `boolean` or `coded` for observations; None where any will do.
    """
    for rules in (protocol, *(varied_protocol(protocol, name) for name in protocol.sensitivity)):
        for path, codelist in own_codelists(rules):
            for element, value in _read_from(rules, path):
                yield codelist, element, value


def _read_from(protocol: Protocol, path: KeyPath) -> Sequence[tuple[str, str | None]]:
    if path[0] == "events":
        return _of_event(protocol.events[str(path[1])], path)
    if path[:2] == ("response", "findings") and protocol.response:
        kind = protocol.response.findings[str(path[2])].from_
        return ((kind, "boolean" if kind == "observation" else None),)
    names = tuple(str(part) for part in path)
    return READ_FROM[names] if names in READ_FROM else READ_FROM[(*names[:-1], "*")]


def _of_event(event: NamedEvent, path: KeyPath) -> Sequence[tuple[str, str | None]]:
    *_, key = path
    sign = event.any[int(path[3])] if path[2] == "any" else event.signs[0]
    if key == "values":
        return (("observation value", None),)
    if sign.from_ != "observation":
        return ((sign.from_, None),)
    is_number = any(getattr(sign, bound) is not None for bound in BOUNDS)
    kind = (
        "boolean" if sign.equals is not None else "coded" if sign.values else "number" if is_number else None
    )
    return (("observation", kind),)


def _codelist_sources(studies: Sequence[Study]) -> list[tuple[str | None, ...]]:
    return list(
        dict.fromkeys(
            (study.protocol.id, *row) for study in studies for row in codelist_sources(study.protocol)
        )
    )


def _treated_persons(con: duckdb.DuckDBPyConnection, studies: Sequence[Study]) -> None:
    con.execute("create or replace temp table treated_person (study varchar, person_id varchar)")
    for study in studies:
        name = study.protocol.id
        query = f"insert into treated_person select $study, person_id from {quoted(name)}.treated"  # noqa: S608
        con.execute(query, {"study": name})


def _matching_units(
    con: duckdb.DuckDBPyConnection, conversion_factor: ConversionFactor
) -> list[tuple[str | None, ...]]:
    """The units as written that convert to that of a codelist which nothing feeds at some site."""
    return [
        (code, text, unit)
        for code, text, unit, mass in con.execute(UNFED_UNITS).fetchall()
        if _converts(code, text, unit, None if mass is None else Decimal(str(mass)), conversion_factor)
    ]


def _converts(
    code: str, text: str, unit: str, molar_mass: Decimal | None, conversion_factor: ConversionFactor
) -> bool:
    written = [one for one in (code, text) if one]
    return any(conversion_factor(one, unit, molar_mass) is not None for one in written)


def _temporary(
    con: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], rows: Sequence[tuple[str | None, ...]]
) -> None:
    """A table of text for the models of this build only."""
    listed = ", ".join(f"{column} varchar" for column in columns)
    con.execute(f"create or replace temp table {name} ({listed})")
    if rows:
        insert(con, name, ["varchar"] * len(columns), rows)
