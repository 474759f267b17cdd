"""Loads what was landed: split, checked, mapped, and written as immutable Parquet with its books.

A load becomes visible by one rename, that of its record; before that it left nothing that anybody reads, and
the next run does it again. Loads belong to a generation: the views, the key and the rules by which they were
mapped. When one of them changes, everything is mapped again from landing into a new generation.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from flows.compacting import compact
from flows.disk import disk_failures
from flows.empty_files import empty_file
from flows.home import Home, read_key, writing
from flows.landing import LandedFile, add_counts, landed_files
from flows.ledger_files import empty_ledgers, write_ledgers
from flows.ledgers import Ledger, LoadingFile, read_ledger
from flows.load_memory import recall, remember
from flows.load_records import (
    LoadRecord,
    commit_load,
    current_generation,
    generation_of,
    load_id_of,
    parquet_of,
    records_of,
)
from flows.load_views import Views
from flows.mapping import LINEAGE, SiteLines, map_type
from flows.routing import Router
from flows.routing_together import Routed, route
from flows.typed_lines import no_rows_sql
from flows.urns import know_aliases
from mappers.references import install_macros
from mappers.shape_check import ShapeChecker
from mappers.shapes import know_shapes
from mappers.view import View

# What joins to it does so by the number of the file.
LOADING_FILE = """
create temp table loading_file as
select file as number, site, sha256 as file, landed, bytes, landed_at::timestamptz as landed_at from work_files
"""
# What a Bundle says that a `urn:` is, whatever became of that entry: it means nobody else.
NOTED_ALIAS = """
create temp table noted_alias as
select
    file || ' ' || scope as scope,
    reference_key(full_url, null, null, null, null) as alias,
    resource_key(type, id) as key
from seen
where starts_with(full_url, 'urn:') and scope is not null and type is not null and owner_part is null
"""
# Bytes of lines: for fewer, each thread's own buffers take longer than it saves.
SMALL = 4 << 20


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `mismatches` are files whose resources are not all accounted for: (site, file,
    landed, found).
    """

    load_id: str | None
    files: int
    resources: int
    mapped: int
    quarantined: int
    not_asked_for: int
    mismatches: tuple[tuple[str, str, int, int], ...] = ()


def make_router(views: Views, work: Path, first_ordinal: int) -> Router:
    """A router for the views."""
    know_shapes(views.recalled.shapes)
    checker = ShapeChecker(views.resource_types, views.reads, views.versions)
    return Router(work, checker, views.identified, views.exact_numbers, first_ordinal)


def load(
    home: Home, *, views: Sequence[View], progress: Callable[[str], None] = lambda _: None
) -> LoadReport:
    """Loads every landed file that was not loaded yet under these views.

    Raises HomeError when the disk fails or is full; nothing of the load is visible then.
    """
    generation = generation_of(home, Views(views).hashes)
    with disk_failures(home.root), writing(home) as work:
        records = records_of(home, generation)
        done = {pair for record in records for pair in record.files}
        pending = [file for file in landed_files(home) if (file.site, file.sha256) not in done]
        if not pending and generation == current_generation(home):
            return LoadReport(None, 0, 0, 0, 0, 0)
        asked = Views(views, recall(home, generation))
        for record in records:
            asked.know_identified(record.identified)
        return _load(home, asked, _Load(generation, records, pending), work, progress)


@dataclass(frozen=True)
class _Load:
    """A load to be done: its generation, the loads that this has already, and the files."""

    generation: str
    records: list[LoadRecord]
    files: list[LandedFile]

    @property
    def id(self) -> str:
        return load_id_of(self.generation, self.files)


def _load(home: Home, views: Views, asked: _Load, work: Path, progress: Callable[[str], None]) -> LoadReport:
    routed = route(asked.files, partial(make_router, views), work, progress)
    called_by = [m.sql for _, kind, version in routed.lines for m in views.mappings(version, kind)]
    connection = _connect(home, work, routed.size, called_by)
    _tell_files(connection, work / "files.ndjson", asked.files, routed.types)
    for kind, (paths, longest) in routed.ledgers.items():
        read_ledger(connection, kind, paths, longest).create_view(kind.__name__)
    written, refused = _map_all(connection, views, routed, home.fhir, asked.id)
    _tell_refused(connection, refused)
    written += write_ledgers(connection, routed, home.fhir, asked.id, {file.site for file in asked.files})
    written += empty_ledgers(connection, home.fhir, asked.generation)
    written += _empties(connection, views, home.fhir, asked.generation)
    report = _report(connection, asked.id, len(asked.files))
    new = {path.relative_to(home.fhir).as_posix() for path in written}
    together, replaced = compact(connection, home.fhir, parquet_of(asked.records) | new, asked.id)
    connection.close()
    add_counts(
        {
            file: {name or "unreadable": n for name, n in types.items()}
            for file, types in zip(asked.files, routed.types, strict=True)
        }
    )
    record = LoadRecord(
        asked.id,
        asked.generation,
        views.hashes,
        frozenset((file.site, file.sha256) for file in asked.files),
        (*new, *together),
        tuple(replaced),
        views.known_identified(),
    )
    commit_load(home, record)
    if views.memory() != views.recalled:
        remember(home, asked.generation, views.memory())
    return report


