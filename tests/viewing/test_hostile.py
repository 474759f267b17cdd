"""What `cove view` does with data and surroundings that are against it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.errors import SourceError, UserError
from flows.view_files import files_meant
from flows.view_query import ask_view
from flows.viewing import Output, run_view

ITEMS = {
    "resource": "QuestionnaireResponse",
    "select": [
        {
            "repeat": ["item", "answer.item"],
            "column": [
                {"name": "link", "path": "linkId"},
                {"name": "decimal", "path": "answer.value.ofType(decimal).first()"},
                {"name": "boolean", "path": "answer.value.ofType(boolean).first()"},
                {"name": "integer", "path": "answer.value.ofType(integer).first()"},
            ],
        }
    ],
}
PATIENTS = {"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}]}]}


def rows_of(
    folder: Path, view: dict[str, Any], *lines: str, **options: Any
) -> tuple[int, list[Any], list[str]]:
    (folder / "view.json").write_text(json.dumps(view))
    (folder / "in.ndjson").write_text("".join(f"{line}\n" for line in lines))
    told: list[str] = []
    asked = ask_view(folder / "view.json", **options)
    files = files_meant([str(folder / "in.ndjson")])
    code = run_view(asked, files, Output(folder / "out.parquet", sys.stdout), tell=told.append)
    return code, duckdb.read_parquet(str(folder / "out.parquet")).fetchall(), told


def form(*items: str) -> str:
    listed = ",".join(items)
    return f'{{"resourceType":"QuestionnaireResponse","id":"q","status":"completed","item":[{listed}]}}'


WRONG_ITEMS = [
    ('{"linkId":7}', "type:QuestionnaireResponse.item.linkId"),
    ('{"linkId":"1","item":[{"linkId":7}]}', "type:QuestionnaireResponse.item.item.linkId"),
    ('{"linkId":"1","item":"x"}', "type:QuestionnaireResponse.item.item"),
    ('{"linkId":"1","item":{"linkId":"2"}}', "type:QuestionnaireResponse.item.item"),
    ('{"linkId":"1","item":[null]}', "type:QuestionnaireResponse.item.item"),
    ('{"linkId":"1","answer":{"valueDecimal":1}}', "type:QuestionnaireResponse.item.answer"),
    (
        '{"linkId":"1","answer":[{"valueDecimal":"1.5"}]}',
        "type:QuestionnaireResponse.item.answer.valueDecimal",
    ),
    (
        '{"linkId":"1","answer":[{"valueDecimal":1e400}]}',
        "type:QuestionnaireResponse.item.answer.valueDecimal",
    ),
    (
        '{"linkId":"1","answer":[{"item":[{"linkId":"2","answer":[{"valueBoolean":"true"}]}]}]}',
        "type:QuestionnaireResponse.item.answer.item.answer.valueBoolean",
    ),
    (
        '{"linkId":"1","item":[{"linkId":"2","answer":[{"valueInteger":1.5}]}]}',
        "type:QuestionnaireResponse.item.item.answer.valueInteger",
    ),
    ('{"linkId":"1","linkId":"2"}', "unreadable"),
    ('{"linkId":"1","item":[{"linkId":"3","answer":[{"valueInteger":1,"valueInteger":2}]}]}', "unreadable"),
    ('{"linkId":"0"' + ',"item":[{"linkId":"1"' * 70 + "}]" * 70 + "}", "unreadable"),
]


@pytest.mark.parametrize(("item", "rule"), WRONG_ITEMS)
def test_a_fault_below_a_repeat_costs_its_resource_and_no_neighbour(
    item: str, rule: str, tmp_path: Path
) -> None:
    whole = form('{"linkId":"a","answer":[{"valueInteger":4e1}]}')
    code, rows, told = rows_of(tmp_path, ITEMS, whole, form(item), whole)
    assert (code, rows) == (1, [("a", None, None, 40)] * 2)
    assert told[1:] == [f"quarantined, {rule}: 1 ({tmp_path}/in.ndjson line 2)"]


def test_a_fault_beside_what_a_repeat_reads_is_a_finding(tmp_path: Path) -> None:
    code, rows, told = rows_of(tmp_path, ITEMS, form('{"linkId":"a","item":[{"linkId":"b","text":7}]}'))
    assert (code, [row[0] for row in rows]) == (0, ["a", "b"])
    assert told[1].startswith("finding, type:QuestionnaireResponse.item.item.text: 1 (")


def test_exact_decimals_below_a_repeat_are_the_text_that_was_written(tmp_path: Path) -> None:
    line = form(
        '{"linkId":"a","answer":[{"valueDecimal":1.2345678901234567890123456780}],"item":[{"linkId":"b","answer":'
        '[{"valueDecimal":0.10,"item":[{"linkId":"c","answer":[{"valueDecimal":1E+2}]}]}]}]}'
    )
    rows = rows_of(tmp_path, ITEMS, line, decimals="exact")[1]
    assert [row[:2] for row in rows] == [
        ("a", "1.2345678901234567890123456780"),
        ("b", "0.10"),
        ("c", "1E+2"),
    ]


def test_a_line_without_a_type_is_no_resource_of_the_type_asked_for(tmp_path: Path) -> None:
    code, rows, told = rows_of(tmp_path, PATIENTS, '{"id":"a"}', '{"resourceType":"Patient","id":"b"}')
    assert (code, rows) == (1, [("b",)])
    assert told[1] == f"quarantined, not-a-resource: 1 ({tmp_path}/in.ndjson line 1)"


@pytest.mark.parametrize("depth", [100, 300, 400, 900, 3000, 100_000])
def test_extensions_within_extensions_are_read_or_too_deep(depth: int, tmp_path: Path) -> None:
    """The innermost is of the wrong type, so that the line has to be walked."""
    deep = '{"url":"y","extension":[' * depth + '{"url":7}' + "]}" * depth
    lines = [f'{{"resourceType":"Patient","id":"{n}"}}' for n in "ac"]
    lines.insert(1, f'{{"resourceType":"Patient","id":"b","extension":[{deep}]}}')
    code, rows, told = rows_of(tmp_path, PATIENTS, *lines)
    if code:
        assert (rows, told[1]) == (
            [("a",), ("c",)],
            f"quarantined, too-deep: 1 ({tmp_path}/in.ndjson line 2)",
        )
    else:
        assert rows == [("a",), ("b",), ("c",)] and told[1].startswith("finding, type:Patient.extension.")
        assert len(told[1]) < 300


def test_a_number_beyond_a_double_in_what_no_view_reads_is_no_fault_of_the_resource(tmp_path: Path) -> None:
    tag = '"meta":{"profile":[-1e400]}'
    lines = [f'{{"resourceType":"Patient","id":"a",{tag}}}', f'{{"resourceType":"Basic","id":"b",{tag}}}']
    code, rows, told = rows_of(tmp_path, PATIENTS, *lines)
    assert (code, rows) == (0, [("a",)])
    assert told[0] == "Patient: 1 mapped, 0 quarantined, 1 of other types"
    assert told[1].startswith("finding, type:Patient.meta.profile: 1 (")


def test_a_query_that_the_database_refuses_is_the_view_s_fault_and_no_line_s(tmp_path: Path) -> None:
    view = {"resource": "Patient", "select": [{"column": [{"name": "x", "path": "id.matches('(')"}]}]}
    with pytest.raises(UserError) as error:
        rows_of(tmp_path, view, '{"resourceType":"Patient","id":"a"}')
    assert str(error.value).startswith(f"{tmp_path}/view.json: DuckDB refuses the query: missing ): (")
    assert "select" not in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "out.parquet").exists()


SPELLINGS = [
    ("-0", 0.0), ("-0.0", -0.0), ("1E+2", 100.0), ("1e2", 100.0), ("0.1000", 0.1), ("1e-400", 0.0), ("5e-324", 5e-324),
    ("1.7976931348623157e308", 1.7976931348623157e308), ("9007199254740993", 9007199254740992.0),
    ("0.1234567890123456789012345678", 0.12345678901234568), ("123456789012345678901234567890", 1.2345678901234568e29),
    ("2.2250738585072011e-308", 2.2250738585072011e-308), ("8.5", 8.5), ("0.30000000000000004", 0.30000000000000004),
]  # fmt: skip


@pytest.mark.parametrize(("written", "value"), SPELLINGS)
def test_each_spelling_of_a_number_is_the_nearest_double_or_its_text(
    written: str, value: float, tmp_path: Path
) -> None:
    path = "value.ofType(Quantity).value"
    view = {"resource": "Observation", "select": [{"column": [{"name": "x", "path": path}]}]}
    line = (
        f'{{"resourceType":"Observation","status":"final","code":{{}},"valueQuantity":{{"value":{written}}}}}'
    )
    [(found,)] = rows_of(tmp_path, view, line)[1]
    assert repr(found) == repr(value)
    assert rows_of(tmp_path, view, line, decimals="exact")[1] == [(written,)]


@pytest.mark.parametrize(
    "written", ["NaN", "Infinity", "-Infinity", "1e400", "01", "1.", ".5", "+1", "0x10", '"1"']
)
@pytest.mark.parametrize("decimals", ["double", "exact"])
def test_what_is_no_number_that_a_double_holds_costs_the_resource(
    written: str, decimals: str, tmp_path: Path
) -> None:
    path = "value.ofType(Quantity).value"
    view = {"resource": "Observation", "select": [{"column": [{"name": "x", "path": path}]}]}
    line = (
        f'{{"resourceType":"Observation","status":"final","code":{{}},"valueQuantity":{{"value":{written}}}}}'
    )
    code, rows, _ = rows_of(tmp_path, view, line, decimals=decimals)
    assert (code, rows) == (1, [])


REFERENCES = [
    ('{"reference":"Patient/a"}', "Patient/a"),
    ('{"reference":"Patient/a/_history/3"}', "Patient/a"),
    ('{"reference":"https://h.example/fhir/Patient/a"}', "Patient/a"),
    ('{"reference":"https://h.example/fhir/Patient/a/_history/3"}', "Patient/a"),
    ('{"reference":"#"}', "Observation/o"),
    ('{"reference":"#x"}', "Observation/o#x"),
    (
        '{"reference":"urn:uuid:0D7E7B8C-AAAA-4000-8000-000000000000"}',
        "urn:uuid:0d7e7b8c-aaaa-4000-8000-000000000000",
    ),
    ('{"reference":"urn:oid:1.2.3"}', "urn:oid:1.2.3"),
    ('{"display":"nobody"}', None),
]


@pytest.mark.parametrize(("reference", "key"), REFERENCES)
def test_a_reference_has_the_key_of_what_it_means(reference: str, key: str | None, tmp_path: Path) -> None:
    column = {"name": "x", "path": "subject.getReferenceKey()"}
    view = {"resource": "Observation", "select": [{"column": [column]}]}
    line = f'{{"resourceType":"Observation","id":"o","status":"final","code":{{}},"subject":{reference}}}'
    assert rows_of(tmp_path, view, line)[1] == [(key,)]
    if key == "Patient/a":
        own = {"resource": "Patient", "select": [{"column": [{"name": "x", "path": "getResourceKey()"}]}]}
        assert rows_of(tmp_path, own, '{"resourceType":"Patient","id":"a"}')[1] == [(key,)]


def start(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    (folder / "tmp").mkdir(exist_ok=True)
    command = [sys.executable, "-c", "from flows.cli import main; main()", "view", *arguments]
    environment = {**os.environ, "TMPDIR": str(folder / "tmp")}
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, **options)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    (tmp_path / "view.json").write_text(json.dumps(PATIENTS))
    lines = (f'{{"resourceType":"Patient","id":"p{n}"}}\n' for n in range(600_000))
    (tmp_path / "in.ndjson").write_text("".join(lines))
    return tmp_path


def test_a_full_disk_is_exit_code_3_and_one_line(many: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start(many, "view.json", "in.ndjson", stdout=full)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 3
    assert errors.decode().startswith("the rows can't be written (") and errors.count(b"\n") == 1
    assert not list((many / "tmp").iterdir())


def test_a_reader_that_closes_the_pipe_ends_it_quietly(many: Path) -> None:
    process = start(many, "view.json", "in.ndjson", stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == b"id\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=120) == 128 + signal.SIGPIPE
    assert not list((many / "tmp").iterdir())


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_nothing_behind(many: Path, sent: signal.Signals, code: int) -> None:
    process = start(many, "view.json", "in.ndjson", "--out", "o.csv", stdout=subprocess.DEVNULL)
    while not list(many.glob(".o.csv*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == code
    assert b"Traceback" not in errors
    assert not list((many / "tmp").iterdir()) and not list(many.glob("*o.csv*"))


def test_rows_that_can_t_be_put_aside_are_an_error_of_the_disk(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="the rows can't be written"):
        rows_of(tmp_path, PATIENTS, '{"resourceType":"Patient","id":"a"}')
