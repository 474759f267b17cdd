"""One view serves R4, R4B and R5: a path that one version lacks is empty there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mappers.compiler import CompiledView, compile_view
from mappers.references import install_macros
from mappers.view import ViewError, read_view, view_from

VIEWS = sorted((Path(__file__).parents[2] / "mappers" / "views").glob("*.json"))


def rows(compiled: CompiledView, resource: dict[str, Any], folder: Path) -> list[tuple]:
    (folder / "r.ndjson").write_text(json.dumps({"resource": resource}))
    relation = f"read_json('{folder}/r.ndjson', columns = {{resource: '{compiled.struct}'}})"
    with duckdb.connect() as connection:
        install_macros(connection, b"key")
        return connection.execute(compiled.select(relation, passthrough=())).fetchall()


def columns(resource: str, *paths: str, for_each: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"column": [{"name": f"c{n}", "path": path} for n, path in enumerate(paths)]}
    if for_each:
        made["forEachOrNull"] = for_each
    return {"resource": resource, "select": [made]}


def compiled(view: dict[str, Any], version: str) -> CompiledView:
    return compile_view(view_from(view, file="v.json"), version)


def test_encounter_class_is_a_coding_in_r4_and_a_list_of_concepts_in_r5(tmp_path: Path) -> None:
    view = columns("Encounter", "class.code", "class.coding.code.first()")
    r4 = {"resourceType": "Encounter", "class": {"code": "IMP"}}
    r5 = {"resourceType": "Encounter", "class": [{"coding": [{"code": "IMP"}]}]}
    assert rows(compiled(view, "R4B"), r4, tmp_path) == [("IMP", None)]
    assert rows(compiled(view, "R5"), r5, tmp_path) == [(None, "IMP")]


def test_medication_is_a_choice_in_r4_and_a_codeable_reference_in_r5(tmp_path: Path) -> None:
    view = columns(
        "MedicationRequest",
        "medication.ofType(Reference).getReferenceKey()",
        "medication.ofType(CodeableConcept).text",
        "medication.reference.getReferenceKey()",
        "medication.concept.text",
    )
    r4 = {"id": "1", "medicationReference": {"reference": "Medication/7"}}
    r5 = {"id": "1", "medication": {"concept": {"text": "aspirin"}}}
    assert rows(compiled(view, "R4B"), r4, tmp_path) == [("Medication/7", None, None, None)]
    assert rows(compiled(view, "R5"), r5, tmp_path) == [(None, None, None, "aspirin")]


def test_an_element_that_is_a_choice_only_in_r5_is_read_in_both(tmp_path: Path) -> None:
    view = columns(
        "AdverseEvent",
        "instance.ofType(Reference).getReferenceKey()",
        "instance.ofType(CodeableConcept).text",
        "(instance as Reference).reference",
        for_each="suspectEntity",
    )
    r4 = {"suspectEntity": [{"instance": {"reference": "Medication/7"}}]}
    r5 = {"suspectEntity": [{"instanceReference": {"reference": "Medication/7"}}]}
    concept = {"suspectEntity": [{"instanceCodeableConcept": {"text": "aspirin"}}]}
    assert rows(compiled(view, "R4B"), r4, tmp_path) == [("Medication/7", None, "Medication/7")]
    assert rows(compiled(view, "R5"), r5, tmp_path) == [("Medication/7", None, "Medication/7")]
    assert rows(compiled(view, "R5"), concept, tmp_path) == [(None, "aspirin", None)]


def test_iteration_over_what_a_version_lacks_keeps_its_row_of_nulls(tmp_path: Path) -> None:
    view = columns("Encounter", "code", for_each="hospitalization.dischargeDisposition.coding")
    r4 = {"hospitalization": {"dischargeDisposition": {"coding": [{"code": "home"}]}}}
    assert rows(compiled(view, "R4B"), r4, tmp_path) == [("home",)]
    assert rows(compiled(view, "R5"), r4, tmp_path) == [(None,)]


def test_only_the_fields_of_the_own_version_are_read() -> None:
    view = columns("MedicationRequest", "medication.ofType(CodeableConcept).text", "medication.concept.text")
    assert compiled(view, "R4B").paths == {
        ("id",),
        ("meta", "versionId"),
        ("meta", "lastUpdated"),
        ("medicationCodeableConcept", "text"),
    }
    assert ("medication", "concept", "text") in compiled(view, "R5").paths


def test_resource_of_r4_without_a_model_is_an_error_that_says_why() -> None:
    with pytest.raises(ViewError, match="Evidence of R4 can't be read: it has other elements in R4B"):
        compiled(columns("Evidence", "id"), "R4")


def test_decimals_whose_written_precision_counts_are_asked_for_as_text() -> None:
    view = columns("Observation", "value.ofType(Quantity).value.lowBoundary()")
    assert compiled(view, "R4B").exact_numbers == {("valueQuantity", "value")}
    assert '"value" VARCHAR' in compiled(view, "R4B").struct


def test_exact_decimals_stay_text(tmp_path: Path) -> None:
    view = view_from(columns("Observation", "value.ofType(Quantity).value"), file="v.json")
    exact = compile_view(view, "R4B", exact_decimals=True)
    assert exact.exact_numbers == {("valueQuantity", "value")}
    written = {"valueQuantity": {"value": "1.234567890123456789012345678"}}
    assert rows(exact, written, tmp_path) == [("1.234567890123456789012345678",)]


def test_extension_of_a_primitive_is_read_from_beside_it(tmp_path: Path) -> None:
    view = columns("Patient", "birthDate.extension('http://time').value.ofType(dateTime).first()")
    patient = {"_birthDate": {"extension": [{"url": "http://time", "valueDateTime": "2001-01-01T10:00:00Z"}]}}
    assert rows(compiled(view, "R4B"), patient, tmp_path) == [("2001-01-01T10:00:00Z",)]


def test_null_in_a_list_of_primitives_is_no_item(tmp_path: Path) -> None:
    view = columns("Patient", "name.given.first()", "name.given.count()")
    assert rows(compiled(view, "R4B"), {"name": [{"given": [None, "B"]}]}, tmp_path) == [("B", 1)]


@pytest.mark.parametrize("version", ["R4", "R4B", "R5"])
@pytest.mark.parametrize("file", VIEWS, ids=lambda file: file.stem)
def test_every_view_runs_in_every_version(file: Path, version: str, tmp_path: Path) -> None:
    made = compile_view(read_view(file), version)
    assert rows(made, {"id": "1"}, tmp_path) is not None
