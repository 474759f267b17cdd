"""Values of observations: numbers however they are sent, in the codelist's unit, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sql.clinical_files import (
    ITEM,
    LOCAL,
    LOINC,
    Resource,
    clinical,
    coded,
    concept_map,
    findings,
    observation,
    patient,
    rows,
)

EDI = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-procedure"
MARROW, ANC, PLATELETS, HAEMOGLOBIN = "11150-0", "26499-4", "26515-7", "718-7"
BILIRUBIN, CREATININE, AST = "1975-2", "2160-0", "1920-8"


def quantity(
    value: float, unit: str | None = None, code: str | None = None, comparator: str | None = None
) -> Resource:
    fields = {"value": value, "unit": unit, "code": code, "comparator": comparator}
    return {"valueQuantity": {name: field for name, field in fields.items() if field is not None}}


# (LOINC code, what is sent, the value in the codelist's unit): products worked out by hand.
CONVERTED: list[tuple[str, Resource, float]] = [
    (MARROW, quantity(0.07, "1", "1"), 7.0),
    (MARROW, quantity(0.57, code="1"), 57.0),
    (MARROW, quantity(4.9, "%", "%"), 4.9),
    (MARROW, quantity(29), 29.0),
    (PLATELETS, quantity(100000, "/uL", "/uL"), 100.0),
    (PLATELETS, quantity(99999, "/mm3"), 99.999),
    (PLATELETS, quantity(12, "10*3/uL", "10*3/uL"), 12.0),
    (PLATELETS, quantity(12.3, "K/uL"), 12.3),
    (PLATELETS, quantity(0.1, "x10^9/L"), 0.1),
    (PLATELETS, quantity(55, "G/L"), 55.0),
    (PLATELETS, quantity(7, "a unit that nobody knows", "10*9/L"), 7.0),
    (PLATELETS, quantity(8, "10*9/L", "nonsense"), 8.0),
    (PLATELETS, {"valueString": "41"}, 41.0),
    (PLATELETS, {"valueString": " 41.5 "}, 41.5),
    (PLATELETS, {"valueInteger": 12}, 12.0),
    (ANC, quantity(999, "/uL", "/uL"), 0.999),
    (ANC, quantity(0.00000012, "10*12/L", "10*12/L"), 0.00012),
    (HAEMOGLOBIN, quantity(7.1, "g/dL", "g/dL"), 71.0),
    (HAEMOGLOBIN, quantity(71, "g/L"), 71.0),
    (BILIRUBIN, quantity(17.1, "umol/L"), 17.1),
    # 1.2 mg/dL = 12 mg/L = 12000 / 584.66 umol/L; 1 mg/dL of creatinine = 10000 / 113.12 umol/L.
    (BILIRUBIN, quantity(1.2, "mg/dL", "mg/dL"), 12000 / 584.66),
    (CREATININE, quantity(1, "mg/dL"), 10000 / 113.12),
    (CREATININE, quantity(80, "µmol/L"), 80.0),
    # 1 ukat/L = 60 U/L, and in doubles 0.07 * 60 is more than 4.2.
    (AST, quantity(0.07, "ukat/L", "ukat/L"), 4.2),
]


def test_values_are_converted_to_the_codelists_unit_exactly(tmp_path: Path) -> None:
    sent = [observation(f"{n:02}", LOINC, code, **value) for n, (code, value, _) in enumerate(CONVERTED)]
    con = clinical(tmp_path, patient(), *sent)
    got = rows(con, "clinical.measurement", "resource_id, value")
    assert got == [(f"{n:02}", value) for n, (_, _, value) in enumerate(CONVERTED)]
    assert findings(con) == []


def test_a_unit_that_does_not_convert_keeps_the_row_without_a_value_and_is_a_finding(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient(),
        observation("1", LOINC, PLATELETS, **quantity(5, "mmHg", "mm[Hg]")),
        observation("2", LOINC, PLATELETS, **quantity(5, "{score}", "{score}")),
        observation("3", LOINC, HAEMOGLOBIN, **quantity(5, "mmol/L", "mmol/L")),
        observation("4", LOINC, "8867-4", **quantity(5, "unheard of")),
    )
    columns = "resource_id, value, has_unit_problem, source_value, source_unit"
    assert rows(con, "clinical.measurement", columns) == [
        ("1", None, True, "5.0", "mm[Hg]"),
        ("2", None, True, "5.0", "{score}"),
        ("3", None, True, "5.0", "mmol/L"),
        ("4", 5.0, False, "5.0", "unheard of"),
    ]
    assert findings(con) == [("Observation", name, "unit:not-convertible") for name in ("1", "2", "3")]


INTERVALS: list[tuple[Resource, tuple[Any, ...]]] = [
    (quantity(0.1, comparator="<"), ("<", None, 0.1, False, False)),
    (quantity(5, "/uL", "/uL", "<="), ("<=", None, 0.005, False, True)),
    (quantity(5, comparator=">"), (">", 5.0, None, False, False)),
    (quantity(5, comparator=">="), (">=", 5.0, None, True, False)),
    ({"valueString": "<0.1"}, ("<", None, 0.1, False, False)),
    ({"valueString": "< 0.1"}, ("<", None, 0.1, False, False)),
    ({"valueString": "less than 5"}, ("<", None, 5.0, False, False)),
    ({"valueString": "Less Than 5"}, ("<", None, 5.0, False, False)),
    ({"valueString": "≥5"}, (">=", 5.0, None, True, False)),
    ({"valueString": "greater than 5"}, (">", 5.0, None, False, False)),
    ({"valueString": "at least 5"}, (">=", 5.0, None, True, False)),
    ({"valueString": "5"}, (None, 5.0, 5.0, True, True)),
]


def test_a_comparator_makes_an_interval(tmp_path: Path) -> None:
    sent = [observation(f"{n:02}", LOINC, ANC, **value) for n, (value, _) in enumerate(INTERVALS)]
    con = clinical(tmp_path, patient(), *sent)
    columns = "resource_id, comparator, value_low, value_high, low_inclusive, high_inclusive"
    got = rows(con, "clinical.measurement", columns)
    assert got == [(f"{n:02}", *interval) for n, (_, interval) in enumerate(INTERVALS)]


def test_other_text_is_counted_and_stays_in_landing(tmp_path: Path) -> None:
    texts = ["none seen", "5 or so", "1-3", "12.03.2020", "5 %", "-", "<", "1,5"]
    sent = [observation(str(n), LOINC, ANC, valueString=text) for n, text in enumerate(texts)]
    con = clinical(tmp_path, patient(), *sent, observation("x", LOINC, ANC, valueString="3"))
    assert rows(con, "clinical.measurement", "distinct value") == [(3.0,), (None,)]
    assert rows(con, "quality.unread_text", "read, unread") == [(1, 8)]
    assert rows(con, "fhir.observation", "distinct value_string") == [("3",), (None,)]


def test_a_korean_blood_count_has_a_row_for_each_component(tmp_path: Path) -> None:
    def component(code: str, value: Resource) -> Resource:
        return {"code": coded(EDI, code)} | value

    count = observation("o", LOINC, "58410-2", component=[
        component("D0002070", quantity(90000, "/uL")),
        component("D0002050", quantity(9.5, "g/dL")),
        component("D0002010", {"dataAbsentReason": coded("s:s", "error")}),
        component("D0002040", quantity(30, "%")),
    ])  # fmt: skip
    con = clinical(tmp_path, patient(), count)
    assert rows(con, "clinical.measurement", "component, codelist, value, measured_on::varchar") == [
        (0, None, None, "2020-03-01"),
        (1, "platelets", 90.0, "2020-03-01"),
        (2, "haemoglobin", 95.0, "2020-03-01"),
        (3, "leukocytes", None, "2020-03-01"),
        (4, None, 30.0, "2020-03-01"),
    ]


def test_an_observation_without_a_value_has_none_and_its_status_decides_whether_it_counts(
    tmp_path: Path,
) -> None:
    con = clinical(
        tmp_path,
        patient(),
        observation("absent", LOINC, ANC, dataAbsentReason=coded("s:s", "unknown")),
        observation("error", LOINC, ANC, status="entered-in-error", valueInteger=1),
        observation("off", LOINC, ANC, status="cancelled", valueInteger=1),
        observation("early", LOINC, ANC, status="preliminary", valueInteger=1),
    )
    assert rows(con, "clinical.measurement", "resource_id, value, is_counted") == [
        ("absent", None, True),
        ("early", 1.0, True),
        ("error", 1.0, False),
        ("off", 1.0, False),
    ]


def test_limits_of_normal_are_converted_from_their_own_unit_else_the_values(tmp_path: Path) -> None:
    def limited(id: str, low: Resource, high: Resource, **sent: Any) -> Resource:
        return observation(id, LOINC, HAEMOGLOBIN, referenceRange=[{"low": low, "high": high}], **sent)

    grams = quantity(118, "g/L", "g/L")
    con = clinical(
        tmp_path,
        patient(),
        limited("bare", {"value": 12}, {"value": 16}, **quantity(11.8, "g/dL", "g/dL")),
        limited("coded", {"value": 12, "code": "g/dL"}, {"value": 160, "code": "g/L"}, **grams),
        limited("text", {"value": 12, "unit": "g/dL"}, {"value": 16, "unit": "g/dL"}, **grams),
        limited("none", {"value": 120}, {"value": 160}, valueInteger=118),
        limited("other", {"value": 12, "unit": "unheard of"}, {"value": 160}, **grams),
    )
    assert rows(con, "clinical.measurement", "resource_id, value, reference_low, reference_high") == [
        ("bare", 118.0, 120.0, 160.0),
        ("coded", 118.0, 120.0, 160.0),
        ("none", 118.0, 120.0, 160.0),
        ("other", 118.0, None, 160.0),
        ("text", 118.0, 120.0, 160.0),
    ]


def test_limits_of_normal_are_those_of_one_range_and_no_other_kind_of_range(tmp_path: Path) -> None:
    def kind(code: str) -> Resource:
        return {"type": coded("http://terminology.hl7.org/CodeSystem/referencerange-meaning", code)}

    def ranged(id: str, *ranges: Resource) -> Resource:
        return observation(id, LOINC, HAEMOGLOBIN, referenceRange=list(ranges), valueInteger=118)

    normal, wide = (
        {"low": {"value": 120}, "high": {"value": 160}},
        {"low": {"value": 1}, "high": {"value": 999}},
    )
    con = clinical(
        tmp_path,
        patient(),
        ranged("kind", wide | kind("treatment"), normal | kind("normal")),
        ranged("first", normal, wide),
        ranged("half", {"high": {"value": 160}}, wide),
        ranged("none", wide | kind("treatment")),
        ranged("text", {"text": "see the leaflet"}),
    )
    assert rows(con, "clinical.measurement", "resource_id, reference_low, reference_high") == [
        ("first", 120.0, 160.0),
        ("half", None, 160.0),
        ("kind", 120.0, 160.0),
        ("none", None, None),
        ("text", None, None),
    ]


def test_a_sites_own_codes_and_values_fall_on_the_codelists_by_its_concept_map(tmp_path: Path) -> None:
    response = "urn:cove:response"
    maps = concept_map(
        (LOCAL, LOINC, {"PLT": PLATELETS}),
        (LOCAL, ITEM, {"RESP": "investigator-response"}),
        (LOCAL, response, {"CRwithoutP": "CRp"}),
        ("urn:wards|2", LOINC, {"W": ANC}),
    )
    answer: Resource = {"valueCodeableConcept": coded(LOCAL, "CRwithoutP")}
    con = clinical(
        tmp_path,
        patient(),
        maps,
        observation("1", LOCAL, "PLT", **quantity(5)),
        observation("2", LOCAL, "RESP", **answer),
        observation("3", LOCAL, "OTHER", **quantity(5)),
        observation("4", "urn:wards", "W", **quantity(5)),
    )
    both = [{"system": response, "code": "CRp"}, {"system": LOCAL, "code": "CRwithoutP"}]
    assert rows(con, "clinical.measurement", "resource_id, codelist, value_codes") == [
        ("1", "platelets", []),
        ("2", "investigator_response", both),
        ("3", None, []),
        ("4", "anc", []),
    ]


def test_a_map_that_was_replaced_no_longer_holds(tmp_path: Path) -> None:
    former = concept_map((LOCAL, LOINC, {"X": PLATELETS})) | {"meta": {"versionId": "1"}}
    newer = concept_map((LOCAL, LOINC, {"X": ANC})) | {"meta": {"versionId": "2"}}
    con = clinical(tmp_path, patient(), newer, former, observation("1", LOCAL, "X", **quantity(5)))
    assert rows(con, "clinical.measurement", "codelist") == [("anc",)]


def test_one_code_that_several_codings_repeat_is_one_row(tmp_path: Path) -> None:
    codes = {"code": {"coding": [coded(LOINC, one)["coding"][0] for one in (PLATELETS, "777-3", "1-1")]}}
    con = clinical(tmp_path, patient(), observation("1", LOINC, PLATELETS) | codes | quantity(5))
    assert rows(con, "clinical.measurement", "codelist, value") == [("platelets", 5.0)]


# As written → whole date, precision, first and last day that it can mean, and the instant.
DATES: list[tuple[str, tuple[str | None, ...]]] = [
    ("2020", (None, "year", "2020-01-01", "2020-12-31", None)),
    ("2020-02", (None, "month", "2020-02-01", "2020-02-29", None)),
    ("2020-03-01", ("2020-03-01", "day", "2020-03-01", "2020-03-01", None)),
    (
        "2020-03-01T23:30:00+09:00",
        ("2020-03-01", "time", "2020-03-01", "2020-03-01", "2020-03-01 14:30:00+00"),
    ),
    (
        "2020-03-01T00:30:00-05:00",
        ("2020-03-01", "time", "2020-03-01", "2020-03-01", "2020-03-01 05:30:00+00"),
    ),
    ("2020-03-01T23:30+09:00", ("2020-03-01", "time", "2020-03-01", "2020-03-01", "2020-03-01 14:30:00+00")),
    (
        "2020-03-01T23:30:00.5Z",
        ("2020-03-01", "time", "2020-03-01", "2020-03-01", "2020-03-01 23:30:00.5+00"),
    ),
]


def test_dates_keep_their_precision_and_their_own_day(tmp_path: Path) -> None:
    sent = [observation(str(n), LOINC, ANC, on=written) for n, (written, _) in enumerate(DATES)]
    con = clinical(tmp_path, patient(), *sent)
    dates = "measured_on::varchar, measured_precision, measured_first::varchar, measured_last::varchar"
    got = rows(con, "clinical.measurement", f"resource_id, {dates}, measured_at::varchar")
    assert got == [(str(n), *expected) for n, (_, expected) in enumerate(DATES)]


def test_an_observation_is_dated_by_its_time_its_periods_start_or_its_instant(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient(),
        observation("1", LOINC, ANC, on=None, effectivePeriod={"start": "2020-03-02", "end": "2020-03-09"}),
        observation("2", LOINC, ANC, on=None, effectiveInstant="2020-03-03T00:00:00Z"),
        observation("3", LOINC, ANC, on=None),
    )
    assert rows(con, "clinical.measurement", "resource_id, measured_on::varchar") == [
        ("1", "2020-03-02"),
        ("2", "2020-03-03"),
        ("3", None),
    ]
