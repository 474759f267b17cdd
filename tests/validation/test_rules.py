"""Each rule of the full validation: what breaks it, what is at its edge, and what it lets be."""

from __future__ import annotations

from typing import Any

import pytest

from mappers.fhir_types import has_type, model_of
from mappers.required_codes import COMPLETED, OPEN_ENDED, required_codes
from mappers.shapes import fields_of
from mappers.validation import Validator
from studies.validity import FAMILIES
from tests.validation.resources import CODE, DOSE, RIGHT, SUBJECT, right
from tests.validation.whole import encoded

EACH = [(version, kind) for version, kinds in RIGHT.items() for kind in kinds]


def rules(version: str, kind: str, **fields: Any) -> set[str]:
    return set(Validator().rules(encoded(right(version, kind, **fields)), kind, version))


@pytest.mark.parametrize(("version", "kind"), EACH)
def test_a_right_resource_breaks_no_rule(version: str, kind: str) -> None:
    assert rules(version, kind) == set()


@pytest.mark.parametrize(("version", "kind"), EACH)
def test_a_field_that_the_standard_does_not_know_is_left_out(version: str, kind: str) -> None:
    meta = {"versionId": "1", "seen": True}
    assert rules(version, kind, hospital={"a": 1}, meta=meta, fhir_comments=5, resource_type="x") == set()


@pytest.mark.parametrize(("version", "kind"), EACH)
def test_a_field_of_the_wrong_type_is_named_without_its_value(version: str, kind: str) -> None:
    assert rules(version, kind, meta="secret") == {f"invalid:{kind}.meta"}
    assert rules(version, kind, meta={"versionId": {"secret": 1}}) == {f"invalid:{kind}.meta.versionId"}
    assert rules(version, kind, text={"status": "generated", "div": 5}) == {f"invalid:{kind}.text.div"}


def test_every_level_is_named_by_the_fields_that_lead_to_it() -> None:
    component = {"code": CODE, "valueQuantity": {"value": "many", "unit": ["g"]}}
    assert rules("R4B", "Observation", component=[{"code": CODE}, component, component]) == {
        "invalid:Observation.component.valueQuantity.unit",
        "invalid:Observation.component.valueQuantity.value",
    }


def test_what_is_missing_is_named() -> None:
    assert rules("R4B", "Observation", code=None) == {"invalid:Observation.code"}
    assert rules("R4B", "Observation", status=None) == {"invalid:Observation.status"}
    assert rules("R4B", "Observation", component=[{"valueString": "x"}]) == {
        "invalid:Observation.component.code"
    }


def test_a_required_code_may_be_absent_for_a_reason() -> None:
    reason = {"extension": [{"url": "urn:absent", "valueCode": "unknown"}]}
    assert rules("R4B", "Observation", status=None, _status=reason) == set()


def test_two_of_a_choice_are_one_too_many_and_the_element_is_named() -> None:
    assert rules("R4B", "Observation", valueString="a", valueInteger=1) == {"invalid:Observation"}
    assert rules("R4B", "Condition", onsetAge={"value": 4}) == {"invalid:Condition"}


def test_a_contained_resource_is_judged_by_its_own_type() -> None:
    wrong = {"resourceType": "Medication", "id": "m", "status": "nonsense", "code": 5}
    assert rules("R4B", "MedicationAdministration", contained=[wrong]) == {
        "code:MedicationAdministration.contained.status",
        "invalid:MedicationAdministration.contained.code",
    }
    for unknown in (
        {"resourceType": "Nothing"},
        {"id": "x"},
        {"resourceType": 5},
        {"resourceType": "Coding"},
    ):
        assert rules("R4B", "Patient", contained=[unknown]) == {"invalid:Patient.contained"}


def test_nesting_that_no_model_follows_is_refused() -> None:
    deep: dict[str, Any] = {"url": "urn:x", "valueString": "x"}
    for _ in range(400):
        deep = {"url": "urn:x", "extension": [deep]}
    assert rules("R4B", "Patient", extension=[deep]) == {"invalid:Patient"}


