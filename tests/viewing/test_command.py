"""`cove view` as a user runs it: output, messages, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

LINES = [
    '{"resourceType":"Patient","id":"a","gender":"male","name":[{"given":["=1+1","B, C"]}]}',
    '{"resourceType":"Patient","id":"b"}',
]
VIEW = {
    "resource": "Patient",
    "select": [{"column": [
        {"name": "id", "path": "id"},
        {"name": "is_male", "path": "gender = 'male'"},
        {"name": "first", "path": "name.given.first()"},
        {"name": "given", "path": "name.given", "collection": True},
    ]}],
}  # fmt: skip


def cove(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVE_")} | {
        "TMPDIR": str(folder / "tmp")
    }
    return subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", "view", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "view.json").write_text(json.dumps(VIEW))
    (tmp_path / "patients.ndjson").write_text("\n".join(LINES) + "\n")
    return tmp_path


def test_rows_go_to_a_pipe_as_csv_and_text_is_left_as_it_is(folder: Path) -> None:
    ended = cove(folder, "view.json", "patients.ndjson")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "id,is_male,first,given",
        'a,true,=1+1,"[""=1+1"",""B, C""]"',
        "b,,,[]",
    ]
    assert ended.stderr == "Patient: 2 mapped, 0 quarantined, 0 of other types\n"
    assert not list((folder / "tmp").iterdir())


def test_rows_go_to_a_file_of_each_kind(folder: Path) -> None:
    expected = [("a", True, "=1+1", ["=1+1", "B, C"]), ("b", None, None, [])]
    for name in ("o.parquet", "o.csv", "o.ndjson"):
        ended = cove(folder, "view.json", "patients.ndjson", "--out", name)
        assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert duckdb.read_parquet(str(folder / "o.parquet")).fetchall() == expected
    lines = [json.loads(line) for line in (folder / "o.ndjson").read_text().splitlines()]
    assert [tuple(line.values()) for line in lines] == expected
    assert (folder / "o.csv").read_text().splitlines()[0] == "id,is_male,first,given"
    assert sorted(p.name for p in folder.glob(".*")) == []


def test_bad_lines_are_exit_code_1_and_the_good_rows_are_there(folder: Path) -> None:
    (folder / "patients.ndjson").write_text(LINES[0] + "\nSECRET\n" + LINES[1] + "\n")
    ended = cove(folder, "view.json", "patients.ndjson", "--out", "o.csv")
    assert ended.returncode == 1
    assert "quarantined, not-json: 1 (patients.ndjson line 2)" in ended.stderr
    assert "SECRET" not in ended.stderr
    assert len((folder / "o.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["view.json", "no.ndjson"], "no.ndjson: there is no such file"),
        (["view.json", "no*.ndjson"], "no*.ndjson: no file has such a name"),
        (["no.json", "patients.ndjson"], "no.json: there is no such file"),
        (["view.json"], "FILES: name at least one file"),
        (["view.json", "patients.ndjson", "--out", "o.xlsx"], "--out o.xlsx: give the file one of the suffixes"),
        (["view.json", "patients.ndjson", "--out", "no/o.csv"], "--out no/o.csv: can't be written"),
        (["view.json", "patients.ndjson", "--out", "patients.ndjson"], "--out patients.ndjson: is also read"),
        (["view.json", "patients.ndjson", "--decimals", "some"], "--decimals some: use double or exact"),
        (["view.json", "patients.ndjson", "--fhir-version", "R3"], "--fhir-version R3: use R4, R4B or R5"),
        (["bad.json", "patients.ndjson"], "bad.json: select[0].column[0].path, column 6: "),
    ],
)  # fmt: skip
def test_wrong_input_is_one_line_and_exit_code_2(folder: Path, arguments: list[str], said: str) -> None:
    bad = {"resource": "Patient", "select": [{"column": [{"name": "x", "path": "name.givn"}]}]}
    (folder / "bad.json").write_text(json.dumps(bad))
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    ended = cove(folder, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith(said) and ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_former_file_stays_when_the_view_fails_over_the_data(folder: Path) -> None:
    of_one = {"resource": "Patient", "select": [{"column": [{"name": "x", "path": "name.given"}]}]}
    (folder / "one.json").write_text(json.dumps(of_one))
    (folder / "o.csv").write_text("former\n")
    ended = cove(folder, "one.json", "patients.ndjson", "--out", "o.csv")
    assert ended.returncode == 2
    assert "one.json: select[0].column[0].path gives more than one value" in ended.stderr
    assert (folder / "o.csv").read_text() == "former\n"


def test_explain_prints_sql_without_reading_a_file(folder: Path) -> None:
    ended = cove(folder, "view.json", "--explain")
    assert ended.returncode == 0
    assert "-- FHIR R4B." in ended.stdout and "-- FHIR R5." in ended.stdout
    only = cove(folder, "view.json", "no.ndjson", "--explain", "--fhir-version", "R5").stdout
    assert "-- FHIR R4B." not in only and "-- FHIR R5." in only
