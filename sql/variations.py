"""Builds what a study's sensitivity analyses are made of: the tables that a variation's changes make differ."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import repeat
from typing import Any

import duckdb

from sql.build_study import MACROS, MODELS
from sql.runner import ModelBuild, build_view, one_transaction, rebuild_models
from sql.study_tables import RuleTable, quoted, study_tables, write_rule_table
from studies.protocol import Protocol
from studies.reading import Study
from studies.variations import variation_schema, varied_protocol
from studies.varied_analyses import tables_of

# Where the numbers' sources are told, and what is told of the variations themselves.
CONTRIBUTION, VARIATION = "contribution", "variation"


def build_variations(
    con: duckdb.DuckDBPyConnection, study: Study, data_cutoff: date | None = None
) -> list[ModelBuild]:
    """Replaces the schema of each variation that changes rules; returns what was built, in order.

    A schema `<study>.<name>` has the tables that differ from the study's and that its analyses need, and a view
    `contribution` of its own; it is empty where nothing differs. Needs the study's schema, built with the same
    `data_cutoff`. Variations are built side by side, since planning their many small queries takes one processor.
    """
    names = [name for name, variation in study.protocol.sensitivity.items() if variation.change]
    with ThreadPoolExecutor(_setting(con, "threads")) as pool:
        cursors = [_cursor(con) for _ in names]
        built = pool.map(_build_variation, cursors, repeat(study), names, repeat(data_cutoff))
        return [model for models in built for model in models]


def _cursor(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the same database, in the same time zone: that isn't handed on."""
    cursor = con.cursor()
    zone = _setting(con, "TimeZone").replace("'", "''")
    cursor.execute(f"set timezone = '{zone}'")
    return cursor


def _setting(con: duckdb.DuckDBPyConnection, name: str) -> Any:
    found = con.execute("select current_setting($name)", {"name": name}).fetchone()
    return found[0] if found else None


def _build_variation(
    con: duckdb.DuckDBPyConnection, study: Study, name: str, data_cutoff: date | None
) -> list[ModelBuild]:
    base, schema = study.protocol.id, variation_schema(study.protocol.id, name)
    protocol = varied_protocol(study.protocol, name)
    wanted = tables_of(protocol, study.protocol.sensitivity[name].analyses)
    with one_transaction(con):
        kept = build_under(con, study, protocol, schema, wanted, data_cutoff)
        return [*kept, build_view(con, MODELS, schema, CONTRIBUTION, base=base)] if kept else []


def build_under(
    con: duckdb.DuckDBPyConnection,
    study: Study,
    protocol: Protocol,
    schema: str,
    wanted: Collection[str],
    data_cutoff: date | None,
) -> list[ModelBuild]:
    """Replaces `schema` with those tables, of the ones `wanted`, that differ from the study's under `protocol`."""
    con.execute(MACROS.read_text(encoding="utf-8"))
    con.execute(f"drop schema if exists {quoted(schema)} cascade")
    con.execute(f"create schema {quoted(schema)}")
    changed = _changed_rules(study, protocol)
    for table, _ in changed:
        write_rule_table(con, schema, table)
    return rebuild_models(
        con,
        MODELS,
        schema,
        base=study.protocol.id,
        changed={table.name: columns for table, columns in changed},
        wanted=wanted,
        parameters={"data_cutoff": data_cutoff or protocol.data_cutoff},
    )


def _changed_rules(study: Study, protocol: Protocol) -> list[tuple[RuleTable, frozenset[str]]]:
    """The protocol tables that differ from the study's; of the scalars, which ones."""
    before = {table.name: table for table in study_tables(study.protocol, study.codelists)}
    after = study_tables(protocol, study.codelists)
    return [
        (table, _changed_columns(before[table.name], table))
        for table in after
        if table.name != VARIATION and list(table.rows) != list(before[table.name].rows)
    ]


def _changed_columns(before: RuleTable, after: RuleTable) -> frozenset[str]:
    """Of a table with one row, the columns whose values differ; else none are known."""
    if len(before.rows) != 1 or len(after.rows) != 1 or before.name != "setting":
        return frozenset()
    values = zip(after.columns, before.rows[0], after.rows[0], strict=True)
    return frozenset(column for column, old, new in values if old != new)