def _connect(home: Home, work: Path, size: int, called_by: list[str]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:", config={"temp_directory": str(work / "spill"), "memory_limit": "1GB"}
    )
    if size < SMALL:
        connection.execute("set threads = 1")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set preserve_insertion_order = false")
    install_macros(connection, read_key(home), called_by=called_by)
    return connection


def _map_all(
    connection: duckdb.DuckDBPyConnection, views: Views, routed: Routed, folder: Path, load_id: str
) -> tuple[list[Path], list[int]]:
    groups: dict[tuple[str, str], list[SiteLines]] = defaultdict(list)
    for (site, resource_type, version), lines in sorted(routed.lines.items(), key=lambda item: item[0]):
        groups[resource_type, version].append(SiteLines(site, tuple(lines)))
    written, refused = [], []
    has_urns = routed.has_urls and _know_urns(connection)
    for (resource_type, version), sites in groups.items():
        mappings = views.mappings(version, resource_type)
        if not has_urns:
            mappings = [mapping.without_urns() for mapping in mappings]
        name = f"{load_id}-{version.lower()}"
        paths, bad = map_type(connection, mappings, sites, folder, name)
        written += paths
        refused += bad
        for of_site in sites:
            for path in of_site.paths:
                path.unlink()
    return written, refused


def _know_urns(connection: duckdb.DuckDBPyConnection) -> bool:
    """Makes known what each file's `urn:` names mean; whether there are any."""
    connection.execute(NOTED_ALIAS)
    if connection.table("noted_alias").limit(1).fetchone() is None:
        return False
    know_aliases(connection)
    return True


def _empties(
    connection: duckdb.DuckDBPyConnection, views: Views, folder: Path, generation: str
) -> list[Path]:
    def no_rows(name: str) -> str:
        return no_rows_sql({**LINEAGE, **dict(views.named(name).columns)})

    return [
        empty_file(connection, folder / name, generation, partial(no_rows, name)) for name in views.hashes
    ]


def _tell_files(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    files: Sequence[LandedFile],
    types: Sequence[Counter[str]],
) -> None:
    """Makes the table of the load's files, by their numbers."""
    ledger = Ledger(path)
    for number, (file, counted) in enumerate(zip(files, types, strict=True)):
        landed_at = file.landed_at.isoformat()
        ledger.add(LoadingFile(number, file.site, file.sha256, counted.total(), file.size, landed_at))
    read_ledger(connection, LoadingFile, [path], ledger.close()).create_view("work_files")
    connection.execute(LOADING_FILE)


def _tell_refused(connection: duckdb.DuckDBPyConnection, ordinals: list[int]) -> None:
    """Makes the relation of the lines that were routed, but not mapped."""
    # Of no table DuckDB knows that it is empty, and would join it to every resource.
    if ordinals:
        connection.execute("create temp table refused as select unnest($1::bigint[]) as ordinal", [ordinals])
    else:
        connection.execute(f"create temp view refused as {no_rows_sql({'ordinal': 'BIGINT'})}")


def _report(connection: duckdb.DuckDBPyConnection, load_id: str, files: int) -> LoadReport:
    counted = "select status, count(*) from _resource where not is_contained group by status"
    counts = dict(connection.execute(counted).fetchall())
    mismatches = connection.execute(
        "select f.site, f.file, f.landed, count(r.site) from _file as f "
        "left join (from _resource where not is_contained) as r using (site, file) "
        "group by all having f.landed <> count(r.site) order by all"
    ).fetchall()
    return LoadReport(
        load_id,
        files,
        sum(counts.values()),
        counts.get("mapped", 0),
        counts.get("quarantined", 0),
        counts.get("not_asked_for", 0),
        tuple(mismatches),
    )
