"""Loads what was landed: split, checked, mapped, and written as immutable Parquet with its books.

A load becomes visible by one rename, that of its record; before that it left nothing that anybody reads, and
the next run does it again. Loads belong to a generation: the views, the key and the rules by which they were
mapped. When one of them changes, everything is mapped again from landing into a new generation.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from flows.disk import disk_failures
from flows.exact_numbers import Tree, tree_of
from flows.home import Home, read_key, sync, write_whole, writing
from flows.landing import LandedFile, add_counts, landed_files
from flows.ledgers import Ledger, LoadingFile, Row, read_ledger
from flows.mapping import (
    Mapping,
    Part,
    concept_map_mapping,
    map_type,
    mapping_of,
    reads_of,
    view_hash,
    write_empty,
)
from flows.routing import Router
from flows.routing_together import Routed, route
from mappers.fields import FieldPath
from mappers.references import install_macros
from mappers.shape_check import ShapeChecker
from mappers.shapes import reference_targets
from mappers.view import View

RULES_VERSION = 1  # to be raised when splitting, checking or the books change what a file gives
# What joins to it does so by the number of the file.
LOADING_FILE = """
create temp table loading_file as
select file as number, site, sha256 as file, landed, bytes, landed_at::timestamptz as landed_at from work_files
"""
LEDGERS_SQL = Path(__file__).with_name("ledgers.sql")


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


class Views:
    """The views of a load, compiled for a FHIR version when the first line of it appears."""

    def __init__(self, views: Sequence[View]) -> None:
        self._views = tuple(sorted(views, key=lambda view: view.name))
        self._compiled: dict[str, tuple[Mapping, ...]] = {}

    @property
    def resource_types(self) -> tuple[str, ...]:
        return tuple(sorted({view.resource for view in self._views} | {"ConceptMap"}))

    def hashes(self) -> dict[str, str]:
        return {view.name: view_hash(view) for view in self._views}

    def mappings(self, fhir_version: str, resource_type: str | None = None) -> list[Mapping]:
        if fhir_version not in self._compiled:
            made = [mapping_of(view, fhir_version) for view in self._views]
            self._compiled[fhir_version] = (*made, concept_map_mapping())
        return [m for m in self._compiled[fhir_version] if resource_type in (None, m.resource)]

    def reads(self, fhir_version: str, resource_type: str) -> frozenset[FieldPath]:
        return reads_of(m.paths for m in self.mappings(fhir_version, resource_type))

    def exact_numbers(self, fhir_version: str, resource_type: str) -> Tree:
        """The numbers that a view reads as they were written."""
        mappings = self.mappings(fhir_version, resource_type)
        return tree_of(frozenset().union(*(m.exact_numbers for m in mappings)))

    def identified(self) -> frozenset[str]:
        """The types that a reference which a view reads may point to."""
        return frozenset(
            target
            for version in ("R4B", "R5")
            for mapping in self.mappings(version)
            for target in reference_targets(version, mapping.resource, mapping.paths)
            if target in self.resource_types
        )


def make_router(views: Views, identified: frozenset[str], work: Path, first_ordinal: int) -> Router:
    """A router for the views; `identified` are the types that a reference may point to by identifier."""
    checker = ShapeChecker(views.resource_types, views.reads)
    return Router(work, checker, identified, views.exact_numbers, first_ordinal)


def load(
    home: Home, *, views: Sequence[View], progress: Callable[[str], None] = lambda _: None
) -> LoadReport:
    """Loads every landed file that was not loaded yet under these views.

    Raises HomeError when the disk fails or is full; nothing of the load is visible then.
    """
    asked = Views(views)
    generation = generation_of(home, asked.hashes())
    with disk_failures(home.root), writing(home) as work:
        return _load(home, asked, generation, work, progress)


def generation_of(home: Home, hashes: dict[str, str]) -> str:
    """The identity of everything by which a landed file is mapped."""
    key = hashlib.sha256(b"generation" + read_key(home)).hexdigest()
    parts = {
        "views": hashes,
        "rules": RULES_VERSION,
        "key": key,
        "code_maps": concept_map_mapping().view_hash,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def fhir_relations(home: Home) -> dict[str, list[Path]]:
    """Relation → its Parquet files, of the loads that are finished and current: each view, and the ledgers.

    The ledgers are `_resource`, `_quarantine`, `_finding`, `_alias`, `_deletion`, `_file`; and
    `_concept_map`.
    """
    relations: dict[str, list[Path]] = defaultdict(list)
    for record in _records(home, _current(home)):
        for relative in record["parquet"]:
            relations[Path(relative).parts[0]].append(home.fhir / relative)
    return {name: sorted(set(paths)) for name, paths in sorted(relations.items())}


def _load(
    home: Home, views: Views, generation: str, work: Path, progress: Callable[[str], None]
) -> LoadReport:
    done = {tuple(pair) for record in _records(home, generation) for pair in record["files"]}
    pending = [file for file in landed_files(home) if (file.site, file.sha256) not in done]
    if not pending and generation == _current(home):
        return LoadReport(None, 0, 0, 0, 0, 0)
    load_id = _load_id(generation, pending)
    routed = route(pending, partial(make_router, views, views.identified()), work, progress)
    connection = _connect(home, work)
    files = work / "files.ndjson"
    longest = _write_files(files, pending, routed.types)
    read_ledger(connection, LoadingFile, [files], longest).create_view("work_files")
    connection.execute(LOADING_FILE)
    written, refused = _map_all(connection, views, routed, home.fhir, load_id)
    written += _write_ledgers(
        connection, routed.ledgers, home.fhir, load_id, refused, {file.site for file in pending}
    )
    written += _empties(connection, views, home.fhir)
    report = _report(connection, load_id, len(pending))
    connection.close()
    for file, types in zip(pending, routed.types, strict=True):
        add_counts(file, {name or "unreadable": n for name, n in types.items()})
    _commit(home, generation, load_id, pending, views.hashes(), written)
    return report


def _connect(home: Home, work: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:", config={"temp_directory": str(work / "spill"), "memory_limit": "1GB"}
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set preserve_insertion_order = false")
    install_macros(connection, read_key(home))
    return connection


def _map_all(
    connection: duckdb.DuckDBPyConnection, views: Views, routed: Routed, folder: Path, load_id: str
) -> tuple[list[Path], list[int]]:
    groups: dict[tuple[str, str], list[Part]] = defaultdict(list)
    for (site, resource_type, version), lines in sorted(routed.lines.items(), key=lambda item: item[0]):
        groups[resource_type, version].append(Part(site, tuple(lines)))
    written, refused = [], []
    for (resource_type, version), parts in groups.items():
        mappings = views.mappings(version, resource_type)
        name = f"{load_id}-{version.lower()}"
        paths, bad = map_type(connection, mappings, parts, folder, name)
        written += paths
        refused += bad
        for part in parts:
            for path in part.paths:
                path.unlink()
    return written, refused


def _empties(connection: duckdb.DuckDBPyConnection, views: Views, folder: Path) -> list[Path]:
    paths = []
    for mapping in views.mappings("R4B"):
        path = folder / mapping.name / f"empty-{mapping.view_hash[:16]}.parquet"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_empty(connection, mapping, path)
        paths.append(path)
    return paths


def _write_files(path: Path, files: Sequence[LandedFile], types: Sequence[Counter[str]]) -> int:
    ledger = Ledger(path)
    for number, (file, counted) in enumerate(zip(files, types, strict=True)):
        landed_at = file.landed_at.isoformat()
        ledger.add(LoadingFile(number, file.site, file.sha256, counted.total(), file.size, landed_at))
    return ledger.close()


def _write_ledgers(
    connection: duckdb.DuckDBPyConnection,
    ledgers: dict[type[Row], tuple[list[Path], int]],
    folder: Path,
    load_id: str,
    refused: list[int],
    sites: set[str],
) -> list[Path]:
    connection.execute("create temp table refused as select unnest($1::bigint[]) as ordinal", [refused])
    for kind, (paths, longest) in ledgers.items():
        read_ledger(connection, kind, paths, longest).create_view(kind.__name__)
    connection.execute(LEDGERS_SQL.read_text(encoding="utf-8"))
    written = []
    for name in ("_resource", "_quarantine", "_finding", "_alias", "_deletion", "_file"):
        table = connection.table(name)
        for site in sorted(sites) or [""]:
            path = folder / name / (f"{site}/{load_id}.parquet" if site else "empty.parquet")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            chosen = duckdb.ColumnExpression("site") == duckdb.ConstantExpression(site)
            table.filter(chosen).write_parquet(str(path), compression="zstd")
            written.append(path)
    return written


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


def _commit(
    home: Home,
    generation: str,
    load_id: str,
    files: list[LandedFile],
    hashes: dict[str, str],
    written: list[Path],
) -> None:
    record = {
        "load": load_id,
        "generation": generation,
        "views": hashes,
        "files": [[file.site, file.sha256] for file in files],
        "parquet": sorted({path.relative_to(home.fhir).as_posix() for path in written}),
    }
    # The record must not outlive a power cut that its files did not.
    for path in written:
        sync(path)
    folder = home.fhir / "_loads" / generation
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(folder / f"{load_id}.json", json.dumps(record, ensure_ascii=False, indent=1).encode())
    write_whole(home.fhir / "_loads" / "current", generation.encode())


def _current(home: Home) -> str | None:
    path = home.fhir / "_loads" / "current"
    return path.read_text() if path.exists() else None


def _records(home: Home, generation: str | None) -> list[dict[str, Any]]:
    if generation is None:
        return []
    folder = home.fhir / "_loads" / generation
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def _load_id(generation: str, files: list[LandedFile]) -> str:
    """The same for the same files under the same views, so that a load done again replaces its own pieces."""
    parts = "\n".join([generation, *sorted(f"{file.site}/{file.sha256}" for file in files)])
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
