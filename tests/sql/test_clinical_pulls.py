"""What pulls tell beside their resources: what a whole one lacks, and what came again."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from flows.home import open_home
from flows.landing import landed_files
from flows.pull.records import publish_pulls
from tests.sql.clinical_files import WHEN, build, land, patient, rows

DAY = timedelta(days=1)
SINCE = "2024-01-01T00:00:00Z"
GONE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"request": {"method": "DELETE", "url": "Patient/p"}}],
}


def pulled(
    root: Path,
    at: datetime,
    *files: tuple[str, str],
    deletions: str = "snapshot",
    since: str | None = None,
    failed_step: str | None = None,
) -> None:
    """Records a pull of Patients: its files as received, by name and kind; complete unless a step failed."""
    home = open_home(root / "home")
    known = {file.source: file.sha256 for file in landed_files(home)}
    ended_at = (at + timedelta(minutes=1)).isoformat()
    record: dict[str, Any] = {
        "id": f"{at:%Y%m%d}",
        "site": "a",
        "source": "bulk",
        "started_at": at.isoformat(),
        "ended_at": ended_at,
        "completed_at": None if failed_step else ended_at,
        "failed_step": failed_step,
        "is_full": since is None,
        "deletions": deletions,
        "since": {"Patient": since},
        "files": [
            {"sha256": known[name], "kind": kind, "resource_type": "Patient", "received_at": at.isoformat()}
            for name, kind in files
        ],
    }
    folder = home.root / "pulls" / "_records" / "a"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{record['id']}.json").write_text(json.dumps(record))


def people(root: Path, as_of: datetime | None = None) -> list[str]:
    return [key for (key,) in rows(build(root, as_of), "clinical.person", "patient_key")]


def two_pulls(root: Path, **second: Any) -> None:
    """A whole pull of two persons, and a day later another of one of them and a new one."""
    land(root, {"a": {"1.ndjson": [patient("stays"), patient("goes")]}})
    pulled(root, WHEN, ("1.ndjson", "output"))
    land(root, {"a": {"2.ndjson": [patient("stays"), patient("comes")]}}, WHEN + DAY)
    pulled(root, WHEN + DAY, ("2.ndjson", "output"), **second)


def test_what_a_whole_pull_lacks_has_ended(tmp_path: Path) -> None:
    two_pulls(tmp_path)
    assert people(tmp_path) == ["Patient/comes", "Patient/stays"]


def test_it_had_not_ended_before(tmp_path: Path) -> None:
    two_pulls(tmp_path)
    assert people(tmp_path, WHEN + timedelta(hours=1)) == ["Patient/goes", "Patient/stays"]


def test_a_pull_of_what_is_new_ends_nothing(tmp_path: Path) -> None:
    two_pulls(tmp_path, since=SINCE)
    assert people(tmp_path) == ["Patient/comes", "Patient/goes", "Patient/stays"]


def test_a_pull_that_failed_ends_nothing_and_leaves_the_site_stale(tmp_path: Path) -> None:
    two_pulls(tmp_path, failed_step="file")
    con = build(tmp_path)
    assert len(rows(con, "clinical.person")) == 3
    assert rows(con, "quality.pull", "site, completed_at, is_stale, failed_step") == [
        ("a", WHEN + timedelta(minutes=1), True, "file")
    ]


def test_only_snapshots_end_what_they_lack(tmp_path: Path) -> None:
    two_pulls(tmp_path, deletions="manifest")
    assert people(tmp_path) == ["Patient/comes", "Patient/goes", "Patient/stays"]


def test_a_file_that_came_again_to_the_byte_is_part_of_the_later_pull_too(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient("stays")]}})
    pulled(tmp_path, WHEN, ("1.ndjson", "output"))
    pulled(tmp_path, WHEN + DAY, ("1.ndjson", "output"))
    assert people(tmp_path) == ["Patient/stays"]


def test_what_came_after_a_whole_pull_is_there(tmp_path: Path) -> None:
    two_pulls(tmp_path)
    land(tmp_path, {"a": {"3.ndjson": [patient("later")]}}, WHEN + 2 * DAY)
    assert people(tmp_path) == ["Patient/comes", "Patient/later", "Patient/stays"]


def test_a_whole_pull_of_nothing_ends_everything_of_its_type(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient("goes")]}})
    pulled(tmp_path, WHEN, ("1.ndjson", "output"))
    pulled(tmp_path, WHEN + DAY)
    assert people(tmp_path) == []


def test_a_deletion_told_again_counts_again(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient("p", gender="male")], "gone.ndjson": [GONE]}})
    land(tmp_path, {"a": {"2.ndjson": [patient("p", gender="female")]}}, WHEN + DAY)
    pulled(tmp_path, WHEN + DAY, ("2.ndjson", "output"), deletions="manifest", since=SINCE)
    assert people(tmp_path) == ["Patient/p"]
    pulled(tmp_path, WHEN + 2 * DAY, ("gone.ndjson", "deleted"), deletions="manifest", since=SINCE)
    assert people(tmp_path) == []


def test_what_a_manifest_says_was_deleted_is_not_seen_where_deletions_are_none(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient("p")]}})
    land(tmp_path, {"a": {"gone.ndjson": [GONE]}}, WHEN + DAY)
    pulled(tmp_path, WHEN + DAY, ("gone.ndjson", "deleted"), deletions="none", since=SINCE)
    assert people(tmp_path) == ["Patient/p"]
    pulled(tmp_path, WHEN + 2 * DAY, ("gone.ndjson", "deleted"), deletions="manifest", since=SINCE)
    assert people(tmp_path) == []


def test_the_record_of_a_pull_of_many_files_takes_little_memory(tmp_path: Path) -> None:
    pulled(tmp_path, WHEN)
    home = open_home(tmp_path / "home")
    (path,) = (home.root / "pulls").rglob("*.json")
    record = json.loads(path.read_text())
    file = {"kind": "page", "resource_type": "Patient", "received_at": WHEN.isoformat()}
    record["files"] = [{"sha256": f"{number:064x}", **file} for number in range(200_000)]
    path.write_text(json.dumps(record, indent=1))
    options = {"memory_limit": "128MB", "temp_directory": str(home.work), "threads": 2}
    with duckdb.connect(str(home.work / "warehouse.duckdb"), config=options) as con:
        publish_pulls(con, home, home.work, None)
        found = con.execute("select count(distinct file), max(pull) from fhir.pulled_file").fetchone()
    assert found == (200_000, record["id"])
