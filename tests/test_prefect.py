"""The steps as a Prefect flow: the same results as without, and nothing of the data in Prefect's records."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

COVE = Path(sys.executable).with_name("cove")


def run(folder: Path, *options: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`cove run` on the folder's files, by one home for both runs, so that pseudonyms agree."""
    return subprocess.run(
        [COVE, "run", "clofarabine", "--files", folder / "files", "--home", home, *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def hospitals(tmp_path: Path) -> Path:
    from demo.hospitals import write_hospitals

    write_hospitals(tmp_path / "files")
    return tmp_path


@pytest.mark.slow
def test_a_flow_gives_the_same_results_as_the_plain_run(hospitals: Path) -> None:
    home = hospitals / "home"
    plain = run(hospitals, "--out", str(hospitals / "plain"), home=home)
    prefect = hospitals / "prefect"
    flow = run(hospitals, "--out", str(hospitals / "flow"), "--prefect", home=home, PREFECT_HOME=str(prefect))
    assert plain.returncode == flow.returncode == 0, flow.stderr
    assert (hospitals / "plain/results.csv").read_bytes() == (hospitals / "flow/results.csv").read_bytes()
    with sqlite3.connect(next(prefect.glob("*.db"))) as records:
        names = {name for (name,) in records.execute("select name from task_run")}
    steps = {"land", "load", "build", "analyse", "report"}
    assert {name.split("-")[0] for name in names} == steps


@pytest.mark.slow
def test_a_defect_in_a_flow_leaves_no_value_in_the_records(hospitals: Path) -> None:
    home = hospitals / "home"
    assert run(hospitals, "--out", str(hospitals / "out"), home=home).returncode == 0
    # A broken Parquet is a defect of ours to the steps that follow; the reader's message would tell of it.
    for parquet in (home / "fhir" / "patient").rglob("*.parquet"):
        parquet.write_bytes(b"secret-of-a-patient")
    prefect = hospitals / "prefect"
    flow = run(hospitals, "--out", str(hospitals / "out"), "--prefect", home=home, PREFECT_HOME=str(prefect))
    assert flow.returncode == 4
    assert "Traceback" not in flow.stderr
    for file in prefect.rglob("*"):
        if file.is_file():
            assert b"secret-of-a-patient" not in file.read_bytes()
    shutil.rmtree(prefect)
