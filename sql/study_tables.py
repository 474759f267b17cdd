"""A study's protocol and codelists as small tables of its schema: the only way of a rule into SQL."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sql.event_rules import (
    ENDPOINT_COLUMNS,
    EVENT_COLUMNS,
    SIGN_COLUMNS,
    endpoint_censor_rows,
    endpoint_event_rows,
    endpoint_rows,
    event_rows,
    sign_rows,
)
from sql.response_rules import (
    CONDITION_COLUMNS,
    condition_rows,
    contradiction_rows,
    finding_rows,
    lasting_rows,
    level_rows,
    meaning_rows,
    probe_rows,
    reason_rows,
    recorded_rows,
)
from sql.runner import show_empty
from sql.study_rules import (
    death_source_rows,
    drug_codelists,
    setting_row,
    subgroup_band_rows,
    variation_rows,
)
from studies.protocol import Protocol, Response
from studies.reading import Codelist, Study, ctcae_rows

SOC_NAMES = Path(__file__).with_name("meddra_soc.csv")

Cell = str | int | float | bool | list[str] | None


@dataclass(frozen=True)
class RuleTable:
    """A small table: its name, the DuckDB type of each column, and its rows in column order."""

    name: str
    columns: Mapping[str, str]
    rows: Sequence[Sequence[Cell]]


def make_study_tables(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Writes the protocol tables into the schema named by the study's id; empty for parts that are off."""
    schema = quoted(study.protocol.id)
    con.execute(f"drop schema if exists {schema} cascade")
    con.execute(f"create schema {schema}")
    for table in study_tables(study.protocol, study.codelists):
        write_rule_table(con, study.protocol.id, table)
        if not table.rows:
            show_empty(con, f"{schema}.{quoted(table.name)}")


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def study_tables(protocol: Protocol, codelists: Mapping[str, Codelist]) -> Iterator[RuleTable]:
    """Every table that the study models read beside `clinical.*`."""
    setting = setting_row(protocol)
    yield RuleTable(
        "setting", {k: kind for k, (kind, _) in setting.items()}, [[v for _, v in setting.values()]]
    )
    yield codelist_table(codelists)
    yield from _population_tables(protocol)
    yield from _response_tables(protocol)
    yield from _endpoint_tables(protocol)
    yield from _comparison_tables(protocol)
    yield from _laboratory_tables(protocol)
    yield _soc_table()


def codelist_table(codelists: Mapping[str, Codelist]) -> RuleTable:
    """`codelist`: one row a code; `concept` is the row's own, or the codelist's name."""
    columns = ("codelist", "system", "code", "display", "concept")
    rows = [
        (name, row.system, row.code, row.display, row.concept)
        for name, codelist in sorted(codelists.items())
        for row in codelist.rows
    ]
    return RuleTable("codelist", dict.fromkeys(columns, "VARCHAR"), rows)


def _population_tables(protocol: Protocol) -> Iterator[RuleTable]:
    yield _ranked("evidence", "evidence_level", protocol.population.index_drug.evidence)
    yield _ranked("drug_codelist", "codelist", drug_codelists(protocol))
    yield RuleTable(
        "phenotype_rule",
        {"level": "VARCHAR", "codelist": "VARCHAR"},
        list(protocol.baseline.phenotype.items()),
    )
    yield RuleTable("fatal_rule", {"rule": "VARCHAR"}, [(rule,) for rule in protocol.quality.fatal_rules])
    yield RuleTable("death_source", {"kind": "VARCHAR", "rank": "INTEGER"}, death_source_rows(protocol))
    yield RuleTable(
        "comparator_rule",
        {"comparator": "VARCHAR", "analysis": "VARCHAR", "level": "VARCHAR"},
        [(name, rule.analysis, rule.level or "") for name, rule in protocol.comparators.items()],
    )
    yield RuleTable(
        "variation",
        dict.fromkeys(("analysis", "variation", "varies", "persons", "leave_out"), "VARCHAR"),
        variation_rows(protocol),
    )
    yield RuleTable(
        "subgroup_rule",
        {"subgroup": "VARCHAR", "variable": "VARCHAR"},
        [(name, subgroup.variable) for name, subgroup in protocol.subgroups.items()],
    )
    yield RuleTable(
        "subgroup_band",
        {"subgroup": "VARCHAR", "level": "VARCHAR", "at_least": "DOUBLE", "below": "DOUBLE"},
        subgroup_band_rows(protocol),
    )


