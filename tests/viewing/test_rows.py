"""What a view gives over files of every kind: rows in hand-made tables."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.errors import UserError
from flows.sql_layout import laid_out
from flows.view_files import files_meant
from flows.view_query import ask_view, explain
from flows.viewing import Output, run_view

QUANTITY = "value.ofType(Quantity)"
COLUMNS = [("id", "id"), ("value", f"{QUANTITY}.value"), ("unit", f"{QUANTITY}.unit")]

Run = Callable[..., tuple[int, list[tuple[Any, ...]], list[str]]]


def view(resource: str, *columns: tuple[str, str], collection: tuple[str, ...] = ()) -> dict[str, Any]:
    made = [{"name": n, "path": p, "collection": n in collection} for n, p in columns]
    return {"resourceType": "ViewDefinition", "resource": resource, "select": [{"column": made}]}


def observation(identity: str, value: str = "1", **more: Any) -> str:
    """A line; the value is JSON text, so that a number is written digit for digit."""
    rest = {"status": "final", "code": {"text": "t"}, **more}
    start = (
        f'{{"resourceType":"Observation","id":"{identity}","valueQuantity":{{"value":{value},"unit":"g"}},'
    )
    return start + json.dumps(rest)[1:]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(
        definition: dict[str, Any], *files: Path, chunk_size: int = 1 << 20, **options: Any
    ) -> tuple[int, list[tuple[Any, ...]], list[str]]:
        (tmp_path / "view.json").write_text(json.dumps(definition))
        asked = ask_view(tmp_path / "view.json", **options)
        out, told = tmp_path / "out.parquet", []
        names = files_meant([str(file) for file in files])
        code = run_view(asked, names, Output(out, io.StringIO()), tell=told.append, chunk_size=chunk_size)
        return code, duckdb.read_parquet(str(out)).fetchall(), told

    return run


def put(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_lines_bundles_arrays_single_resources_and_archives_give_the_same_rows(
    run: Run, tmp_path: Path
) -> None:
    lines = [observation("a", "1.5"), observation("b", "2")]
    resources = [json.loads(line) for line in lines]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    plain = put(tmp_path / "plain.ndjson", *lines)
    packed = tmp_path / "packed.ndjson.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    zipped = tmp_path / "zipped.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("one.json", lines[0])
        archive.writestr("two.ndjson", lines[1])
    others = [
        put(tmp_path / "bundle.json", json.dumps(bundle, indent=2)),
        put(tmp_path / "lines-of-bundles.ndjson", json.dumps(bundle), json.dumps({"resourceType": "Basic"})),
        put(tmp_path / "array.json", json.dumps(resources)),
    ]
    expected = [("a", 1.5, "g"), ("b", 2.0, "g")]
    for file in (plain, packed, zipped, *others):
        assert run(view("Observation", *COLUMNS), file)[:2] == (0, expected), file.name
    one = put(tmp_path / "one.json", json.dumps(resources[0], indent=2))
    assert run(view("Observation", *COLUMNS), one)[1] == expected[:1]


def test_a_folder_a_pattern_and_a_repeated_name_mean_each_file_once(run: Run, tmp_path: Path) -> None:
    one = put(tmp_path / "in/deep/one.ndjson", observation("a"))
    put(tmp_path / "in/two.ndjson", observation("b"))
    put(tmp_path / "in/.hidden.ndjson", observation("c"))
    put(tmp_path / "in/notes.txt", "nothing")
    rows = run(view("Observation", ("id", "id")), tmp_path / "in", one, tmp_path / "in/*.ndjson")[1]
    assert sorted(rows) == [("a",), ("b",)]
    assert run(view("Observation", ("id", "id")), tmp_path / "in/**/one*")[1] == [("a",)]


def test_rows_keep_the_order_of_lines_through_many_chunks(run: Run, tmp_path: Path) -> None:
    file = put(tmp_path / "many.ndjson", *(observation(str(n), str(n)) for n in range(60_000)))
    rows = run(view("Observation", ("id", "id")), file, chunk_size=1 << 20)[1]
    assert rows == [(str(n),) for n in range(60_000)]


def test_an_empty_file_gives_no_rows_and_the_columns_of_the_view(run: Run, tmp_path: Path) -> None:
    definition = view("Observation", *COLUMNS, ("codes", "code.coding.code"), collection=("codes",))
    code, rows, _ = run(definition, put(tmp_path / "empty.ndjson"))
    assert (code, rows) == (0, [])
    out = duckdb.read_parquet(str(tmp_path / "out.parquet"))
    expected = [("id", "VARCHAR"), ("value", "DOUBLE"), ("unit", "VARCHAR"), ("codes", "VARCHAR[]")]
    assert list(zip(out.columns, map(str, out.types), strict=True)) == expected


@pytest.mark.parametrize("text", ["1.2345678901234567890123456780", "1E3", "0.10", "185", "-0.000", "1e-400"])
def test_exact_decimals_are_the_text_that_was_written(run: Run, tmp_path: Path, text: str) -> None:
    code, rows, told = run(
        view(
            "Observation", ("value", f"{QUANTITY}.value"), ("all", f"{QUANTITY}.value"), collection=("all",)
        ),
        put(tmp_path / "o.ndjson", observation("a", text)),
        decimals="exact",
    )
    assert (code, rows) == (0, [(text, [text])])
    assert told == ["Observation: 1 mapped, 0 quarantined, 0 of other types"]


def test_exact_decimals_within_components_leave_other_numbers_and_texts_alone(
    run: Run, tmp_path: Path
) -> None:
    component = (
        '[{"code":{"text":"2.50"},"valueQuantity":{"value":2.50}},{"code":{"text":"i"},"valueInteger":7}]'
    )
    line = observation("a").replace('"status"', f'"component":{component},"status"')
    definition = view(
        "Observation",
        ("value", "component.value.ofType(Quantity).value.first()"),
        ("integer", "component.value.ofType(integer).first()"),
        ("text", "component.code.text.first()"),
    )
    file = put(tmp_path / "o.ndjson", line)
    assert run(definition, file, decimals="exact")[1] == [("2.50", 7, "2.50")]


def test_a_number_that_needs_more_than_a_double_is_told_of(run: Run, tmp_path: Path) -> None:
    file = put(tmp_path / "o.ndjson", observation("a", "1.23456789012345678"))
    code, rows, told = run(view("Observation", *COLUMNS), file)
    assert (code, rows[0][1]) == (0, 1.23456789012345678)
    assert told[1] == f"finding, number-precision: 1 ({file} line 1)"


def test_bad_lines_are_told_by_rule_and_place_and_never_by_value(run: Run, tmp_path: Path) -> None:
    file = put(
        tmp_path / "o.ndjson",
        observation("a"),
        "SECRET{",
        observation("b").replace('"id":"b"', '"id":"SECRET","id":"b"'),
        "",
        observation("c").replace('"unit":"g"', '"unit":["SECRET"]'),
        '{"resourceType":"Patient","id":"p"}',
        observation("d", '"SECRET"'),
    )
    code, rows, told = run(view("Observation", *COLUMNS), file)
    assert (code, rows) == (1, [("a", 1.0, "g")])
    assert told == [
        "Observation: 1 mapped, 4 quarantined, 1 of other types",
        f"quarantined, not-json: 1 ({file} line 2)",
        f"quarantined, type:Observation.valueQuantity.unit: 1 ({file} line 5)",
        f"quarantined, type:Observation.valueQuantity.value: 1 ({file} line 7)",
        f"quarantined, unreadable: 1 ({file} line 3)",
    ]


def test_an_object_with_the_same_key_twice_is_refused_with_exact_decimals_too(
    run: Run, tmp_path: Path
) -> None:
    twice = observation("b").replace('"value":1', '"value":1,"value":2')
    file = put(tmp_path / "o.ndjson", observation("a"), twice)
    code, rows, told = run(view("Observation", ("id", "id")), file, decimals="exact")
    assert (code, rows) == (0, [("a",), ("b",)])  # the view reads no decimal, and no number twice
    code, rows, told = run(view("Observation", *COLUMNS), file, decimals="exact")
    assert (code, rows) == (1, [("a", "1", "g")])
    assert told[1] == f"quarantined, unreadable: 1 ({file} line 2)"


def test_only_the_first_places_of_a_rule_are_named(run: Run, tmp_path: Path) -> None:
    file = put(tmp_path / "o.ndjson", *(["{"] * 7), observation("a"))
    told = run(view("Observation", ("id", "id")), file)[2]
    assert told[1].startswith("quarantined, not-json: 7 (") and told[1].endswith("; and 2 more)")


def test_each_resource_is_read_in_its_own_fhir_version(run: Run, tmp_path: Path) -> None:
    start = '{"resourceType":"MedicationRequest","id":"%s","status":"active","intent":"order",'
    subject = '"subject":{"reference":"Patient/1"}}'
    r4 = start % "r4" + '"medicationCodeableConcept":{"text":"x"},' + subject
    r5 = start % "r5" + '"medication":{"concept":{"text":"y"}},' + subject
    file = put(tmp_path / "m.ndjson", r5, r4)
    definition = view(
        "MedicationRequest",
        ("id", "id"),
        ("r4", "medication.ofType(CodeableConcept).text"),
        ("r5", "medication.concept.text"),
    )
    assert sorted(run(definition, file)[1]) == [("r4", "x", None), ("r5", None, "y")]
    code, rows, _ = run(view("MedicationRequest", ("id", "id")), file, fhir_version="R4")
    assert (code, rows) == (0, [("r5",), ("r4",)])


def test_a_reference_by_a_bundles_urn_has_the_key_of_the_resource_it_means(run: Run, tmp_path: Path) -> None:
    def entry(number: int, **resource: Any) -> dict[str, Any]:
        return {"fullUrl": f"urn:uuid:0000000{number}-0000-4000-8000-000000000000", "resource": resource}

    urn = entry(1)["fullUrl"]
    other_case = f"urn:uuid:{urn[9:].upper()}"
    seen = {"status": "final", "code": {"text": "t"}}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            entry(2, resourceType="Observation", id="o", subject={"reference": other_case},
                  performer=[{"reference": "Practitioner/9"}, {"reference": urn}], **seen),
            entry(1, resourceType="Patient", id="p"),
            entry(3, resourceType="Observation", subject={"reference": "urn:uuid:unknown"}, **seen),
        ],
    }  # fmt: skip
    definition = view(
        "Observation",
        ("key", "getResourceKey()"),
        ("patient", "subject.getReferenceKey(Patient)"),
        ("device", "subject.getReferenceKey(Device)"),
        ("performers", "performer.getReferenceKey()"),
        ("as_written", "subject.reference"),
        collection=("performers",),
    )
    rows = run(definition, put(tmp_path / "b.json", json.dumps(bundle)))[1]
    assert rows == [
        ("Observation/o", "Patient/p", None, ["Practitioner/9", "Patient/p"], other_case),
        (f"Observation/{entry(3)['fullUrl']}", *["urn:uuid:unknown"] * 2, [], "urn:uuid:unknown"),
    ]
    patients = run(view("Patient", ("key", "getResourceKey()")), tmp_path / "b.json")[1]
    assert patients == [("Patient/p",)]


def test_several_values_for_one_column_end_the_run_with_the_place_in_the_view(
    run: Run, tmp_path: Path
) -> None:
    two = observation("b", code={"coding": [{"code": "SECRET"}, {"code": "y"}]})
    file = put(tmp_path / "o.ndjson", observation("a"), two)
    with pytest.raises(UserError) as error:
        run(view("Observation", ("id", "id"), ("code", "code.coding.code")), file)
    assert "view.json: select[0].column[1].path gives more than one value" in str(error.value)
    assert str(error.value).endswith(f"({file} line 2)")
    assert "SECRET" not in str(error.value)
    assert not (tmp_path / "out.parquet").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_type_that_only_one_fhir_version_has_is_read_in_that_version(run: Run, tmp_path: Path) -> None:
    file = put(tmp_path / "t.ndjson", '{"resourceType":"Transport","id":"t","intent":"order",'
               '"requestedLocation":{"display":"a"},"currentLocation":{"display":"b"}}')  # fmt: skip
    assert run(view("Transport", ("id", "id")), file)[1] == [("t",)]
    with pytest.raises(UserError, match="Transport"):
        run(view("Transport", ("id", "id")), file, fhir_version="R4B")


def test_explained_sql_has_a_statement_for_each_version_and_keeps_texts(tmp_path: Path) -> None:
    definition = view("Patient", ("id", "id"), ("is_it", "gender = 'a,  (select\\n\\n  from) b'"))
    (tmp_path / "view.json").write_text(json.dumps(definition))
    sql = explain(ask_view(tmp_path / "view.json"))
    assert [line[:12] for line in sql.splitlines() if line.startswith("-- FHIR")] == [
        "-- FHIR R4B.",
        "-- FHIR R5. ",
    ]
    assert "'a,  (select\n\n  from) b'" in sql


def test_a_laid_out_query_gives_the_rows_of_the_query() -> None:
    query = "select a, 'x,  y' as b from (select unnest([1, 2]) as a from (select 1)) where a in (1, 2)"
    assert duckdb.sql(laid_out(query)).fetchall() == duckdb.sql(query).fetchall()
    assert laid_out(query).splitlines()[:3] == ["select", "    a,", "    'x,  y' as b"]
