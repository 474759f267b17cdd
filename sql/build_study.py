"""Builds a study's schema: its protocol tables, then its models, from `clinical.*`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from functools import cache
from pathlib import Path

import duckdb

from sql.runner import Model, ModelBuild, build_models, one_transaction, read_models, setting, threads
from sql.study_tables import make_study_tables
from studies.reading import Study

MODELS = Path(__file__).parent / "study"
ROW_GROUP = 122_880
MACROS = Path(__file__).parent / "study_macros.sql"


def build_study(
    con: duckdb.DuckDBPyConnection, study: Study, data_cutoff: date | None = None
) -> list[ModelBuild]:
    """Replaces the tables of the schema named by the study's id; returns what was built, in order.

    Without `data_cutoff` the protocol's holds; without that, the latest date among deaths and contacts.
    Needs the `clinical` models on the same connection, with the study's codelists resolved.
    """
    parameters = {"data_cutoff": data_cutoff or study.protocol.data_cutoff}
    is_small = _is_small(con)
    # Within a transaction DuckDB takes its new tables for empty, and joins large ones in a bad order.
    with (
        threads(con, 1 if is_small else setting(con, "threads")),
        one_transaction(con) if is_small else nullcontext(),
    ):
        make_study_tables(con, study)
        con.execute(MACROS.read_text(encoding="utf-8"))
        return build_models(con, MODELS, study.protocol.id, parameters=parameters, shows_empty=True)


@cache
def study_models() -> Mapping[str, Model]:
    """The models of a study by name: read once, since each of its sensitivity analyses looks through them."""
    return read_models(MODELS)


def _is_small(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether DuckDB has nothing to divide between threads, which then only cost: its parts of a table are so large."""
    rows = "select coalesce(max(estimated_size), 0) from duckdb_tables() where schema_name = 'clinical'"
    return bool(con.execute(rows).fetchall()[0][0] <= ROW_GROUP)
