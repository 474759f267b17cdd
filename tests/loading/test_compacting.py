"""Many small loads: their Parquet is put together, and what nobody reads any more is removed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.compacting import MANY
from flows.home import Home, open_home
from flows.landing import land_files
from flows.load_records import fhir_relations
from flows.loading import load
from flows.loading_step import bundled_views

COVE = Path(sys.executable).with_name("cove")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def drop(home: Home, folder: Path, number: int) -> None:
    """One night's file: a person of its own, and a newer version of one who is in all."""
    folder.mkdir(exist_ok=True)
    persons: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": f"p{number}", "birthDate": "2015-05-05"},
        {
            "resourceType": "Patient",
            "id": "all",
            "meta": {"lastUpdated": f"2025-01-{number + 1:02}T00:00:00Z"},
            "birthDate": f"2015-05-{number + 1:02}",
        },
    ]
    (folder / f"{number}.ndjson").write_text("".join(json.dumps(person) + "\n" for person in persons))
    land_files(home, "a", folder, landed_at=FIRST + timedelta(days=number))
    load(home, views=bundled_views())


def patients(home: Home) -> list[tuple[Any, ...]]:
    paths = [str(path) for path in fhir_relations(home)["patient"]]
    rows = duckdb.read_parquet(paths, union_by_name=True)
    columns = duckdb.SQLExpression("row(id, birth_date, line, landed_at::date)")
    return sorted(row for (row,) in rows.select(columns).fetchall())


def expected(count: int) -> list[tuple[Any, ...]]:
    days = [(FIRST + timedelta(days=number)).date() for number in range(count)]
    own = [(f"p{n}", "2015-05-05", 1, day) for n, day in enumerate(days)]
    return sorted(own + [("all", f"2015-05-{n + 1:02}", 2, day) for n, day in enumerate(days)])


def files_of(home: Home) -> list[Path]:
    return [path for path in fhir_relations(home)["patient"] if path.parent.name == "a"]


def test_small_files_are_put_together_with_every_row_and_its_lineage(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    for number in range(MANY - 1):
        drop(home, tmp_path / "a", number)
    assert len(files_of(home)) == MANY - 1
    drop(home, tmp_path / "a", MANY - 1)
    assert len(files_of(home)) == 1
    assert patients(home) == expected(MANY)
    drop(home, tmp_path / "a", MANY)
    assert len(files_of(home)) == 2
    assert patients(home) == expected(MANY + 1)


def test_a_load_killed_while_putting_together_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_home(tmp_path / "home")
    for number in range(MANY - 1):
        drop(home, tmp_path / "a", number)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("flows.loading.commit_load", killed)
        with pytest.raises(KeyboardInterrupt):
            drop(home, tmp_path / "a", MANY - 1)
    assert patients(home) == expected(MANY - 1)
    load(home, views=bundled_views())
    assert patients(home) == expected(MANY)


def cove(*arguments: str | Path) -> str:
    done = subprocess.run([COVE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_build_removes_parquet_that_no_kept_version_reads(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    for number in range(MANY - 1):
        drop(home, tmp_path / "a", number)
    cove("build", "clofarabine", "--home", home.root)
    small = files_of(home)
    drop(home, tmp_path / "a", MANY - 1)
    cove("build", "clofarabine", "--home", home.root)
    former, newest = sorted(home.versions.glob("*.duckdb"))
    assert all(path.exists() for path in small)  # the former version reads them
    for version, count in ((former, MANY), (newest, MANY + 1)):
        with duckdb.connect(str(version), read_only=True) as connection:
            assert connection.execute("select count(distinct id) from fhir.patient").fetchone() == (count,)
    former.unlink()
    cove("build", "clofarabine", "--home", home.root)
    assert not any(path.exists() for path in small)
    query = "select count(distinct id) as persons from fhir.patient"
    assert f"{MANY + 1}" in cove("sql", "--home", home.root, query)


@pytest.mark.slow
def test_a_reader_keeps_the_parquet_of_a_version_that_the_next_build_drops(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    (tmp_path / "cove.toml").write_text(f'home = "{home.root}"\n[publish]\nkeep = 1\n')
    build = ("build", "clofarabine", "--config", tmp_path / "cove.toml")
    for number in range(MANY - 1):
        drop(home, tmp_path / "a", number)
    cove(*build)
    small = files_of(home)
    with duckdb.connect(str(home.warehouse), read_only=True) as reader:
        drop(home, tmp_path / "a", MANY - 1)
        cove(*build)
        assert len(list(home.versions.glob("*.duckdb"))) == 1
        assert reader.execute("select count(distinct id) from fhir.patient").fetchone() == (MANY,)
    cove(*build)
    assert not any(path.exists() for path in small)
