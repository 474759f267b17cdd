"""Resources within a resource: `contained.ofType(…)`, whose content is checked as the rest is."""

from pathlib import Path

import pytest

from flows.errors import UserError
from tests.viewing.test_hostile import rows_of

PATHS = [
    ("code", "contained.ofType(Medication).code.coding.code.first()"),
    ("amount", "contained.ofType(Medication).amount.numerator.value.first()"),
    ("patients", "contained.ofType(Patient).count()"),
]
VIEW = {
    "resource": "MedicationRequest",
    "select": [
        {"column": [{"name": name, "path": path} for name, path in PATHS]},
        {"forEachOrNull": "contained.ofType(Medication)", "column": [{"name": "id", "path": "id"}]},
    ],
}
MEDICATION = (
    '{"resourceType":"Medication","id":"m","code":{"coding":[{"code":"X"}]},'
    '"amount":{"numerator":{"value":1.50}}}'
)
PATIENT = '{"resourceType":"Patient","id":"p","name":[{"family":"F"}]}'


def request(*contained: str) -> str:
    start = '{"resourceType":"MedicationRequest","id":"r","status":"active","intent":"order",'
    rest = '"subject":{"reference":"#p"},"medicationReference":{"reference":"#m"},'
    return f'{start}{rest}"contained":[{",".join(contained)}]}}'


def test_each_contained_resource_is_read_as_its_own_type(tmp_path: Path) -> None:
    lines = [request(PATIENT, MEDICATION), request(), request(MEDICATION, MEDICATION.replace('"m"', '"n"'))]
    code, rows, _ = rows_of(tmp_path, VIEW, *lines)
    assert (code, rows) == (
        0,
        [("X", 1.5, 1, "m"), (None, None, 0, None), ("X", 1.5, 0, "m"), ("X", 1.5, 0, "n")],
    )
    assert rows_of(tmp_path, VIEW, request(MEDICATION), decimals="exact")[1] == [("X", "1.50", 0, "m")]


@pytest.mark.parametrize(
    ("contained", "rule"),
    [
        (
            MEDICATION.replace('"X"', "7"),
            "type:MedicationRequest.contained.ofType(Medication).code.coding.code",
        ),
        (
            MEDICATION.replace("1.50", '"1.50"'),
            "type:MedicationRequest.contained.ofType(Medication).amount.numerator.value",
        ),
        (MEDICATION.replace('"id":"m"', '"id":"m","id":"n"'), "unreadable"),
    ],
)
def test_a_fault_that_the_view_reads_costs_the_resource_and_no_neighbour(
    contained: str, rule: str, tmp_path: Path
) -> None:
    code, rows, told = rows_of(tmp_path, VIEW, request(MEDICATION), request(contained))
    assert (code, rows) == (1, [("X", 1.5, 0, "m")])
    assert told[1] == f"quarantined, {rule}: 1 ({tmp_path}/in.ndjson line 2)"


def test_a_fault_that_it_does_not_read_is_a_finding(tmp_path: Path) -> None:
    code, rows, told = rows_of(tmp_path, VIEW, request(MEDICATION, PATIENT.replace('"F"', "7")))
    assert (code, rows) == (0, [("X", 1.5, 1, "m")])
    assert told[1].startswith("finding, type:MedicationRequest.contained.ofType(Patient).name.family: 1 (")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "contained.ofType(Foo).id",
            "column 18: Foo is no resource type; write it as in FHIR, as in ofType(Patient)",
        ),
        ("contained.ofType(Patient).foo", "column 27: Patient has no element 'foo' in R4B or R5"),
        (
            "contained.where(id = 'x').ofType(Patient).id",
            "column 27: ofType(Patient) stands right behind the resources, before where() and the like",
        ),
    ],
)
def test_what_cannot_be_asked_of_contained_resources_is_an_error(
    path: str, message: str, tmp_path: Path
) -> None:
    view = {"resource": "MedicationRequest", "select": [{"column": [{"name": "x", "path": path}]}]}
    with pytest.raises(UserError) as error:
        rows_of(tmp_path, view, request())
    assert str(error.value) == f"{tmp_path}/view.json: select[0].column[0].path, {message}"