@pytest.mark.parametrize(
    ("version", "kind", "field", "codes"),
    [
        ("R4B", "Observation", "status", "registered preliminary final amended corrected cancelled unknown"),
        ("R5", "Observation", "status", "registered preliminary final amended corrected cancelled unknown"),
        (
            "R4B",
            "Encounter",
            "status",
            "planned arrived triaged in-progress onleave finished cancelled unknown",
        ),
        (
            "R5",
            "Encounter",
            "status",
            "planned in-progress on-hold discharged completed cancelled discontinued",
        ),
        (
            "R4B",
            "MedicationStatement",
            "status",
            "active completed intended stopped on-hold unknown not-taken",
        ),
        ("R5", "MedicationStatement", "status", "recorded entered-in-error draft"),
        ("R4B", "Patient", "gender", "male female other unknown"),
        ("R4B", "AdverseEvent", "actuality", "actual potential"),
        ("R4B", "MedicationRequest", "priority", "routine urgent asap stat"),
    ],
)
def test_a_code_that_the_standard_does_not_have_breaks_its_rule(
    version: str, kind: str, field: str, codes: str
) -> None:
    """The codes as the standard's pages of these value sets list them."""
    for code in codes.split():
        assert rules(version, kind, **{field: code}) == set()
    for code in ("nonsense", codes.split()[0].upper()):
        assert rules(version, kind, **{field: code}) == {f"code:{kind}.{field}"}


def test_codes_within_elements_are_checked_too() -> None:
    assert rules("R4B", "Patient", telecom=[{"system": "pigeon"}]) == {"code:Patient.telecom.system"}
    assert rules("R4B", "Observation", valueQuantity={"value": 1, "comparator": "~"}) == {
        "code:Observation.valueQuantity.comparator"
    }
    at_noon = {"timing": {"repeat": {"dayOfWeek": ["mon", "noon"]}}}
    assert rules("R4B", "MedicationRequest", dosageInstruction=[at_noon]) == {
        "code:MedicationRequest.dosageInstruction.timing.repeat.dayOfWeek"
    }
    assert rules("R4B", "Observation", valueQuantity={"comparator": "ad"}) != set()
    assert rules("R5", "Observation", valueQuantity={"comparator": "ad"}) == set()


def test_no_shortened_list_of_codes_is_taken_for_a_whole_one() -> None:
    """`fhir.resources` has the one-line definition of a field, which may end in `+`."""
    for version in RIGHT:
        seen, left = set(), list(RIGHT[version])
        while left:
            kind = left.pop()
            if kind in seen or not has_type(version, kind):
                continue
            seen.add(kind)
            left += [field.type_name for field in fields_of(version, kind).values() if field.type_name]
            for name, info in model_of(version, kind).model_fields.items():
                extra = info.json_schema_extra
                codes = extra.get("enum_values", ()) if isinstance(extra, dict) else ()
                assert "+" not in codes or (version, kind, info.alias or name) in COMPLETED
            checked = required_codes(version, kind).values()
            assert not any(mark in codes for codes in checked for mark in OPEN_ENDED)


@pytest.mark.parametrize(
    ("start", "end", "is_wrong"),
    [
        ("2020-03-02", "2020-03-01", True),
        ("2020-03-01", "2020-03-01", False),
        ("2020-05", "2020", False),
        ("2020", "2020-05", False),
        ("2021", "2020-12", True),
        ("2020-03-01T10:00:00Z", "2020-03-01", False),
        ("2020-03-02T03:00:00+09:00", "2020-03-01", False),
        ("2020-03-02T14:00:00Z", "2020-03-01", True),
        ("2020-03-01T10:00:00+02:00", "2020-03-01T10:00:00+01:00", False),
        ("2020-03-01T10:00:00+01:00", "2020-03-01T10:00:00+02:00", True),
        ("2020-03-01T10:00:00.900Z", "2020-03-01T10:00:00Z", False),
        ("2020-03-01T10:00:01Z", "2020-03-01T10:00:00Z", True),
        ("2020-03-01", "9999-12-31", False),
        ("2020-03-01T10:00:00Z", "9999-12-31", False),
        ("9999-12-31", "0001-01-01T00:00:00Z", True),
        ("0001", "0001", False),
    ],
)
def test_a_period_is_out_of_order_only_where_nothing_it_can_mean_is_in_order(
    start: str, end: str, is_wrong: bool
) -> None:
    expected = {"period:Encounter.period"} if is_wrong else set()
    assert rules("R4B", "Encounter", period={"start": start, "end": end}) == expected