def _response_tables(protocol: Protocol) -> Iterator[RuleTable]:
    response = protocol.response
    yield _ranked("assessment_end", "event", response.ends_at if response else [])
    yield _ranked("response_outcome", "outcome", response.outcomes if response else [])
    variable = {"variable": "VARCHAR"}
    comparison = {"comparison": "VARCHAR", "bound": "DOUBLE", "expected": "BOOLEAN"}
    shapes: list[tuple[str, dict[str, str], Callable[[Response], Sequence[Sequence[Cell]]]]] = [
        ("pair_rule", variable | {"codelist": "VARCHAR"}, lambda rules: list(rules.pair.items())),
        (
            "finding_rule",
            variable
            | {
                "kind": "VARCHAR",
                "codelist": "VARCHAR",
                "days_before": "INTEGER",
                "near_variable": "VARCHAR",
            },
            finding_rows,
        ),
        ("missing_meaning", variable | {"number": "DOUBLE", "truth": "BOOLEAN"}, meaning_rows),
        (
            "response_level",
            {"response": "VARCHAR", "rank": "INTEGER", "outcomes": "VARCHAR[]", "is_main_outcome": "BOOLEAN"},
            level_rows,
        ),
        ("recorded_response", {"code": "VARCHAR", "response": "VARCHAR"}, recorded_rows),
        ("criterion_condition", CONDITION_COLUMNS, condition_rows),
        (
            "criterion_lasting",
            {"criterion": "INTEGER", "days": "INTEGER", "needs_contact": "BOOLEAN"},
            lasting_rows,
        ),
        (
            "criterion_contradiction",
            {"criterion": "INTEGER", "condition": "INTEGER"} | variable | comparison,
            contradiction_rows,
        ),
        ("criterion_probe", variable | {"number": "DOUBLE", "is_true": "BOOLEAN"}, probe_rows),
        (
            "missing_reason",
            variable | {"is_baseline": "BOOLEAN", "reason": "VARCHAR", "rank": "INTEGER"},
            reason_rows,
        ),
    ]
    for name, columns, rows in shapes:
        yield RuleTable(name, columns, rows(response) if response else [])


def _endpoint_tables(protocol: Protocol) -> Iterator[RuleTable]:
    yield RuleTable("event_rule", EVENT_COLUMNS, event_rows(protocol))
    yield RuleTable("event_sign", SIGN_COLUMNS, sign_rows(protocol))
    yield RuleTable("endpoint_rule", ENDPOINT_COLUMNS, endpoint_rows(protocol))
    yield RuleTable(
        "endpoint_censor",
        {"endpoint": "VARCHAR", "position": "INTEGER", "event": "VARCHAR", "after": "VARCHAR"},
        endpoint_censor_rows(protocol),
    )
    yield RuleTable(
        "endpoint_event",
        {"endpoint": "VARCHAR", "event": "VARCHAR", "role": "VARCHAR", "position": "INTEGER"},
        endpoint_event_rows(protocol),
    )


def _comparison_tables(protocol: Protocol) -> Iterator[RuleTable]:
    yield RuleTable(
        "comparison_rule",
        {"comparison": "VARCHAR", "endpoint": "VARCHAR", "grouping": "VARCHAR"},
        [(name, f"{rule.incidence}_incidence", rule.by) for name, rule in protocol.comparisons.items()],
    )
    rates = protocol.safety.rates if protocol.safety else {}
    yield RuleTable(
        "rate_rule", {"rate": "VARCHAR", "kind": "VARCHAR"}, [(name, rate.of) for name, rate in rates.items()]
    )


def _laboratory_tables(protocol: Protocol) -> Iterator[RuleTable]:
    landmarks = protocol.survival_by.landmarks if protocol.survival_by else []
    yield RuleTable("landmark", {"day": "INTEGER"}, [(day,) for day in landmarks])
    laboratory = protocol.safety.laboratory if protocol.safety else None
    yield RuleTable(
        "laboratory_test",
        {
            "position": "INTEGER",
            "term": "VARCHAR",
            "measurement": "VARCHAR",
            "lower": "DOUBLE",
            "upper": "DOUBLE",
        },
        [(n, t.term, t.measurement, t.lower, t.upper) for n, t in enumerate(laboratory.tests)]
        if laboratory
        else [],
    )
    names = {
        "term": "VARCHAR",
        "grade": "INTEGER",
        "baseline": "VARCHAR",
        "low": "DOUBLE",
        "low_basis": "VARCHAR",
        "low_inclusive": "BOOLEAN",
        "high": "DOUBLE",
        "high_basis": "VARCHAR",
        "high_inclusive": "BOOLEAN",
    }
    rows = [
        (
            row.term,
            row.grade,
            row.baseline,
            None if row.low is None else float(row.low),
            row.low_basis,
            row.low_inclusive,
            None if row.high is None else float(row.high),
            row.high_basis,
            row.high_inclusive,
        )
        for row in ctcae_rows()
        if laboratory and row.version == laboratory.ctcae_version
    ]
    yield RuleTable("ctcae", names, rows)


def _soc_table() -> RuleTable:
    # The names of MedDRA's system organ classes are public; the rest of it is licensed and not shipped.
    with SOC_NAMES.open(encoding="utf-8", newline="") as lines:
        rows = [(row["code"], row["name"]) for row in csv.DictReader(lines, strict=True)]
    return RuleTable("soc_name", {"code": "VARCHAR", "name": "VARCHAR"}, rows)


def _ranked(name: str, column: str, values: Iterable[str]) -> RuleTable:
    return RuleTable(name, {column: "VARCHAR", "rank": "INTEGER"}, [(v, n) for n, v in enumerate(values)])


def write_rule_table(con: duckdb.DuckDBPyConnection, schema: str | None, table: RuleTable) -> None:
    """Writes one table into a schema, in place of one of its name; without a schema as a temporary table."""
    rows = json.dumps([dict(zip(table.columns, row, strict=True)) for row in table.rows])
    shape = json.dumps([dict(table.columns)])
    place = f"temp table {quoted(table.name)}"
    if schema is not None:
        place = f"table {quoted(schema)}.{quoted(table.name)}"
    con.execute(
        f"create or replace {place} as select unnest(from_json($rows::json, $shape), recursive := true)",
        {"rows": rows, "shape": shape},
    )
