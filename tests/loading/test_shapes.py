"""Every field of the mapped types, with every wrong JSON type; and what stays valid."""

import json
from typing import Any

import pytest

from mappers.shape_check import Checked, ShapeChecker
from mappers.shapes import Field, fields_of

TYPES = (
    "AdverseEvent",
    "Condition",
    "Encounter",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Patient",
    "Procedure",
)
READ = {
    "Patient": frozenset({("birthDate",), ("deceasedBoolean",), ("id",), ("name",), ("name", "given")}),
    "Observation": frozenset(
        {
            ("effectiveDateTime",),
            ("valueQuantity",),
            ("valueQuantity", "value"),
            ("component",),
            ("component", "valueInteger"),
            ("code",),
        }
    ),
}
WRONG: dict[str, list[Any]] = {
    "boolean": ["true", 1, {}, []],
    "integer": ["1", True, 1.5, {}, []],
    "integer64": [True, 1.5, {}, []],
    "decimal": ["41", True, {}, []],
    "object": ["text", 1, True],
}
TEXT: list[Any] = [12, True, {}, []]


def checker(everything: bool = False) -> ShapeChecker:
    def reads(version: str, resource_type: str) -> frozenset[tuple[str, ...]]:
        if everything:
            return frozenset((name,) for name in fields_of(version, resource_type))
        return READ.get(resource_type, frozenset())

    return ShapeChecker(TYPES, reads)


def check(resource: dict[str, Any], *, everything: bool = False) -> Checked:
    return checker(everything).check(json.dumps(resource).encode())


def wrong_values(field: Field) -> list[Any]:
    wrong = WRONG.get(field.kind, TEXT)
    if not field.is_list:
        return [*wrong, [wrong[0]]]
    return [{}, "text", 1, *([value] for value in wrong if value not in ({}, []))]


SMALLEST: dict[str, dict[str, Any]] = {
    "AdverseEvent": {"actuality": "actual", "subject": {}},
    "Condition": {"subject": {}},
    "Encounter": {"status": "finished", "class": {}},
    "Medication": {},
    "MedicationAdministration": {"status": "completed", "subject": {}},
    "MedicationDispense": {"status": "completed"},
    "MedicationRequest": {"status": "active", "intent": "order", "subject": {}},
    "MedicationStatement": {"status": "active", "subject": {}},
    "Observation": {"status": "final", "code": {}},
    "Patient": {},
    "Procedure": {"status": "completed", "subject": {}},
}


@pytest.mark.parametrize("resource_type", TYPES)
def test_each_wrong_json_type_of_each_field_is_named(resource_type: str) -> None:
    """In a field that is read it costs the resource; R4B decides, for a value that R5 doesn't take either."""
    strict, lenient = checker(everything=True), checker()
    r5 = fields_of("R5", resource_type)
    for name, field in fields_of("R4B", resource_type).items():
        for value in wrong_values(field):
            if name == "contained" or (name in r5 and r5[name] != field):
                continue
            line = json.dumps(
                {"resourceType": resource_type, **SMALLEST[resource_type], name: value}
            ).encode()
            rule = f"type:{resource_type}.{name}"
            assert strict.check(line).rule == rule, (name, value)
            if (name,) not in READ.get(resource_type, ()):
                found = lenient.check(line)
                assert (found.rule, rule in found.findings) == (None, True), (name, value)


@pytest.mark.parametrize("resource_type", TYPES)
def test_the_smallest_resource_of_each_type_is_right(resource_type: str) -> None:
    found = check({"resourceType": resource_type, **SMALLEST[resource_type]})
    assert (found.resource_type, found.fhir_version, found.rule, found.findings) == (
        resource_type,
        "R4B",
        None,
        (),
    )


