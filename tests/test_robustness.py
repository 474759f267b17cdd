"""Bad nights: full disks, broken archives, killed runs, links, and a prompt that only reads."""

from __future__ import annotations

import datetime as dt
import json
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from demo.hospitals import write_hospitals
from flows.home import open_home, writing
from flows.landing import land_files
from flows.warehouse import KEPT_VERSIONS, publish

COVE = Path(sys.executable).with_name("cove")
STUDY = "clofarabine"


def cove(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COVE, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def patients(*names: str) -> str:
    return "".join(json.dumps({"resourceType": "Patient", "id": name}) + "\n" for name in names)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where a study ran over two persons: files, home, and report."""
    root = tmp_path_factory.mktemp("ran")
    (root / "files").mkdir()
    (root / "files" / "persons.ndjson").write_text(patients("a", "b"))
    done = cove("run", STUDY, "--files", "files", "--home", "home", "--out", "report", cwd=root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1) to 'written.csv'",
        "select 1; copy (select 1) to 'written.csv'",
        "explain analyze copy (select 1) to 'written.csv'",
        "attach 'written.csv'",
        "set memory_limit = '1GB'",
        "create table written (a int)",
    ],
)
def test_the_prompt_refuses_all_that_could_write(ran: Path, query: str) -> None:
    before = {path.name for path in ran.iterdir()}
    done = cove("sql", "--home", "home", query, cwd=ran)
    assert done.returncode == 2
    assert "only reads" in done.stderr and len(done.stderr.splitlines()) == 1
    assert {path.name for path in ran.iterdir()} == before


def test_the_prompt_answers_what_reads(ran: Path) -> None:
    done = cove("sql", "--home", "home", "select count(*) as persons from clinical.person", cwd=ran)
    assert done.stdout.split() == ["persons", "2"]
    assert cove("sql", "--home", "home", "describe clinical.person", cwd=ran).returncode == 0


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_broken_member_of_a_zip_is_quarantined_and_the_rest_is_loaded(tmp_path: Path, method: int) -> None:
    (tmp_path / "files").mkdir()
    archive = tmp_path / "files" / "export.zip"
    with zipfile.ZipFile(archive, "w", method) as opened:
        opened.writestr("broken.ndjson", patients(*(f"p{n}" for n in range(200))))
        opened.writestr("whole.ndjson", patients("whole"))
    content = bytearray(archive.read_bytes())
    content[60:80] = bytes(20)
    archive.write_bytes(content)
    done = cove("load", "--files", "files", "--home", "home", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 resources: 1 mapped, 1 quarantined" in done.stdout + done.stderr


def test_a_full_disk_ends_with_three_and_one_line_and_leaves_no_half_report(
    ran: Path, small_disk: Path
) -> None:
    done = cove("run", STUDY, "--files", ran / "files", "--home", small_disk / "home", "--out", "o", cwd=ran)
    assert done.returncode == 3, done.stderr
    assert "No space left" in done.stderr.splitlines()[-1]
    assert not (ran / "o").exists()


def test_a_report_that_does_not_fit_on_the_disk_leaves_nothing_there(ran: Path, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes((4 << 20) - (24 << 10)))
    done = cove("report", STUDY, "--home", ran / "home", "--out", small_disk / "report", cwd=ran)
    assert done.returncode == 3, done.stderr
    assert "No space left" in done.stderr.splitlines()[-1]
    assert {path.name for path in small_disk.iterdir()} == {"filler"}


def test_a_published_warehouse_that_is_damaged_is_told_of_and_built_anew(ran: Path) -> None:
    (ran / "home" / "warehouse.duckdb").unlink()
    (ran / "home" / "warehouse.duckdb").write_text("damaged")
    done = cove("sql", "--home", "home", "select 1", cwd=ran)
    assert done.returncode == 2 and "cove build" in done.stderr
    done = cove("build", STUDY, "--home", "home", cwd=ran)
    assert done.returncode == 0, done.stderr
    assert "can't be opened" in done.stderr
    assert cove("sql", "--home", "home", "select 1", cwd=ran).returncode == 0


def test_a_report_folder_that_is_a_link_is_replaced_where_it_leads(ran: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    done = cove("report", STUDY, "--home", ran / "home", "--out", tmp_path / "link", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "report.html").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"real", "link"}


def test_a_link_does_not_hide_that_the_home_lies_in_the_report_folder(ran: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    arguments = ("--files", ran / "files", "--home", tmp_path / "real" / "home", "--out", tmp_path / "link")
    done = cove("run", STUDY, *arguments, cwd=tmp_path)
    assert done.returncode == 2 and "inside --out" in done.stderr


def test_a_home_among_the_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files" / "site-a").mkdir(parents=True)
    (tmp_path / "files" / "site-a" / "persons.ndjson").write_text(patients("a"))
    done = cove("load", "--files", "files", "--home", "files/home", cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "files" / "home").exists()


@pytest.mark.parametrize("manifest", ["[]", "{}", "no JSON"])
def test_a_trace_of_what_is_no_report_is_refused(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "manifest.json").write_text(manifest)
    done = cove("trace", "report", "--analysis", "attrition", "--statistic", "n", cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


def test_the_next_to_write_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    left = [home.landing / "a" / ".1.part", home.fhir / "_loads" / ".current.1.part", home.work / "0.ndjson"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with writing(home):
        pass
    assert not any(path.exists() for path in left)


def test_folders_that_are_links_are_passed_over_and_counted(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "persons.ndjson").write_text(patients("a"))
    (tmp_path / "files" / "again").symlink_to(tmp_path / "files")
    home = open_home(tmp_path / "home")
    landing = land_files(home, "a", tmp_path / "files", landed_at=dt.datetime.now(dt.UTC))
    assert (len(landing.files), landing.ignored) == (1, {"link to a folder": 1})


def test_the_version_just_published_is_kept_though_the_clock_was_put_back(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    for name in [f"2{n:03}" for n in range(KEPT_VERSIONS + 2)] + ["1999"]:
        built = tmp_path / "built"
        built.write_text(name)
        assert publish(built, home, name).exists()
    assert home.warehouse.read_text() == "1999"
    assert len(list(home.versions.iterdir())) == KEPT_VERSIONS


@pytest.mark.slow
def test_runs_killed_at_any_time_end_in_the_same_results_and_leave_nothing(tmp_path: Path) -> None:
    write_hospitals(tmp_path / "files")
    arguments = ("run", STUDY, "--files", "files")
    assert cove(*arguments, "--home", "calm-home", "--out", "calm", cwd=tmp_path).returncode == 0
    drawn = random.Random(1)
    for _ in range(6):
        with subprocess.Popen(
            [COVE, *arguments, "--home", "home", "--out", "out"], cwd=tmp_path, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(drawn.uniform(0.2, 8))
            process.send_signal(signal.SIGKILL)
    assert cove(*arguments, "--home", "home", "--out", "out", cwd=tmp_path).returncode == 0
    assert (tmp_path / "out/results.csv").read_bytes() == (tmp_path / "calm/results.csv").read_bytes()
    assert not list((tmp_path / "home").rglob("*.part*"))
    assert not list((tmp_path / "home" / "work").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"files", "calm", "calm-home", "home", "out"}
