"""The study on real data: as a recomputation from the files has it, in a warehouse that is read meanwhile."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.mimic_by_hand import Results, compute

MIMIC = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-fhir-demo"
COVE = Path(sys.executable).with_name("cove")

pytestmark = [
    pytest.mark.skipif(not MIMIC.exists(), reason="the MIMIC-IV demo isn't at ../shared/data"),
    pytest.mark.xdist_group("mimic"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study was run from a clean home."""
    folder = tmp_path_factory.mktemp("mimic")
    run(folder)
    return folder


def run(folder: Path) -> str:
    command = [COVE, "run", "mimic_vancomycin", "--files", MIMIC, "--home", "home", "--out", "out"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stderr


@pytest.fixture(scope="module")
def rows(folder: Path) -> dict[tuple[str, str, str], str]:
    with (folder / "out/results.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["analysis"], row["level"], row["statistic"]): row["value"]
            for row in csv.DictReader(file)
            if row["group"] == "all"
        }


@pytest.fixture(scope="module")
def by_hand() -> Results:
    return compute(MIMIC)


def test_every_number_agrees_with_the_recomputation(
    rows: dict[tuple[str, str, str], str], by_hand: Results
) -> None:
    found = {key: float(rows[key]) for key in by_hand}
    assert found == pytest.approx(by_hand, abs=1e-12)


def test_every_resource_is_accounted_for(rows: dict[tuple[str, str, str], str]) -> None:
    fates = {level: int(value) for (name, level, _), value in rows.items() if name == "quality.resources"}
    # The data set's own documentation counts about 152,000 resources.
    assert round(fates["landed"], -3) == 152_000
    assert fates["landed"] == sum(n for fate, n in fates.items() if fate != "landed")


def test_a_second_run_changes_no_number_while_others_read(folder: Path) -> None:
    before = (folder / "out/results.csv").read_bytes()
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(folder / "home/warehouse.duckdb")],
        stdin=subprocess.PIPE,
        text=True,
    )
    told = run(folder)
    reader.communicate("stop\n", timeout=60)
    assert reader.returncode == 0
    assert " 0 new" in told
    assert (folder / "out/results.csv").read_bytes() == before


def test_former_versions_stay_readable(folder: Path) -> None:
    versions = sorted((folder / "home/versions").glob("*.duckdb"))
    assert versions
    for version in versions:
        with duckdb.connect(str(version), read_only=True) as warehouse:
            counted = warehouse.execute("select count(*) from fhir.patient").fetchone()
        assert counted == (100,)


# Opens the warehouse anew and queries it, over and over, until it is told to stop; any error ends it with 1.
READER = """
import select, sys, duckdb
while not select.select([sys.stdin], [], [], 0.01)[0]:
    with duckdb.connect(sys.argv[1], read_only=True) as warehouse:
        assert warehouse.execute("select count(*) from clinical.person").fetchone() == (100,)
        assert warehouse.execute("select count(*) from fhir.observation").fetchone()[0] > 1000
"""
