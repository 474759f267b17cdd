"""The demo's two nights of pulling end where the same hospitals' files lead to, whatever went wrong on the way."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from demo.earlier import a_month_earlier
from demo.hospitals import write_hospitals
from demo.server.tokens import CLIENT
from flows.config import read_config

COVE = Path(sys.executable).with_name("cove")
STUDY = "clofarabine"
FATES = ("mapped", "quarantined", "superseded", "not_asked_for")
# What may differ between a pull and the same hospitals' files, and why; every other row has to be the same.
TELLS_OF_THE_WAY = {
    # Files under --files aren't pulled, so that there are no such rows.
    ("quality.pull", "pulled"),
    ("quality.pull", "stale"),
    # A pull lands what was corrected or deleted since as well, and some of what is the same twice.
    ("quality.resources", "landed"),
    ("quality.resources", "superseded"),
    # A server sends the types it is asked for, where files hold others too; of a history only deletions are used.
    ("quality.resources", "not_asked_for"),
}
PORT = re.compile(r"127\.0\.0\.1:(\d+)")

pytestmark = pytest.mark.xdist_group("demo")

Rows = dict[tuple[str, ...], str]


def rows_of(out: Path) -> Rows:
    """Each row of results.csv: its place, and its value and text."""
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["analysis"], row["group"], row["level"], row["statistic"], row["method"]): (
                f"{row['value']} {row['text']} {row['population']}"
            )
            for row in csv.DictReader(file)
        }


def but_for_the_way(rows: Rows) -> Rows:
    return {place: found for place, found in rows.items() if (place[0], place[2]) not in TELLS_OF_THE_WAY}


def cove(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [COVE, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def first_night_ended_at(home: Path) -> str:
    """An instant between the two nights, as the warehouse knows them."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        ends = warehouse.execute(
            "select max(ended_at)::text from (select site, min(ended_at) as ended_at from fhir.pull group by site)"
        ).fetchone()
    assert ends is not None
    return dt.datetime.fromisoformat(ends[0]).isoformat()


@pytest.mark.parametrize(
    "line",
    [
        "hospital-a's server loses the connection in the middle of Observation.ndjson",
        r"hospital-a's server sends the rest of Observation.ndjson, from byte \d+ on",
        r"hospital-b's server ends the token before it sends (\w+).ndjson: 401",
        r"hospital-b's server sends (\w+).ndjson, asked for with a new token",
        "hospital-d's server is busy: 503 to the search of Observation, Retry-After 1 s",
        "hospital-d's server answers the search of Observation, asked again",
        "hospital-f's server is busy: 503 to the search of Condition, Retry-After 1 s",
        "hospital-f's server answers the search of Condition, asked again",
    ],
)
def test_what_a_flaky_night_did_is_told_and_how_it_went_on(folder: Path, line: str) -> None:
    told = (folder / "told.txt").read_text(encoding="utf-8")
    assert len(re.findall(f"^  {line}$", told, re.MULTILINE)) == 1


def test_the_pull_has_nothing_to_warn_of(folder: Path) -> None:
    told = (folder / "told.txt").read_text(encoding="utf-8")
    assert not re.findall("missing|problem|failed|couldn't|--full", told)


def test_every_site_is_pulled_in_two_nights_and_none_is_stale(folder: Path) -> None:
    with duckdb.connect(str(folder / "home" / "warehouse.duckdb"), read_only=True) as warehouse:
        pulls = dict(
            warehouse.execute(
                "select site, count(*) from fhir.pull where completed_at is not null and failed_step is null "
                "group by site"
            ).fetchall()
        )
        ways = dict(warehouse.execute("select site, source || ' ' || deletions from quality.pull").fetchall())
        stale = warehouse.execute("select count(*) from quality.pull where is_stale").fetchone()
    assert pulls.keys() == {f"hospital-{letter}" for letter in "abcdefgh"}
    assert set(pulls.values()) == {2}
    assert stale == (0,)
    assert ways == {
        "hospital-a": "bulk manifest",
        "hospital-b": "bulk manifest",
        "hospital-c": "files none",
        "hospital-d": "rest history",
        "hospital-e": "rest snapshot",
        "hospital-f": "rest none",
        "hospital-g": "files none",
        "hospital-h": "files none",
    }


def test_the_second_night_brings_only_what_changed_where_the_server_can_tell(folder: Path) -> None:
    with duckdb.connect(str(folder / "home" / "warehouse.duckdb"), read_only=True) as warehouse:
        full = dict(
            warehouse.execute(
                "select site, list(is_full order by started_at) from fhir.pull "
                "where source <> 'files' group by site"
            ).fetchall()
        )
    assert full == {
        **{f"hospital-{letter}": [True, False] for letter in "abdf"},
        "hospital-e": [True, True],
    }


def test_the_configuration_is_one_that_a_pull_reads(folder: Path) -> None:
    config = read_config(folder / "out-hospitals" / "cove.toml", {})
    assert config.home == folder / "home"
    assert sorted(site.name for site in config.sites) == [f"hospital-{letter}" for letter in "abcdefgh"]
    clients = {site.name: site.client_id for site in config.sites if site.auth == "smart"}
    assert clients == {"hospital-a": CLIENT, "hospital-b": CLIENT}