WRONG_IN_READ_FIELDS = [
    ({"resourceType": "Patient", "birthDate": 12}, "type:Patient.birthDate"),
    ({"resourceType": "Patient", "birthDate": "2020-13-45"}, "date:Patient.birthDate"),
    ({"resourceType": "Patient", "birthDate": "1900-02-29"}, "date:Patient.birthDate"),
    ({"resourceType": "Patient", "birthDate": "soon"}, "date:Patient.birthDate"),
    ({"resourceType": "Patient", "birthDate": "2020-1-5"}, "date:Patient.birthDate"),
    ({"resourceType": "Patient", "birthDate": ""}, "date:Patient.birthDate"),
    ({"resourceType": "Patient", "birthDate": "2020-01-05\n"}, "date:Patient.birthDate"),
    ({"resourceType": "Patient", "birthDate": "२०२०-०१-०५"}, "date:Patient.birthDate"),
    ({"resourceType": "Patient", "deceasedBoolean": "true"}, "type:Patient.deceasedBoolean"),
    ({"resourceType": "Patient", "name": {"given": ["A"]}}, "type:Patient.name"),
    ({"resourceType": "Patient", "name": [{"given": "A"}]}, "type:Patient.name.given"),
    ({"resourceType": "Patient", "name": [None]}, "type:Patient.name"),
    ({"resourceType": "Patient", "id": 7}, "type:Patient.id"),
    (
        {"resourceType": "Observation", "status": "final", "code": {}, "valueQuantity": {"value": "41"}},
        "type:Observation.valueQuantity.value",
    ),
    (
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {},
            "component": [{"code": {}, "valueInteger": "1"}],
        },
        "type:Observation.component.valueInteger",
    ),
    ({"resourceType": "Observation", "status": "final", "code": "text"}, "type:Observation.code"),
]


@pytest.mark.parametrize(("resource", "rule"), WRONG_IN_READ_FIELDS)
def test_a_fault_in_a_field_that_a_view_reads_costs_the_resource(resource: dict[str, Any], rule: str) -> None:
    assert check(resource).rule == rule


RIGHT_OR_FOUND = [
    ({"resourceType": "Patient", "birthDate": "2020"}, ()),
    ({"resourceType": "Patient", "birthDate": "2020-03"}, ()),
    ({"resourceType": "Patient", "birthDate": "2000-02-29"}, ()),
    ({"resourceType": "Patient", "birthDate": None}, ()),
    ({"resourceType": "Patient", "_birthDate": {"extension": [{"url": "x", "valueCode": "unknown"}]}}, ()),
    ({"resourceType": "Patient", "name": [{"given": [None, "A"], "_given": [{"id": "1"}, None]}]}, ()),
    ({"resourceType": "Patient", "birthDate": "2020-01-05T00:00:00Z"}, ("date:Patient.birthDate",)),
    ({"resourceType": "Patient", "unknown": {"a": 1}}, ()),
    ({"resourceType": "Patient", "telecom": "none"}, ("type:Patient.telecom",)),
    (
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {},
            "effectiveDateTime": "2020-01-05T10:00",
        },
        ("date:Observation.effectiveDateTime",),
    ),
    (
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {},
            "effectiveDateTime": "2020-01-05T10:00:60.5+09:00",
        },
        (),
    ),
    ({"resourceType": "Observation", "code": {}}, ("required:Observation.status",)),
    ({"resourceType": "Observation", "_status": {"id": "a"}, "code": {}}, ()),
    ({"resourceType": "Observation", "status": "zzz"}, ("required:Observation.code",)),
    ({"resourceType": "Observation", "status": "final", "code": {}, "valueInteger": 41.0}, ()),
]


@pytest.mark.parametrize(("resource", "findings"), RIGHT_OR_FOUND)
def test_other_faults_are_findings_and_partial_dates_none(
    resource: dict[str, Any], findings: tuple[str, ...]
) -> None:
    found = check(resource)
    assert (found.rule, found.findings, found.fhir_version) == (None, findings, "R4B")


