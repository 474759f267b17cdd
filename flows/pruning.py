"""Removes what no warehouse reads any more: Parquet that was put together, or mapped under former views."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from flows.home import Home, sync
from flows.load_records import current_generation, parquet_of, records_of
from flows.rules import verdict_rules


def published_views(home: Home) -> list[str]:
    """The texts of the published warehouse's views; none where there is none that can be opened."""
    if not home.warehouse.exists():
        return []
    try:
        return _views_of(home.warehouse)
    except duckdb.Error:
        return []


def prune(home: Home, former_views: Sequence[str]) -> int:
    """Removes, and counts, Parquet that neither the current loads nor a kept version of the warehouse reads.

    What the views of the version published before read stays until the next build, though that version may be
    dropped already: a reader may have it open. Only who holds the home for writing may call it. Where a version
    can't be opened, nothing is removed.
    """
    current = current_generation(home)
    # Records first: a record whose Parquet is gone would be believed.
    _remove_others(home.fhir / "_loads", current)
    kept = parquet_of(records_of(home, current))
    unread = {path for path in _parquet(home) if path not in kept}
    if unread:
        try:
            unread -= _read_by(unread, [*former_views, *_views_of_versions(home)])
        except duckdb.Error:
            return 0
    for path in sorted(unread):
        (home.fhir / path).unlink()
    _remove_others(home.fhir / "_validated", verdict_rules())
    return len(unread)


def _parquet(home: Home) -> set[str]:
    found = (path.relative_to(home.fhir) for path in home.fhir.rglob("*.parquet"))
    return {path.as_posix() for path in found if path.parts[0] != "_validated"}


def _read_by(paths: set[str], views: Sequence[str]) -> set[str]:
    """Those that a view names. A home that has moved is known by the end of the path."""
    return {path for path in paths if any(f"/fhir/{path}'" in text for text in views)}


def _views_of_versions(home: Home) -> list[str]:
    return [text for version in sorted(home.versions.glob("*.duckdb")) for text in _views_of(version)]


def _views_of(version: Path) -> list[str]:
    with duckdb.connect(str(version), read_only=True) as connection:
        views = "select sql from duckdb_views() where schema_name = 'fhir'"
        return [sql for (sql,) in connection.execute(views).fetchall()]


def _remove_others(folder: Path, kept: str | None) -> None:
    """Removes the folders beside the kept one."""
    for path in folder.glob("*/"):
        if path.name != kept:
            shutil.rmtree(path)
    if folder.exists():
        sync(folder)