def test_the_clients_keys_are_their_owners_and_in_no_other_file(folder: Path) -> None:
    keys = sorted((folder / "home" / "smart").iterdir())
    assert [key.name for key in keys] == ["hospital-a.jwk", "hospital-b.jwk"]
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    secrets = [json.loads(key.read_text())["d"].encode() for key in keys]
    for path in folder.rglob("*"):
        if path.is_file() and path not in keys:
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path


def test_no_file_of_the_report_and_no_landed_file_names_a_port(folder: Path) -> None:
    landed = [path for path in (folder / "home" / "landing").rglob("*") if path.suffix != ".json"]
    for path in (*(folder / "out").rglob("*"), *landed):
        if path.is_file():
            assert b"127.0.0.1" not in path.read_bytes(), path


def test_nobody_listens_after_the_demo(folder: Path) -> None:
    assert_nobody_listens((folder / "told.txt").read_text(encoding="utf-8"))


def assert_nobody_listens(told: str) -> None:
    found = PORT.search(told)
    assert found
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(found[1]))) != 0


@pytest.mark.slow
def test_results_are_those_of_the_same_files_whatever_their_names(folder: Path, tmp_path: Path) -> None:
    write_hospitals(tmp_path / "sent")
    files = sorted(path for path in (tmp_path / "sent").rglob("*") if path.is_file())
    for number, path in enumerate(reversed(files)):
        site = path.relative_to(tmp_path / "sent").parts[0]
        target = tmp_path / "shuffled" / site / f"{number:03d}{path.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    cove("run", STUDY, "--files", "shuffled", "--out", "out", cwd=tmp_path)
    pulled, sent = rows_of(folder / "out"), rows_of(tmp_path / "out")
    assert but_for_the_way(pulled) == but_for_the_way(sent)
    for rows in (pulled, sent):
        assert_accounted_for(rows)


def assert_accounted_for(rows: Rows) -> None:
    """`landed` is the sum of what became of the resources, in all and at each site."""
    counts = {(place[1], place[2]): int(found.split()[0]) for place, found in rows.items()
              if place[0] == "quality.resources"}  # fmt: skip
    groups = {group for group, _ in counts}
    assert len(groups) == 9
    for group in groups:
        assert counts[group, "landed"] == sum(counts[group, fate] for fate in FATES)


@pytest.mark.slow
def test_as_of_the_first_night_is_what_the_hospitals_knew_then(folder: Path, tmp_path: Path) -> None:
    as_of = first_night_ended_at(folder / "home")
    shutil.copytree(folder / "home", tmp_path / "home")
    cove("report", STUDY, "--home", "home", "--as-of", as_of, "--out", "then", cwd=tmp_path)
    write_hospitals(tmp_path / "sent", known=a_month_earlier)
    cove("run", STUDY, "--files", "sent", "--home", "home-of-files", "--out", "sent-then", cwd=tmp_path)
    then, now = rows_of(tmp_path / "then"), rows_of(folder / "out")
    assert but_for_the_way(then) == but_for_the_way(rows_of(tmp_path / "sent-then"))
    treated, died = ("attrition", "all", "treated", "n", ""), ("death", "all", "all", "n", "")
    # Two of the sixty weren't enrolled yet, and five of the 24 deaths weren't reported.
    assert [rows[place].split()[0] for rows in (then, now) for place in (treated, died)] == [
        "58", "19", "60", "24"
    ]  # fmt: skip


@pytest.mark.slow
def test_another_demo_gives_the_same_bytes_and_uses_no_proxy(folder: Path, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"), nowhere)
    cove("demo", "--out", "out", "--home", "home", cwd=tmp_path, **proxies)
    results = folder / "out" / "results.csv"
    assert (tmp_path / "out" / "results.csv").read_bytes() == results.read_bytes()
    assert inputs(tmp_path / "out") == inputs(folder / "out")
    cove("demo", "--out", "out", "--home", "home", cwd=tmp_path)
    assert (tmp_path / "out" / "results.csv").read_bytes() == results.read_bytes()
    assert inputs(tmp_path / "out") == inputs(folder / "out")


def inputs(out: Path) -> list[tuple[str, str]]:
    """Site and hash of each landed file that a report is made of."""
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return sorted((row["site"], row["sha256"]) for row in manifest["inputs"])


@pytest.mark.slow
def test_a_killed_demo_leaves_no_server_and_the_next_one_finishes(folder: Path, tmp_path: Path) -> None:
    with (tmp_path / "told.txt").open("w") as told:
        killed = subprocess.Popen([COVE, "demo", "--out", "out", "--home", "home"], cwd=tmp_path, stderr=told)
        while "lines landed" not in (tmp_path / "told.txt").read_text():
            assert killed.poll() is None
            time.sleep(0.02)
        killed.kill()
        killed.wait()
    assert_nobody_listens((tmp_path / "told.txt").read_text())
    cove("demo", "--out", "out", "--home", "home", cwd=tmp_path)
    assert (tmp_path / "out" / "results.csv").read_bytes() == (folder / "out" / "results.csv").read_bytes()


def test_a_folder_with_other_things_is_not_taken_for_the_hospitals(tmp_path: Path) -> None:
    (tmp_path / "out-hospitals").mkdir()
    (tmp_path / "out-hospitals" / "mine.txt").touch()
    done = subprocess.run(
        [COVE, "demo", "--out", "out"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "out-hospitals") in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"out-hospitals"}