R5 = [
    {"resourceType": "Encounter", "status": "completed", "class": [{}], "actualPeriod": {"start": "2020"}},
    {"resourceType": "Procedure", "status": "completed", "subject": {}, "occurrenceDateTime": "2020-01-01"},
    {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {},
     "medication": {"concept": {"text": "x"}}},
    *(
        {"resourceType": "MedicationAdministration", "status": "completed", "subject": {},
         "medication": {"reference": {"reference": "Medication/1"}}, name: "2020-01-01"}
        for name in ("occurenceDateTime", "occurrenceDateTime")
    ),
]  # fmt: skip


@pytest.mark.parametrize("resource", R5)
def test_what_only_r5_has_is_read_as_r5(resource: dict[str, Any]) -> None:
    found = check(resource)
    assert (found.fhir_version, found.rule, found.findings) == ("R5", None, ())
    assert check({**resource, "unknown": 1}).fhir_version == "R5"


@pytest.mark.parametrize(
    ("resource", "version", "field"),
    [
        (
            {
                "status": "completed",
                "medicationCodeableConcept": {},
                "subject": {},
                "occurrenceDateTime": "2020",
            },
            "R4B",
            "occurrenceDateTime",
        ),
        (
            {"status": "completed", "medication": {}, "subject": {}, "effectiveDateTime": "2020"},
            "R4B",
            "medication",
        ),
    ],
)
def test_a_field_of_another_version_is_told_since_nobody_reads_it(
    resource: dict[str, Any], version: str, field: str
) -> None:
    found = check({"resourceType": "MedicationAdministration", **resource, "vendor": 1}, everything=True)
    assert (found.fhir_version, found.rule) == (version, None)
    assert f"version:MedicationAdministration.{field}" in found.findings


def test_a_fault_in_a_misspelt_field_is_told_by_the_standard_s_name() -> None:
    found = check({**R5[-1], "occurrenceDateTime": 5}, everything=True)
    assert found.rule == "type:MedicationAdministration.occurenceDateTime"


def test_no_value_and_no_name_from_the_source_is_in_a_rule() -> None:
    found = check({"resourceType": "Patient", "birthDate": "Hong", "Gildong": 1, "telecom": "010"})
    assert (found.rule, found.findings) == ("date:Patient.birthDate", ("type:Patient.telecom",))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"resourceType":"Patient"', "not-json"),
        (b'{"resourceType":"Patient","id":"1",}', "not-json"),
        (b'{"id":"1"}', "not-a-resource"),
        (b'{"resourceType":7}', "not-a-resource"),
        (b"[]", "not-a-resource"),
        (b'"text"', "not-a-resource"),
        (b'{"resourceType":"Patient","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too-deep"),
    ],
)
def test_what_is_no_resource_is_refused(line: bytes, rule: str) -> None:
    assert checker().check(line).rule == rule


@pytest.mark.parametrize(
    ("number", "is_found"),
    [
        ("1.10", False),
        ("123456789012345", False),
        ("0.000123456789012345", False),
        ("1234567890123456", True),
        ("12345678901234567.89", True),
        ("1.000000000000000", False),
        ("1000000000000000000", False),
        ("-0.1234567890123456", True),
    ],
)
def test_a_number_of_more_than_fifteen_digits_is_a_finding(number: str, is_found: bool) -> None:
    quoted = (
        '"identifier":[{"value":"99999999999999999999"}],"note":[{"text":"a \\"1234567890123456789\\" b"}]'
    )
    value = f'"valueQuantity":{{"value":{number}}}'
    line = f'{{"resourceType":"Observation","status":"final","code":{{}},{quoted},{value}}}'
    found = checker().check(line.encode())
    assert (found.rule, found.findings) == (None, ("number-precision",) if is_found else ())


def test_a_number_beyond_a_double_costs_the_resource() -> None:
    line = b'{"resourceType":"Observation","status":"final","code":{},"valueQuantity":{"value":1e400}}'
    assert checker().check(line).rule == "type:Observation.valueQuantity.value"
