"""The command line with wrong input: one clear line, exit code 2, nothing half-written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COVE = Path(sys.executable).with_name("cove")
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "2010-05-01"}
STUDIES = Path(__file__).parent.parent / "studies"


def cove(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it, in a folder of its own."""
    return subprocess.run([COVE, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "patients.ndjson").write_text(json.dumps(PATIENT) + "\n")
    return folder


def assert_refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert all(text in lines[0] for text in said), lines[0]


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_missing_folder_of_files_is_refused(tmp_path: Path) -> None:
    done = cove("run", "clofarabine", "--files", "nowhere", cwd=tmp_path)
    assert_refused(done, "nowhere", "no such folder")
    assert entries(tmp_path) == set()


def test_an_empty_folder_of_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    assert_refused(cove("run", "clofarabine", "--files", "files", cwd=tmp_path), "empty")
    assert entries(tmp_path) == {"files"}


def test_a_study_that_is_not_known_is_refused_and_the_nearest_is_named(tmp_path: Path, files: Path) -> None:
    assert_refused(cove("run", "clofarabin", "--files", files, cwd=tmp_path), "clofarabin", "clofarabine")
    assert entries(tmp_path) == {"files"}


def test_an_unknown_key_in_a_protocol_is_refused_with_its_line(tmp_path: Path, files: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(STUDIES / "mimic_vancomycin", study)
    protocol = study / "protocol.yaml"
    text = protocol.read_text().replace("early_days:", "erly_days:")
    protocol.write_text(text)
    line = 1 + text[: text.index("erly_days:")].count("\n")
    done = cove("run", study, "--files", files, cwd=tmp_path)
    assert done.returncode == 2
    first = done.stderr.splitlines()[0]
    assert f"protocol.yaml line {line}" in first
    assert "erly_days" in first and "early_days" in first
    assert entries(tmp_path) == {"files", "study"}


@pytest.mark.parametrize(
    ("option", "value"),
    [("--data-cutoff", "2020-02-30"), ("--data-cutoff", "soon"), ("--as-of", "2020-01-01T00:00:00")],
)
def test_a_date_that_is_none_is_refused(tmp_path: Path, files: Path, option: str, value: str) -> None:
    assert_refused(cove("run", "clofarabine", "--files", files, option, value, cwd=tmp_path), option, value)
    assert entries(tmp_path) == {"files"}


def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path, files: Path) -> None:
    assert_refused(
        cove("run", "clofarabine", "--files", files, "--out", "/proc/report", cwd=tmp_path), "--out"
    )
    (tmp_path / "file").touch()
    assert_refused(cove("run", "clofarabine", "--files", files, "--out", "file/x", cwd=tmp_path), "--out")
    assert entries(tmp_path) == {"files", "file"}


def test_a_home_inside_the_report_is_refused(tmp_path: Path, files: Path) -> None:
    done = cove("run", "clofarabine", "--files", files, "--out", "out", "--home", "out/home", cwd=tmp_path)
    assert_refused(done, "--home", "--out")
    assert entries(tmp_path) == {"files"}


def test_a_folder_that_is_no_report_is_never_replaced(tmp_path: Path, files: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert_refused(cove("run", "clofarabine", "--files", files, "--out", "mine", cwd=tmp_path), "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_site_name_with_a_leading_dot_or_strange_sign_is_refused(tmp_path: Path, files: Path) -> None:
    (tmp_path / "sites" / "a;b").mkdir(parents=True)
    shutil.copy(files / "patients.ndjson", tmp_path / "sites" / "a;b")
    assert_refused(cove("run", "clofarabine", "--files", "sites", cwd=tmp_path), "a;b", "name")


def test_a_run_of_a_home_where_nothing_landed_is_refused(tmp_path: Path) -> None:
    assert_refused(cove("run", "clofarabine", cwd=tmp_path), "nothing has landed")


def test_a_study_with_nobody_treated_gives_a_report_with_empty_values(tmp_path: Path, files: Path) -> None:
    done = cove("run", "clofarabine", "--files", files, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results = (tmp_path / "cove-report" / "results.csv").read_text()
    assert "attrition,treated,all,known,n,1,1,\n" in results
    assert "attrition,treated,all,treated,n,0,0,\n" in results
    assert "nan" not in results.lower().replace("covenant", "")
    assert (tmp_path / "cove-report" / "report.html").exists()


def test_broken_files_are_quarantined_and_the_rest_is_reported(tmp_path: Path, files: Path) -> None:
    other = json.dumps({**PATIENT, "id": "p2"})
    wrong = json.dumps({**PATIENT, "id": "p3", "birthDate": 12})
    (files / "more.ndjson").write_text(f'{other}\n{{"resourceType": "Pat\n{wrong}\n{other[:30]}')
    (files / "login.ndjson").write_text("<html>\n<body>please log in</body>\n</html>\n")
    done = cove("run", "clofarabine", "--files", files, cwd=tmp_path)
    # Four of six are beyond the protocol's limit of 5%.
    assert done.returncode == 1
    assert "quarantined" in done.stderr
    results = (tmp_path / "cove-report" / "results.csv").read_text()
    for fate, count in {"landed": 6, "mapped": 2, "quarantined": 4, "superseded": 0}.items():
        assert f"quality.resources,treated,all,{fate},n,{count},{count},\n" in results
    assert "please log in" not in done.stderr + done.stdout + results


def test_the_same_command_twice_lands_nothing_anew(tmp_path: Path, files: Path) -> None:
    first = cove("run", "clofarabine", "--files", files, cwd=tmp_path)
    results = (tmp_path / "cove-report" / "results.csv").read_bytes()
    landed = sorted(path.name for path in (tmp_path / "cove-home" / "landing" / "site").iterdir())
    second = cove("run", "clofarabine", "--files", files, cwd=tmp_path)
    assert first.returncode == second.returncode == 0
    assert "0 new" in second.stderr
    assert (tmp_path / "cove-report" / "results.csv").read_bytes() == results
    assert sorted(path.name for path in (tmp_path / "cove-home" / "landing" / "site").iterdir()) == landed


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_command_without_a_standard_stream_has_the_same_exit_code(tmp_path: Path, closed: str) -> None:
    wanted = {"--help": 0, "run clofarabine --files nowhere": 2}
    command = f'"$0" $1 {closed}'  # a shell closes them, as some schedulers do
    codes = {
        arguments: subprocess.run(
            ["sh", "-c", command, COVE, arguments], cwd=tmp_path, capture_output=True, check=False
        ).returncode
        for arguments in wanted
    }
    assert codes == wanted
    assert entries(tmp_path) == set()


def test_help_answers_for_every_command(tmp_path: Path) -> None:
    listed = cove("--help", cwd=tmp_path)
    assert listed.returncode == 0
    for command in ("demo", "run", "load", "build", "report", "check", "trace", "sql"):
        assert command in listed.stdout
        assert cove(command, "--help", cwd=tmp_path).returncode == 0
