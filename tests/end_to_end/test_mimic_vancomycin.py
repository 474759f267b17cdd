"""The study on real data: as a recomputation from the files has it, in a warehouse that is read meanwhile."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from flows.cli import app
from tests.end_to_end.mimic_by_hand import BY_SITE, ByHand, compute, lines, members
from tests.end_to_end.mimic_in_r import curves
from tests.statistics.agreement_with_r import needs_r

MIMIC = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-fhir-demo"
COVE = Path(sys.executable).with_name("cove")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MIMIC.exists(), reason="the MIMIC-IV demo isn't at ../shared/data"),
    pytest.mark.xdist_group("mimic"),
]

# group, analysis, level, statistic, method → value.
Rows = dict[tuple[str, str, str, str, str], str]

# The recomputation in Python has no limits of incidences: R has.
ONLY_IN_R = {
    ("all", "ventilation_incidence", f"week_{week}", limit, "aalen-johansen")
    for week in (1, 2, 4)
    for limit in ("ci_low", "ci_high")
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study was run from a clean home."""
    folder = tmp_path_factory.mktemp("mimic")
    run(folder, MIMIC)
    return folder


def run(folder: Path, files: Path) -> str:
    """Run the study in the folder; what it told meanwhile."""
    command = f"run mimic_vancomycin --files {files} --home home --out out".split()
    done = subprocess.run([COVE, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def rows(folder: Path) -> Rows:
    with (folder / "out/results.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["group"], row["analysis"], row["level"], row["statistic"], row["method"]): row["value"]
            for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def by_hand() -> ByHand:
    return compute(MIMIC)


def in_groups(by_hand: ByHand) -> dict[tuple[str, str, str, str, str], float]:
    """The numbers of everybody, and again those that are given for each site, of which there is one."""
    everybody = {("all", *key): value for key, value in by_hand.numbers.items()}
    site = {
        ("site=site", *key): value for key, value in by_hand.numbers.items() if key[0].startswith(BY_SITE)
    }
    return everybody | site


def test_every_row_is_one_of_the_recomputation(rows: Rows, by_hand: ByHand) -> None:
    assert set(rows) - ONLY_IN_R == set(in_groups(by_hand))


def test_every_number_agrees_with_the_recomputation(rows: Rows, by_hand: ByHand) -> None:
    expected = in_groups(by_hand)
    assert {key: float(rows[key]) for key in expected} == pytest.approx(expected, rel=1e-12, abs=1e-12)


@needs_r
def test_every_curve_agrees_with_r(rows: Rows, by_hand: ByHand, tmp_path: Path) -> None:
    expected = {("all", *key): value for key, value in curves(by_hand.treated, tmp_path).items()}
    assert expected.keys() >= ONLY_IN_R
    assert {key: float(rows[key]) for key in expected} == pytest.approx(expected, rel=1e-10)


def test_a_second_run_lands_nothing_and_changes_no_byte_while_others_read(folder: Path) -> None:
    before, landed = (folder / "out/results.csv").read_bytes(), files_below(folder / "home/landing")
    with reader(folder / "home/warehouse.duckdb") as seen:
        told = run(folder, MIMIC)
    assert len(seen) == 1
    assert " 0 new" in told and "nothing new" in told
    assert files_below(folder / "home/landing") == landed
    assert (folder / "out/results.csv").read_bytes() == before


def files_below(folder: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of writing of each file."""
    stats = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    assert stats
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}


@pytest.mark.slow
def test_shuffled_and_renamed_files_in_two_drops_give_the_same_bytes_while_others_read(
    folder: Path, tmp_path: Path
) -> None:
    sent = tmp_path / "sent"
    shuffled = dealt_anew(sent)
    first, *rest = shuffled
    for number, hand in enumerate(rest):
        hand.rename(tmp_path / f"held-back-{number}")
    run(tmp_path, sent)
    partial = (tmp_path / "out/results.csv").read_bytes()
    for number, hand in enumerate(rest):
        (tmp_path / f"held-back-{number}").rename(hand)
    with reader(tmp_path / "home/warehouse.duckdb") as seen:
        assert "1 files, 0 new" not in run(tmp_path, sent)
    whole = (folder / "out/results.csv").read_bytes()
    assert (tmp_path / "out/results.csv").read_bytes() == whole != partial
    # The reader saw the former version, then the new one, and nothing between them.
    assert first.exists() and len(seen) == 2 and seen[0] < seen[1]


def dealt_anew(folder: Path) -> list[Path]:
    """All published lines in any order, types mixed, dealt out to files of other names."""
    folder.mkdir()
    pool = list(lines(MIMIC))
    random.Random(20).shuffle(pool)
    paths = [folder / f"{name}.ndjson" for name in ("z", "17", "a part", "Observation")]
    for number, path in enumerate(paths):
        path.write_text("".join(pool[number :: len(paths)]), encoding="utf-8", newline="\n")
    return paths


@contextmanager
def reader(warehouse: Path) -> Iterator[list[int]]:
    """Another process reads the warehouse again and again; the list has the counts it saw, once it ended."""
    seen: list[int] = []
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield seen
        counts, errors = process.communicate("stop\n", timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    seen.extend(map(int, counts.split()))


# Opens the warehouse anew and queries it, over and over, until it is told to stop, and once more; any error ends
# it with 1. Prints the number of resources whenever that is another than before.
READER = """
import select, sys, duckdb
before, stopped = None, False
while not stopped:
    stopped = bool(select.select([sys.stdin], [], [], 0.01)[0])
    with duckdb.connect(sys.argv[1], read_only=True) as warehouse:
        persons = "select count(*) from clinical.person as p join mimic_vancomycin.contribution using (person_id)"
        assert warehouse.execute(persons).fetchone()[0] > 0
        landed = warehouse.execute("select sum(landed)::bigint from quality.resources").fetchone()[0]
    if landed != before:
        print(landed)
    before = landed
"""


def test_former_versions_stay_readable(folder: Path) -> None:
    versions = sorted((folder / "home/versions").glob("*.duckdb"))
    assert versions
    for version in versions:
        with duckdb.connect(str(version), read_only=True) as warehouse:
            counted = warehouse.execute("select count(*) from fhir.patient").fetchone()
        assert counted == (100,)


@pytest.fixture(scope="module")
def counts_of_persons(rows: Rows) -> Rows:
    return {key: n for key, n in rows.items() if key[3] == "n" and not key[1].startswith("quality.")}


def trace(folder: Path, group: str, analysis: str, level: str) -> str:
    asked = ["--analysis", analysis, "--statistic", "n", "--group", group, "--level", level]
    answer = CliRunner().invoke(app, ["trace", str(folder / "out"), *asked, "--show"])
    assert answer.exit_code == 0
    return answer.stdout


def test_every_count_of_persons_is_traced_to_those_persons_as_received(
    folder: Path, counts_of_persons: Rows, by_hand: ByHand
) -> None:
    assert len(counts_of_persons) > 20
    for (group, analysis, level, _, _), n in counts_of_persons.items():
        told = trace(folder, group, analysis, level)
        patients = patients_traced(told)
        assert f"{n} persons" in told.splitlines() and len(patients) == int(n), (group, analysis, level)
        assert sorted(patients) == sorted(members(by_hand, analysis, level)), (group, analysis, level)


def patients_traced(told: str) -> list[str]:
    """Each traced person's Patient, after a check that all lines shown are the resources that they are said to be."""
    persons: dict[str, set[str]] = {}
    person = place = ""
    for line in told.splitlines()[2:]:
        if line.startswith("    "):
            resource = json.loads(line)
            reference = f"{resource['resourceType']}/{resource['id']}"
            assert f"  {reference}  " in place
            persons[person].add(resource.get("subject", {}).get("reference", reference))
        elif line.startswith("  "):
            place = line
        else:
            person = line
            persons[person] = set()
    return [patient for of_one in persons.values() for patient in one(of_one)]


def one(patients: set[str]) -> set[str]:
    assert len(patients) == 1
    return patients
