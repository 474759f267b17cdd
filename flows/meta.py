"""The warehouse's own record: of which study, cut-off and time it was built, and what each model gave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import duckdb

from flows.run import Request
from sql.runner import insert
from studies.reading import Study, bundled_studies

TABLES = """
create schema if not exists meta;
create table meta.study (
    study varchar, source varchar, protocol_version varchar, sha256 varchar,
    data_cutoff_asked date, as_of timestamptz
);
create table meta.run (study varchar, started_at timestamptz, as_of timestamptz, is_simulated boolean);
create table meta.model (schema_name varchar, model varchar, row_count bigint);
create view meta.landed_file as select * from fhir.file;
create view meta.pull as select * from fhir.pull;
"""


def write_meta(
    connection: duckdb.DuckDBPyConnection,
    request: Request,
    studies: Sequence[tuple[Study, dt.date | None]],
    models: Sequence[tuple[str, str, int | None]],
) -> None:
    """Writes `meta.study` (one row a study), `meta.run` (one row) and `meta.model` (one row a model)."""
    connection.execute(TABLES)
    insert(
        connection,
        "meta.study",
        ("varchar", "varchar", "varchar", "varchar", "date", "timestamptz"),
        [
            (s.protocol.id, source_of(s), s.protocol.version, s.digest, cutoff, request.as_of)
            for s, cutoff in studies
        ],
    )
    connection.execute(
        "insert into meta.run values (?, ?, ?, ?)",
        [request.study.protocol.id, request.started_at, request.as_of, request.simulated],
    )
    insert(connection, "meta.model", ("varchar", "varchar", "bigint"), models)


def source_of(study: Study) -> str:
    """How the study is named to be loaded again: its id when it comes with the package, else its folder."""
    if study.protocol.id in bundled_studies():
        return study.protocol.id
    return str(study.folder.absolute())
