"""The drop folder: what has settled is taken, once, by content."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path
from typing import Any

from tests.pulling.hospital import FAMILY
from tests.pulling.pulls import NORTH, Bench


def drop(bench: Bench, name: str, *ids: str, age: float = 3600) -> Path:
    """A file of patients in the drop folder, last changed `age` seconds ago."""
    path = bench.folder / "drop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = b"".join(json.dumps(patient(id)).encode() + b"\n" for id in ids)
    path.write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def patient(id: str) -> dict[str, Any]:
    """A patient, first version."""
    return {"resourceType": "Patient", "id": id, "meta": {"versionId": "1"}}


def names(*ids: str) -> set[str]:
    """The patients as `Bench.landed` names them."""
    return {f"Patient/{id}/1" for id in ids}


def configured(bench: Bench, **more: Any) -> Bench:
    """The bench with one drop folder."""
    (bench.folder / "drop").mkdir(exist_ok=True)
    bench.configure({"name": NORTH, "source": "files", "path": "drop", **more})
    return bench


def test_a_file_that_has_settled_is_taken_and_one_that_has_not_is_left(bench: Bench) -> None:
    configured(bench)
    drop(bench, "old.ndjson", "a", "b")
    new = drop(bench, "new.ndjson", "c", age=5)
    assert bench.pull().code == 0
    assert bench.landed() == names("a", "b")
    os.utime(new, (time.time() - 61, time.time() - 61))
    assert bench.pull().code == 0
    assert bench.landed() == names("a", "b", "c")


def test_the_seconds_to_settle_are_configured(bench: Bench) -> None:
    configured(bench, settle=0)
    drop(bench, "new.ndjson", "a", age=0)
    assert bench.pull().code == 0
    assert bench.landed() == names("a")


def test_a_file_from_the_future_is_left(bench: Bench) -> None:
    configured(bench)
    drop(bench, "new.ndjson", "a", age=-3600)
    assert bench.pull().code == 0
    assert bench.landed() == set()


def test_what_was_taken_is_not_taken_again_whatever_its_name(bench: Bench) -> None:
    configured(bench)
    path = drop(bench, "one.ndjson", "a")
    assert bench.pull().code == 0
    manifests = {p: p.read_bytes() for p in (bench.landing / NORTH).glob("*.json")}
    path.rename(path.with_name("two.ndjson"))
    drop(bench, "deep/three.ndjson", "a")
    assert bench.pull().code == 0
    assert {p: p.read_bytes() for p in (bench.landing / NORTH).glob("*.json")} == manifests


def test_a_file_with_new_content_under_an_old_name_is_taken(bench: Bench) -> None:
    configured(bench)
    drop(bench, "one.ndjson", "a")
    assert bench.pull().code == 0
    drop(bench, "one.ndjson", "b")
    assert bench.pull().code == 0
    assert bench.landed() == names("a", "b")


def test_packed_and_nested_files_are_taken(bench: Bench) -> None:
    configured(bench)
    drop(bench, "deep/er/one.ndjson.gz", "a")
    drop(bench, ".hidden.ndjson", "b")
    assert bench.pull().code == 0
    assert bench.landed() == names("a")


def test_a_folder_that_is_missing_fails_its_site_only(bench: Bench) -> None:
    drop(bench, "one.ndjson", "a")
    bench.configure(
        {"name": "south", "source": "files", "path": "not-there"},
        {"name": NORTH, "source": "files", "path": "drop"},
    )
    done = bench.pull()
    assert done.code == 3, done.text
    assert "not-there" in done.failure_of("south")
    assert bench.landed() == names("a")


def test_an_empty_folder_is_no_failure(bench: Bench) -> None:
    configured(bench)
    assert bench.pull().code == 0
    assert bench.landed() == set()


def test_dropped_files_are_left_where_they_are(bench: Bench) -> None:
    configured(bench)
    path = drop(bench, "one.ndjson", "a")
    before = path.read_bytes()
    assert bench.pull().code == 0
    assert path.read_bytes() == before


def test_what_is_no_file_is_passed_over(bench: Bench) -> None:
    configured(bench)
    folder = drop(bench, "folder.ndjson/one.ndjson", "a").parent.parent
    os.mkfifo(folder / "pipe.ndjson")
    (folder / "circle.ndjson").symlink_to("circle.ndjson")
    (folder / "nowhere.ndjson").symlink_to("not-there.ndjson")
    (folder / "out.ndjson").symlink_to(bench.folder / "cove.toml")
    done = bench.pull()
    assert done.code == 0, done.text
    assert bench.landed() == names("a")


def test_a_name_may_be_of_any_script_or_none(bench: Bench) -> None:
    configured(bench)
    drop(bench, "환자 é.ndjson", "a")
    path = drop(bench, "plain.ndjson", "b")
    path.rename(path.with_name(os.fsdecode(b"\xff\xfe.ndjson")))
    for _ in range(2):
        done = bench.pull()
        assert done.code == 0, done.text
    assert bench.landed() == names("a", "b")


def test_a_file_that_grows_is_left_until_it_has_settled(bench: Bench) -> None:
    configured(bench, settle=2)
    path = drop(bench, "growing.ndjson", "a", age=10)
    with path.open("ab") as target:
        target.write(json.dumps(patient("b")).encode()[:20])
    assert bench.pull().code == 0
    assert bench.landed() == set()


def test_a_name_is_kept_in_the_manifest_of_landing_only(bench: Bench) -> None:
    name = f"{FAMILY}.ndjson"
    configured(bench)
    drop(bench, name, "a")
    assert bench.pull().code == 0
    kept = [path.read_bytes() for path in (bench.home / "pulls").rglob("*") if path.is_file()]
    assert kept and not any(
        FAMILY.encode() in text or FAMILY.encode().hex().encode() in text for text in kept
    )
