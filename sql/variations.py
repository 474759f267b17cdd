"""Builds what a study's sensitivity analyses are made of: the tables that a variation's changes make differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from itertools import repeat

import duckdb

from sql.build_study import study_models
from sql.rebuilding import ChangedRules, build_view, complete_tables, rebuild_models
from sql.runner import ModelBuild, one_transaction, setting, threads
from sql.study_tables import RuleTable, quoted, study_tables, write_rule_table
from studies.protocol import Protocol
from studies.reading import Study
from studies.variations import variation_schema, varied_protocol
from studies.varied_analyses import Sources, sources_of

# Where the numbers' sources are told, and what is told of the variations themselves.
CONTRIBUTION, VARIATION = "contribution", "variation"


def build_variations(
    con: duckdb.DuckDBPyConnection, study: Study, data_cutoff: date | None = None
) -> list[ModelBuild]:
    """Replaces the schema of each variation that changes rules; returns what was built, in order.

    A schema `<study>.<name>` has the tables that differ from the study's and that its analyses need, the rules that
    differ, and a view `contribution` of its own; it is empty where no rule differs. Needs the study's schema, built
    with the same `data_cutoff`. Variations are built side by side, each in a thread of its own: that takes less than
    several threads for each of their many small queries.
    """
    names = [name for name, variation in study.protocol.sensitivity.items() if variation.change]
    processors = setting(con, "threads")
    workers = max(1, min(processors, len(names)))
    with threads(con, processors // workers), ThreadPoolExecutor(workers) as pool:
        cursors = [_cursor(con) for _ in names]
        built = pool.map(_build_variation, cursors, repeat(study), names, repeat(data_cutoff))
        return [model for models in built for model in models]


def _cursor(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the same database, in the same time zone: that isn't handed on."""
    cursor = con.cursor()
    zone = setting(con, "TimeZone").replace("'", "''")
    cursor.execute(f"set timezone = '{zone}'")
    return cursor


def _build_variation(
    con: duckdb.DuckDBPyConnection, study: Study, name: str, data_cutoff: date | None
) -> list[ModelBuild]:
    schema = variation_schema(study.protocol.id, name)
    protocol = varied_protocol(study.protocol, name)
    wanted = sources_of(protocol, study.protocol.sensitivity[name].analyses)
    return build_under(con, study, protocol, schema, wanted, data_cutoff)


def build_under(
    con: duckdb.DuckDBPyConnection,
    study: Study,
    protocol: Protocol,
    schema: str,
    wanted: Sources,
    data_cutoff: date | None,
) -> list[ModelBuild]:
    """Replaces `schema` with the rules of `protocol` that differ from the study's, with those tables, of the ones
    `wanted`, that differ under them, and with a view `contribution`. Of `endpoint` it has the rows of those wanted."""
    base = study.protocol.id
    # Not in one transaction: within it DuckDB takes its new tables for empty, and joins large ones in a bad order.
    with closing(_cursor(con)) as cursor:
        cursor.execute(f"drop schema if exists {quoted(schema)} cascade")
        cursor.execute(f"create schema {quoted(schema)}")
        changed = _changed_rules(study, protocol)
        parameters = {"data_cutoff": data_cutoff or protocol.data_cutoff}
        built = rebuild_models(
            cursor, study_models(), schema, base=base, changed=changed, wanted=wanted, parameters=parameters
        )
    # On a connection without the temporary tables, which views would read in place of those that are kept.
    with closing(_cursor(con)) as cursor, one_transaction(cursor):
        kept = complete_tables(cursor, schema, built, base=base, endpoints=wanted.endpoints)
        if not changed:
            return []
        # The sources are told by the rules too: whose rating counts, or at which landmarks.
        for rules in changed:
            write_rule_table(cursor, schema, rules.table)
        return [*kept, build_view(cursor, study_models()[CONTRIBUTION], schema, base=base)]


def _changed_rules(study: Study, protocol: Protocol) -> list[ChangedRules]:
    """The protocol tables that differ from the study's; of the scalars, which ones."""
    before = {table.name: table for table in study_tables(study.protocol, study.codelists)}
    after = study_tables(protocol, study.codelists)
    return [
        ChangedRules(table, _changed_columns(before[table.name], table))
        for table in after
        if table.name != VARIATION and list(table.rows) != list(before[table.name].rows)
    ]


def _changed_columns(before: RuleTable, after: RuleTable) -> frozenset[str]:
    """Of a table with one row, the columns whose values differ; else none are known."""
    if len(before.rows) != 1 or len(after.rows) != 1 or before.name != "setting":
        return frozenset()
    values = zip(after.columns, before.rows[0], after.rows[0], strict=True)
    return frozenset(column for column, old, new in values if old != new)
