"""Elements, lists and choices come from the FHIR models; expected values are from the specification."""

from __future__ import annotations

import pytest

from mappers.fhir_types import VERSIONS, Element, choices, elements, has_type, model_version, nearest


@pytest.mark.parametrize(
    ("version", "type_name", "name", "expected"),
    [
        ("R4B", "Encounter", "class", Element("class", "Coding", False)),
        ("R5", "Encounter", "class", Element("class", "CodeableConcept", True)),
        ("R4B", "AdverseEvent", "outcome", Element("outcome", "CodeableConcept", False)),
        ("R5", "AdverseEvent", "outcome", Element("outcome", "CodeableConcept", True)),
        ("R4B", "HumanName", "given", Element("given", "string", True)),
        ("R4B", "Patient", "birthDate", Element("birthDate", "date", False)),
        ("R5", "Attachment", "size", Element("size", "integer64", False)),
        ("R4B", "Extension", "valueUuid", Element("valueUuid", "uuid", False, "value")),
    ],
)
def test_element_has_the_type_of_its_version(
    version: str, type_name: str, name: str, expected: Element
) -> None:
    assert elements(version, type_name)[name] == expected


def test_choice_of_an_observation_value_has_the_types_of_its_version() -> None:
    r4 = "boolean CodeableConcept dateTime integer Period Quantity Range Ratio SampledData string time"
    assert set(choices("R4B", "Observation", "value")) == set(r4.split())
    assert set(choices("R5", "Observation", "value")) == {*r4.split(), "Attachment", "Reference"}


def test_type_of_an_element_agrees_with_its_name_where_it_is_a_choice() -> None:
    for version in VERSIONS:
        for element in elements(version, "Extension").values():
            if element.choice:
                suffix = element.json_name.removeprefix(element.choice)
                assert suffix.lower() == element.type_name.lower()


def test_r4_is_read_by_the_models_of_r4b() -> None:
    assert [model_version(v) for v in ("R4", "R4B", "R5")] == ["R4B", "R4B", "R5"]
    with pytest.raises(ValueError, match="'R3' is not known; use one of R4, R4B, R5"):
        model_version("R3")


def test_unknown_names_are_told_and_the_nearest_is_found() -> None:
    assert not has_type("R4B", "Patien")
    assert nearest("R4B", "Patient", "birthdate") == "birthDate"