def test_periods_are_found_wherever_they_stand() -> None:
    backwards = {"start": "2021", "end": "2020"}
    assert rules("R4B", "Patient", name=[{"family": "A", "period": backwards}]) == {
        "period:Patient.name.period"
    }
    assert rules("R5", "Encounter", actualPeriod=backwards) == {"period:Encounter.actualPeriod"}
    assert rules("R4B", "Encounter", period={"start": "2021"}) == set()


@pytest.mark.parametrize(
    ("kind", "field", "wrong", "edge"),
    [
        ("Condition", "abatementDateTime", "2019-12-31", "2020"),
        ("Patient", "deceasedDateTime", "2010-02-28", "2010-03-01"),
        ("MedicationDispense", "whenHandedOver", "2020-02-28", "2020-03-01"),
        ("AdverseEvent", "recordedDate", "2020-02-28", "2020-03-01"),
    ],
)
def test_a_date_that_can_only_follow_another_is_not_before_it(
    kind: str, field: str, wrong: str, edge: str
) -> None:
    (rule,) = rules("R4B", kind, **{field: wrong})
    assert rule.startswith(f"order:{kind}.{field.removesuffix('DateTime')}")
    assert rules("R4B", kind, **{field: edge}) == set()
    assert rules("R4B", kind, **{field: None}) == set()


def test_an_onset_that_is_a_period_is_ordered_by_its_start() -> None:
    dates = {"onsetDateTime": None, "onsetPeriod": {"start": "2020-03-01"}, "abatementDateTime": None}
    early, late = {"start": "2019", "end": "2020-02-01"}, {"end": "2020-03-01"}
    assert rules("R4B", "Condition", **dates, abatementPeriod=early) == {"order:Condition.abatement"}
    assert rules("R4B", "Condition", **dates, abatementPeriod=late) == set()


def test_a_dose_below_zero_breaks_its_rule_and_a_dose_of_zero_does_not() -> None:
    none, less = DOSE | {"value": 0}, DOSE | {"value": -0.001}
    given = "MedicationAdministration"
    assert rules("R4B", given, dosage={"dose": less}) == {"dose:negative"}
    assert rules("R4B", given, dosage={"dose": none}) == set()
    assert rules("R5", given, dosage={"rateQuantity": less}) == {"dose:negative"}
    for dose in ({"doseQuantity": less}, {"doseRange": {"low": less}}, {"rateRatio": {"numerator": less}}):
        instruction = [{"doseAndRate": [dose]}]
        assert rules("R4B", "MedicationRequest", dosageInstruction=instruction) == {"dose:negative"}
        assert rules("R4B", "MedicationStatement", dosage=instruction) == {"dose:negative"}
        assert rules("R5", "MedicationDispense", dosageInstruction=instruction) == {"dose:negative"}
    assert rules("R4B", "MedicationDispense", quantity=less) == {"dose:negative"}
    assert rules("R4B", "MedicationRequest", dispenseRequest={"quantity": less}) == {"dose:negative"}


def test_what_is_no_dose_may_be_below_zero() -> None:
    less = {"value": -3, "unit": "mmol/L"}
    assert rules("R4B", "Observation", valueQuantity=less) == set()
    extension = [{"url": "urn:balance", "valueQuantity": less}]
    assert rules("R4B", "MedicationAdministration", dosage={"dose": DOSE, "extension": extension}) == set()


def test_a_rate_per_nothing_breaks_its_rule() -> None:
    per_nothing = {"numerator": DOSE, "denominator": {"value": 0, "unit": "h"}}
    assert rules("R4B", "MedicationAdministration", dosage={"rateRatio": per_nothing}) == {"dose:per-zero"}


def test_every_rule_is_of_a_family_that_a_protocol_can_name() -> None:
    found = rules(
        "R4B", "Condition", subject=5, abatementDateTime="2019", recorder=SUBJECT | {"identifier": 5}
    )
    found |= rules("R4B", "Patient", gender="x", name=[{"period": {"start": "2021", "end": "2020"}}])
    found |= rules("R4B", "MedicationAdministration", dosage={"dose": {"value": -1}})
    assert {rule.partition(":")[0] for rule in found} == set(FAMILIES)
