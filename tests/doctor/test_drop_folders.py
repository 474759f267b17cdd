"""A drop folder and the home before the first night."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections import namedtuple
from pathlib import Path

import pytest

from tests.doctor.examined import examined
from tests.pulling.pulls import NORTH, Bench
from tests.pulling.test_files import configured, drop

needs_rights = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


def write(bench: Bench, name: str, content: bytes, age: float = 3600) -> Path:
    path = bench.folder / "drop" / name
    path.write_bytes(content)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_files_are_told_by_kind_and_their_types_are_mapped(bench: Bench) -> None:
    configured(bench)
    drop(bench, "a.ndjson", "a")
    drop(bench, "deep/b.ndjson.gz", "b")
    observation = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observation}]}
    write(bench, "c.json", json.dumps(bundle).encode())
    write(bench, "readme.txt", b"hello")
    before = {path: path.stat().st_mtime_ns for path in (bench.folder / "drop").rglob("*")}
    said = examined(bench)
    assert said.code == 0
    assert said.line("folder").startswith("ok: ")
    assert said.line("files") == "ok: 3 files: 1 .json, 1 .ndjson, 1 .ndjson.gz"
    assert (
        said.line("passed over")
        == "warn: 1 not FHIR by its name and look; see docs/files.md for what is taken"
    )
    assert said.line("Patient") == "ok: mapped"
    assert said.line("Observation") == "ok: mapped"
    assert re.fullmatch("ok: .* would be landed, and .* are free in the home", said.line("space"))
    assert {path: path.stat().st_mtime_ns for path in (bench.folder / "drop").rglob("*")} == before
    assert not bench.home.exists()


@pytest.mark.parametrize("age", [5, -3600])
def test_a_file_still_being_written_is_told_of_and_not_read(bench: Bench, age: float) -> None:
    configured(bench)
    drop(bench, "a.ndjson", "a")
    write(bench, "half.ndjson", b'{"resourceType": "Obser', age=age)
    said = examined(bench)
    assert said.code == 0
    assert said.line("settled").startswith(
        "warn: 1 file changed within the last 60 seconds, or later than now; left"
    )
    assert "content" not in said.of("warn")


def test_content_that_cannot_be_read_is_told_by_its_rule(bench: Bench) -> None:
    configured(bench)
    write(bench, "page.json", b"<html>Sign in</html>")
    write(bench, "p.ndjson", b'{"resourceType": "Patient", "id": "a", "birthDate": 12}\n{"id": "b"}\n')
    said = examined(bench)
    assert said.code == 3
    assert said.line("content").startswith("warn: 2 places can't be read, by rule html, not-a-resource; ")
    assert said.line("Patient").startswith(
        "fail: 1 of 1 resource looked at quarantined by rule type:Patient.birthDate; "
    )


def test_a_folder_that_is_missing_or_empty_is_told_of(bench: Bench) -> None:
    missing = {"name": "south", "source": "files", "path": "not-there"}
    (bench.folder / "drop").mkdir()
    said = examined(bench, missing, {"name": NORTH, "source": "files", "path": "drop"})
    assert said.code == 3
    assert re.fullmatch(
        "fail: .*/not-there: there is no such folder; make it, .*", said.line("folder", "south")
    )
    assert said.line("files").startswith("warn: none is there yet; ")
    assert said.line("deletions").startswith("warn: deletions aren't seen")
    assert said.lines[-1] == "2 sites: 1 ready; warnings for north; not ready: south"


@needs_rights
def test_what_cannot_be_read_is_told_of(bench: Bench) -> None:
    configured(bench)
    drop(bench, "a.ndjson", "a").chmod(0)
    said = examined(bench)
    assert said.code == 3
    assert said.line("files").startswith("fail: 1 file can't be read; ")


def test_a_drop_larger_than_the_disk_is_told_of(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(bench)
    drop(bench, "a.ndjson", "a")
    usage = namedtuple("usage", ("total", "used", "free"))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(10, 5, 5))
    said = examined(bench)
    assert said.code == 3
    assert said.line("space").startswith(
        "fail: 0.0 MB would be landed, and 0.0 MB are free in the home; free space"
    )
    assert said.line("disk", "(home)").startswith("warn: 0.0 MB free at ")


def test_a_home_that_others_can_look_into_is_told_of(bench: Bench) -> None:
    configured(bench)
    bench.home.mkdir(mode=0o755)
    said = examined(bench)
    assert said.code == 0
    assert said.line("privacy", "(home)").endswith(f"; chmod 700 {bench.home}")
    bench.home.chmod(0o700)
    assert examined(bench).line("privacy", "(home)").startswith("ok: ")
    (bench.home / "key").write_bytes(b"short")
    said = examined(bench)
    assert said.code == 3
    assert said.line("key", "(home)").startswith("fail: ")


def test_a_home_under_a_file_is_told_of(bench: Bench) -> None:
    (bench.folder / "drop").mkdir()
    (bench.folder / "file").write_text("")
    bench.configure({"name": NORTH, "source": "files", "path": "drop"}, home=bench.folder / "file" / "home")
    said = examined(bench)
    assert said.code == 3
    assert said.line("home", "(home)").startswith("fail: ")


@needs_rights
def test_a_home_that_cannot_be_written_is_told_of(bench: Bench) -> None:
    configured(bench)
    bench.home.mkdir(mode=0o500)
    said = examined(bench)
    assert said.code == 3
    assert said.line("home", "(home)").startswith("fail: ")
