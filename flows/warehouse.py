"""Builds the warehouse aside, and publishes it by a rename; readers keep the version that they opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from flows.home import Home, open_home, read_key
from flows.loading import fhir_relations
from flows.run import Run
from mappers.references import install_macros
from mappers.units import conversion_factor
from sql.build import build_clinical, publish_relations
from sql.build_study import build_study

KEPT_VERSIONS = 10


@contextmanager
def read_warehouse(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a published version."""
    connection = duckdb.connect(str(path), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def publish(built: Path, home: Home, name: str) -> Path:
    """Makes a finished database file the published one, and keeps it among the versions.

    Both names are links to one file: nothing is copied, and a reader of the former one is not disturbed.
    """
    version = home.versions / f"{name}.duckdb"
    built.chmod(0o400)
    built.replace(version)
    link = home.root / f".warehouse.{os.getpid()}.part"
    link.unlink(missing_ok=True)
    os.link(version, link)
    link.replace(home.warehouse)
    for former in sorted(home.versions.glob("*.duckdb"))[:-KEPT_VERSIONS]:
        former.unlink()
    return version


def build_and_publish(run: Run) -> Run:
    """Builds a new warehouse with the request's study, and with those that the published one holds.

    Nothing of the former is touched before the new one is whole. A resource that isn't accounted for, or more
    quarantined than the protocol allows, is a problem of the run.
    """
    request = run.request
    home = open_home(request.home)
    part = home.versions / f".{os.getpid()}.part"
    for leftover in home.versions.glob(".*.part*"):
        leftover.unlink()
    connection = duckdb.connect(str(part))
    try:
        _build(connection, run, home)
        problems = _problems(connection, run)
        connection.execute("checkpoint")
    finally:
        connection.close()
    name = f"{request.started_at:%Y%m%dT%H%M%S%f}-{request.study.digest[:8]}"
    return replace(run, warehouse=publish(part, home, name), problems=(*run.problems, *problems))


def _build(connection: duckdb.DuckDBPyConnection, run: Run, home: Home) -> None:
    request = run.request
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set memory_limit = '1GB'")
    connection.execute("set temp_directory = ?", [str(home.work)])
    install_macros(connection, read_key(home))
    publish_relations(connection, fhir_relations(home), request.as_of)
    build_clinical(connection, [request.study], conversion_factor)
    build_study(connection, request.study, request.data_cutoff)
    _write_run(connection, run)


def _write_run(connection: duckdb.DuckDBPyConnection, run: Run) -> None:
    request = run.request
    connection.execute("create schema if not exists meta")
    connection.execute(
        "create or replace table meta.run as select $study as study, $version as protocol_version, "
        "$digest as study_sha256, $started_at::timestamptz as started_at, $as_of::timestamptz as as_of, "
        "$data_cutoff::date as data_cutoff_asked, $simulated as is_simulated",
        {
            "study": request.study.protocol.id,
            "version": request.study.protocol.version,
            "digest": request.study.digest,
            "started_at": request.started_at,
            "as_of": request.as_of,
            "data_cutoff": request.data_cutoff,
            "simulated": request.simulated,
        },
    )


def _problems(connection: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """What makes the run end with exit code 1, a sentence each."""
    limit = run.request.study.protocol.quality.quarantine_limit_percent
    unaccounted = connection.execute(
        "select site, file from quality.resources "
        "where landed <> mapped + quarantined + superseded + not_asked_for order by all"
    ).fetchall()
    beyond = connection.execute(
        "select site, sum(quarantined), sum(landed) from quality.resources group by site "
        "having 100 * sum(quarantined) > $limit * sum(landed) order by site",
        {"limit": limit},
    ).fetchall()
    return [
        *(f"{site}: file {file[:12]} is not fully accounted for" for site, file in unaccounted),
        *(
            f"{site}: {quarantined} of {landed} resources are quarantined, more than the protocol's {limit:g}%; "
            "see `cove check`"
            for site, quarantined, landed in beyond
        ),
    ]
