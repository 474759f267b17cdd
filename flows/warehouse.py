"""Builds the warehouse aside, and publishes it by a rename; readers keep the version that they opened."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from flows.config import DEFAULT_KEEP
from flows.disk import disk_failures
from flows.errors import UserError
from flows.home import Home, open_home, read_key, writing
from flows.load_records import fhir_relations
from flows.meta import write_meta
from flows.pruning import prune, published_views
from flows.published import read_warehouse
from flows.pull.records import publish_pulls
from flows.run import Request, Run
from flows.site_zones import time_zones
from flows.validating import Validation, validate_population
from mappers.references import install_macros
from mappers.units import conversion_factor
from sql.build import build_clinical, publish_relations
from sql.build_codes import build_codes
from sql.build_study import build_study
from sql.control import build_control
from sql.variations import build_variations
from studies.reading import Study, StudyError, load_study

KEPT_VERSIONS = DEFAULT_KEEP
FEW = 4 << 20  # bytes of loaded data
# Where data are few, each of two hundred tables takes a block at least, and to find how each of their columns is best
# compressed takes longer than to write it.
STORAGE_OF_FEW = {"default_block_size": "16384", "force_compression": "uncompressed"}


def publish(built: Path, home: Home, name: str, keep: int = KEPT_VERSIONS) -> Path:
    """Makes a finished database file the published one, and keeps it among the versions, `keep` with it.

    Both names are links to one file: nothing is copied, and a reader of the former one is not disturbed.
    """
    version = home.versions / f"{name}.duckdb"
    built.chmod(0o400)
    built.replace(version)
    link = home.root / ".warehouse.part"  # one name: whoever publishes holds the home for writing
    link.unlink(missing_ok=True)
    os.link(version, link)
    link.replace(home.warehouse)
    # The one just made stays, though a clock that was put back may have given it an early name.
    formers = sorted(former for former in home.versions.glob("*.duckdb") if former != version)
    for former in formers[: max(0, len(formers) - (keep - 1))]:
        former.unlink()
    return version


def build_and_publish(run: Run) -> Run:
    """Builds a new warehouse with the request's study, and with those that the published one holds.

    Nothing of the former is touched before the new one is whole. A resource that isn't accounted for, or more
    quarantined than the protocol allows, is a problem of the run.
    """
    request = run.request
    home = open_home(request.home)
    # One build at a time works on a home, and whatever a killed one left behind goes with its folder.
    with disk_failures(home.root), writing(home) as work:
        part = work / "warehouse.duckdb"
        connection = duckdb.connect(
            str(part),
            config={"memory_limit": "1GB", "temp_directory": str(work), **_storage(home)},
        )
        try:
            notes = _build(connection, run, home, work)
            problems = _problems(connection, request)
            connection.execute("checkpoint")
        finally:
            connection.close()
        name = f"{request.started_at:%Y%m%dT%H%M%S%f}-{request.study.digest[:8]}"
        keep = request.config.keep if request.config else KEPT_VERSIONS
        former_views = published_views(home)
        version = publish(part, home, name, keep)
        prune(home, former_views)
    return replace(run, warehouse=version, problems=(*run.problems, *problems), notes=(*run.notes, *notes))


def _storage(home: Home) -> dict[str, str]:
    """How the file is written: DuckDB's own way, but where data are few."""
    loaded = sum(path.stat().st_size for path in home.fhir.rglob("*.parquet"))
    return STORAGE_OF_FEW if loaded < FEW else {}


@dataclass(frozen=True)
class _Built:
    """A study of a warehouse, with the cut-off that was asked for."""

    study: Study
    data_cutoff: dt.date | None


def _build(connection: duckdb.DuckDBPyConnection, run: Run, home: Home, work: Path) -> list[str]:
    request = run.request
    connection.execute("set TimeZone = 'UTC'")
    install_macros(connection, read_key(home))
    publish_relations(connection, fhir_relations(home), request.as_of)
    publish_pulls(connection, home, work, request.as_of)
    others, notes = _other_studies(home, request)
    studies = [_Built(request.study, request.data_cutoff), *others]
    validations: list[Validation] = []
    models = build_clinical(
        connection,
        [built.study for built in studies],
        conversion_factor,
        lambda con: validations.append(validate_population(con, home, work)),
        time_zones(home, request.config),
    )
    for built in studies:
        models += build_study(connection, built.study, built.data_cutoff)
        models += build_variations(connection, built.study, built.data_cutoff)
        models += build_control(connection, built.study, built.data_cutoff)
    models += build_codes(connection, [built.study for built in studies], conversion_factor)
    write_meta(
        connection,
        request,
        [(built.study, built.data_cutoff) for built in studies],
        [(model.schema, model.name, model.rows) for model in models],
    )
    return [*notes, *map(_told, validations)]


def _told(validation: Validation) -> str:
    already = validation.resources - validation.validated
    return f"{validation.validated} resources validated in full, {already} were already"


def _other_studies(home: Home, request: Request) -> tuple[list[_Built], list[str]]:
    """The other studies of the published warehouse, if built as of the same time; they are built again."""
    if not home.warehouse.exists():
        return [], []
    try:
        published = _published_studies(home.warehouse, request)
    except (UserError, duckdb.CatalogException, duckdb.BinderException):
        # Damaged, or of another release: it can be rebuilt, and must not stand in the way of that.
        return [], [f"{home.warehouse} can't be opened: only this study is built; build its others again"]
    kept, notes = [], []
    for name, source, cutoff in published:
        try:
            kept.append(_Built(load_study(source), cutoff))
        except StudyError:
            notes.append(f"study {name} isn't in the new warehouse: its protocol can't be read any more")
    return kept, notes


def _published_studies(path: Path, request: Request) -> list[tuple[str, str, dt.date | None]]:
    with read_warehouse(path) as connection:
        return connection.execute(
            "select study, source, data_cutoff_asked from meta.study "
            "where study <> $study and as_of is not distinct from $as_of::timestamptz order by study",
            {"study": request.study.protocol.id, "as_of": request.as_of},
        ).fetchall()


def unaccounted_files(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """A sentence for each landed file of which a resource isn't accounted for."""
    files = connection.execute(
        "select site, file from quality.resources "
        "where landed <> mapped + quarantined + superseded + not_asked_for order by all"
    ).fetchall()
    return [f"{site}: file {file[:12]} is not fully accounted for" for site, file in files]


def _problems(connection: duckdb.DuckDBPyConnection, request: Request) -> list[str]:
    """What makes the run end with exit code 1, a sentence each."""
    limit = request.study.protocol.quality.quarantine_limit_percent
    beyond = connection.execute(
        "select site, sum(quarantined), sum(landed) from quality.resources group by site "
        "having 100 * sum(quarantined) > $limit * sum(landed) order by site",
        {"limit": limit},
    ).fetchall()
    return [
        *unaccounted_files(connection),
        *(
            f"{site}: {quarantined} of {landed} resources are quarantined, more than the protocol's "
            f"{limit:g}%; see `cove check`"
            for site, quarantined, landed in beyond
        ),
    ]
