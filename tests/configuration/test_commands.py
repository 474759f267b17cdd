"""The commands with a configuration: which one is used, what is refused, and what it does."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.configuration.configured import FILES, written

COVE = Path(sys.executable).with_name("cove")
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "2010-05-01"}
DOSE = {
    "resourceType": "MedicationAdministration", "id": "dose", "status": "completed",
    "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2024-03-01T20:00:00Z",
    "medicationCodeableConcept": {"coding": [{"system": "urn:drug", "code": "CLO"}]},
}  # fmt: skip


def cove(folder: Path, *words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVE_")}
    return subprocess.run(
        [COVE, *words], cwd=folder, env={**kept, **environ}, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip


def dropped(folder: Path, lines: str = "settle = 0\n") -> Path:
    """A configuration of a drop folder with a patient and a dose."""
    (folder / "drop").mkdir()
    text = "".join(json.dumps(one) + "\n" for one in (PATIENT, DOSE))
    (folder / "drop" / "all.ndjson").write_text(text)
    return written(folder, f'home = "home"\n{FILES}{lines}')


def refused(done: subprocess.CompletedProcess[str], said: str) -> None:
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_run_takes_its_data_from_one_place(tmp_path: Path) -> None:
    dropped(tmp_path)
    done = cove(tmp_path, "run", "clofarabine", "--config", "cove.toml", "--files", "drop")
    refused(done, "--config and --files are both given")
    assert not (tmp_path / "home").exists()


def test_every_error_of_the_file_is_a_line(tmp_path: Path) -> None:
    written(tmp_path, '[[site]]\nname = "a"\nsource = "bluk"\n[publsh]\n')
    done = cove(tmp_path, "pull")
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "cove.toml line 3",
        "cove.toml line 4",
    ]


def test_a_pull_needs_a_configuration_with_a_site(tmp_path: Path) -> None:
    refused(cove(tmp_path, "pull"), "cove.toml: there is no such file")
    written(tmp_path, 'home = "home"\n')
    refused(cove(tmp_path, "pull"), "has no site to pull from")


def test_a_home_in_a_drop_folder_is_refused(tmp_path: Path) -> None:
    dropped(tmp_path)
    refused(cove(tmp_path, "pull", "--home", "drop/home"), "lie in one another")


def test_init_writes_a_file_for_its_owner_and_never_over_one(tmp_path: Path) -> None:
    done = cove(tmp_path, "init", "--config", "mine.toml")
    assert done.returncode == 0
    assert stat.S_IMODE((tmp_path / "mine.toml").stat().st_mode) == 0o600
    refused(cove(tmp_path, "init", COVE_CONFIG="mine.toml"), "is there already")


@pytest.mark.slow
def test_a_run_by_configuration_pulls_dates_and_maps(tmp_path: Path) -> None:
    lines = 'settle = 0\ntimezone = "Asia/Seoul"\nmaps = "maps"\n[publish]\nkeep = 1\n'
    dropped(tmp_path, lines)
    (tmp_path / "maps").mkdir()
    header = "source_system,source_code,target_system,target_code"
    (tmp_path / "maps" / "drug.csv").write_text(f"{header}\nurn:drug,CLO,http://www.whocc.no/atc,L01BB06\n")
    assert cove(tmp_path, "run", "clofarabine").returncode == 0
    query = "select concept, exposed_on from clinical.drug_exposure"
    assert cove(tmp_path, "sql", query).stdout == "concept,exposed_on\nclofarabine,2024-03-02\n"
    manifest = json.loads((tmp_path / "cove-report" / "manifest.json").read_text())
    assert manifest["time_zones"] == {"a": "Asia/Seoul"}
    # The home is enough for the same days again; and one version was to be kept.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home = str(tmp_path / "home")
    assert cove(elsewhere, "build", "clofarabine", COVE_HOME=home).returncode == 0
    assert cove(elsewhere, "sql", query, "--home", home).stdout.endswith("clofarabine,2024-03-02\n")
    assert cove(tmp_path, "report", "clofarabine", "--config", "cove.toml").returncode == 0
    assert len(list((tmp_path / "home" / "versions").iterdir())) == 1


@pytest.mark.slow
def test_prefect_keeps_no_secret(tmp_path: Path) -> None:
    rest = (
        '[[site]]\nname = "b"\nsource = "rest"\nurl = "http://127.0.0.1:9/fhir"\nauth = "bearer"\n'
        'token = "env:TOKEN_OF_B"\ntypes = ["Patient"]\nretry.attempts = 1\nretry.wait = 0\n'
    )
    dropped(tmp_path, f"settle = 0\n{rest}")
    prefect = tmp_path / "prefect"
    done = cove(
        tmp_path, "run", "clofarabine", "--prefect", TOKEN_OF_B="hunter2hunter2", PREFECT_HOME=str(prefect)
    )
    # The one site can't be reached, the other is reported all the same.
    assert done.returncode == 3, done.stderr
    assert "b" in next(line for line in done.stderr.splitlines() if line.startswith("failed: "))
    assert (tmp_path / "cove-report" / "report.html").is_file()
    assert "hunter2" not in done.stderr + done.stdout
    kept = [
        file for place in (prefect, tmp_path / "home", tmp_path / "cove-report") for file in place.rglob("*")
    ]
    for file in kept:
        if file.is_file():
            assert b"hunter2hunter2" not in file.read_bytes(), file


def test_a_first_night_on_which_every_site_fails_ends_with_3_and_no_report(tmp_path: Path) -> None:
    written(
        tmp_path,
        '[[site]]\nname = "b"\nsource = "rest"\nurl = "http://127.0.0.1:9/fhir"\ntypes = ["Patient"]\n'
        "retry = { attempts = 1, wait = 0, longest = 1 }\n",
    )
    done = cove(tmp_path, "run", "clofarabine")
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1].startswith("b: ")
    assert not (tmp_path / "cove-report").exists()


def test_a_flag_wins_over_the_environment(tmp_path: Path) -> None:
    dropped(tmp_path)
    (tmp_path / "other.toml").write_text("[publsh]\n")
    assert cove(tmp_path, "pull", COVE_CONFIG="other.toml").returncode == 2
    assert cove(tmp_path, "pull", "--config", "cove.toml", COVE_CONFIG="other.toml").returncode == 0
    done = cove(tmp_path, "pull", "--home", "elsewhere", COVE_HOME="nowhere")
    assert done.returncode == 0
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"drop", "home", "elsewhere"}
