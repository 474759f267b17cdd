"""Adverse events and laboratory grades. Expected by hand from docs/clinical-rules.md and CTCAE 5.0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.hospitals.builder import (
    ATC,
    CLOFARABINE,
    ETOPOSIDE,
    ICD10,
    LOINC,
    MEDDRA,
    NCI,
    Resource,
    anc,
    concept,
    day,
    given,
    grade,
    leukaemia,
    measured,
    observed,
    platelets,
    reaction,
    run,
    treated,
    visit,
)

CATEGORY = "urn:cove:condition-category"
SERIOUSNESS = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness"
CAUSALITY = "http://terminology.hl7.org/CodeSystem/adverse-event-causality-assess"
INFECTIONS, SEPSIS, FEVER = "10021881", "10040047", "10016288"


def reaction_r5(**fields: Any) -> Resource:
    base = {"resourceType": "AdverseEvent", "status": "completed", "actuality": "actual"}
    return base | {"code": concept(MEDDRA, FEVER, display="Febrile neutropenia")} | fields


def as_condition(on: int | None, **fields: Any) -> Resource:
    return leukaemia(
        on,
        code=concept(MEDDRA, FEVER, display="Febrile neutropenia"),
        category=[concept(CATEGORY, "adverse-event")],
        **fields,
    )


# The events of a person with doses on days 0 and 10 → is treatment-emergent
ONSETS: dict[str, tuple[Resource, bool]] = {
    "day-before": (reaction(-1), False),
    "first-day": (reaction(0), True),
    "first-day-earlier": (reaction(day(0, "T00:01:00+09:00")), True),
    "day-40": (reaction(40), True),
    "day-41": (reaction(41), False),
    "day-40-night": (reaction(day(40, "T23:59:00+09:00")), True),
    "missing": (reaction(None), True),
    "missing-r5-ended-before": (reaction_r5(occurrencePeriod={"end": day(-1)}), False),
    "missing-r5-ended-that-day": (reaction_r5(occurrencePeriod={"end": day(0)}), True),
    "missing-r5-ended-later": (reaction_r5(occurrencePeriod={"end": day(90)}), True),
    "r5": (reaction_r5(occurrenceDateTime=day(5)), True),
    "r5-period": (reaction_r5(occurrencePeriod={"start": day(5), "end": day(90)}), True),
    "r5-period-before": (reaction_r5(occurrencePeriod={"start": day(-5), "end": day(9)}), False),
    "r5-in-error": (reaction_r5(occurrenceDateTime=day(5), status="entered-in-error"), False),
    "r5-in-progress": (reaction_r5(occurrenceDateTime=day(5), status="in-progress"), True),
    "potential": (reaction(5, actuality="potential"), False),
    # The window is 1 March to 10 April 2020.
    "february": (reaction("2020-02"), False),
    "march": (reaction("2020-03"), True),
    "april": (reaction("2020-04"), True),
    "may": (reaction("2020-05"), False),
    "year": (reaction("2020"), True),
    "year-before": (reaction("2019"), False),
    "condition": (as_condition(5), True),
    "condition-before": (as_condition(-1), False),
    "condition-undated": (as_condition(None), True),
    "condition-ended-before": (as_condition(None, abatementDateTime=day(-1)), False),
    "condition-refuted": (
        as_condition(
            5,
            verificationStatus=concept(
                "http://terminology.hl7.org/CodeSystem/condition-ver-status", "refuted"
            ),
        ),
        False,
    ),
    "condition-own-category": (
        {**as_condition(5), "category": [concept("urn:hospital", "ADR")]},
        True,
    ),
    "condition-problem": (
        {
            **as_condition(5),
            "category": [
                concept("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item")
            ],
        },
        False,
    ),
    "laboratory": (anc(5, 0.1), False),
    "after-cut-off": (reaction(39), True),
}

ADR: Resource = {
    "resourceType": "ConceptMap",
    "id": "categories",
    "status": "active",
    "group": [
        {
            "source": "urn:hospital",
            "target": CATEGORY,
            "element": [{"code": "ADR", "target": [{"code": "adverse-event", "equivalence": "equal"}]}],
        }
    ],
}


def test_an_event_is_treatment_emergent_by_its_own_onset(tmp_path: Path) -> None:
    people = [one for name, (record, _) in ONSETS.items() for one in treated(name, given(10), record)]
    both = treated("both", given(10), reaction(-1), reaction(5), reaction(6, SEPSIS))
    outcome = run(tmp_path, a=[*people, *both, ADR, *treated("seen", visit(60))])
    emergent = outcome.each("teae", "count(*)", "true group by person.resource_id")
    wanted = {name: 1 for name, (_, counts) in ONSETS.items() if counts} | {"both": 2}
    assert emergent == wanted
    assert outcome.value("teae", "n", "any") == len(wanted)
    assert outcome.value("teae", "events", "any") == sum(wanted.values())
    percent = outcome.value("teae", "percent", "any")
    assert percent is not None and abs(percent - 100 * len(wanted) / (len(ONSETS) + 2)) < 1e-9
    assert outcome.value("quality.imputed_dates", "n", "teae_onset") == 3


def suspect(code: str = "possible", instance: Resource | None = None, system: str = CAUSALITY) -> Resource:
    one: Resource = {"causality": [{"assessment": concept(system, code)}]}
    return {"suspectEntity": [one | {"instance": instance or {"reference": "Medication/nothing"}}]}


def suspect_r5(code: str, instance: Resource | None = None) -> Resource:
    one: Resource = {"causality": {"entityRelatedness": concept(NCI, code)}}
    named = instance or {"instanceCodeableConcept": concept(ATC, CLOFARABINE)}
    return {"suspectEntity": [one | named]}


def is_mentioned(system: str, code: str) -> Resource:
    return {"seriousness": concept(system, code)}


STOPPED = "http://hl7.org/fhir/us/ae-research-ig/StructureDefinition/caused-subject-to-discontinue-study"
SEVERITY = "http://hl7.org/fhir/us/ae-research-ig/StructureDefinition/severity-or-grade"

# One event → (grade, serious, related, fatal, led to discontinuation)
QUALITIES: dict[str, tuple[Resource, tuple[int | None, bool, bool, bool, bool]]] = {
    "plain": (reaction(5), (None, False, False, False, False)),
    "grade-2": (reaction(5, extension=grade("2")), (2, False, False, False, False)),
    "grade-3": (reaction(5, extension=grade("3")), (3, False, False, False, False)),
    "grade-4-ae": (
        reaction(5, extension=[{"url": SEVERITY, "valueCodeableConcept": concept("urn:any", "4")}]),
        (4, False, False, False, False),
    ),
    "grade-coding": (
        reaction(5, extension=[{"url": SEVERITY, "valueCoding": {"system": "urn:any", "code": "3"}}]),
        (3, False, False, False, False),
    ),
    "severity": (
        reaction(
            5,
            severity=concept("http://terminology.hl7.org/CodeSystem/adverse-event-severity", "severe"),
        ),
        (None, False, False, False, False),
    ),
    "not-a-grade": (
        reaction(5, extension=[{"url": SEVERITY, "valueCodeableConcept": concept("urn:any", "severe")}]),
        (None, False, False, False, False),
    ),
    "other-extension": (
        reaction(5, extension=[{"url": "urn:my-grade", "valueCodeableConcept": concept("urn:any", "3")}]),
        (None, False, False, False, False),
    ),
    "serious": (reaction(5, **is_mentioned(SERIOUSNESS, "serious")), (None, True, False, False, False)),
    "Serious": (reaction(5, **is_mentioned(SERIOUSNESS, "Serious")), (None, True, False, False, False)),
    "SeriousResultsInDeath": (
        reaction(5, **is_mentioned(SERIOUSNESS, "SeriousResultsInDeath")),
        (None, True, False, False, False),
    ),
    "Non-serious": (
        reaction(5, **is_mentioned(SERIOUSNESS, "Non-serious")),
        (None, False, False, False, False),
    ),
    "possible": (reaction(5, **suspect("possible")), (None, False, True, False, False)),
    "Possible": (reaction(5, **suspect("Possible")), (None, False, True, False, False)),
    "certain": (reaction(5, **suspect("certain")), (None, False, True, False, False)),
    "Probably-Likely": (reaction(5, **suspect("Probably-Likely")), (None, False, True, False, False)),
    "unlikely": (reaction(5, **suspect("unlikely")), (None, False, False, False, False)),
    "related-nci": (reaction(5, **suspect("C53260", system="urn:nci")), (None, False, True, False, False)),
    "unrelated-nci": (reaction(5, **suspect("C53256", system=NCI)), (None, False, False, False, False)),
    "possible-other-drug": (
        reaction(5, **suspect("possible", {"reference": "Medication/etoposide"})),
        (None, False, False, False, False),
    ),
    "possible-index-drug": (
        reaction(5, **suspect("possible", {"reference": "Medication/clofarabine"})),
        (None, False, True, False, False),
    ),
    "possible-text": (
        reaction(5, **suspect("possible", {"reference": "Medication/text"})),
        (None, False, True, False, False),
    ),
    "r5-related": (
        reaction_r5(occurrenceDateTime=day(5), **suspect_r5("C53258")),
        (None, False, True, False, False),
    ),
    "r5-unlikely": (
        reaction_r5(occurrenceDateTime=day(5), **suspect_r5("C53257")),
        (None, False, False, False, False),
    ),
    "r5-other-drug": (
        reaction_r5(
            occurrenceDateTime=day(5),
            **suspect_r5("C53260", {"instanceCodeableConcept": concept(ATC, ETOPOSIDE)}),
        ),
        (None, False, False, False, False),
    ),
    "r5-other-drug-by-reference": (
        reaction_r5(
            occurrenceDateTime=day(5),
            **suspect_r5("C53260", {"instanceReference": {"reference": "Medication/etoposide"}}),
        ),
        (None, False, False, False, False),
    ),
    "r5-index-drug-by-reference": (
        reaction_r5(
            occurrenceDateTime=day(5),
            **suspect_r5("C53260", {"instanceReference": {"reference": "Medication/clofarabine"}}),
        ),
        (None, False, True, False, False),
    ),
    "r5-fatal": (
        reaction_r5(
            occurrenceDateTime=day(5),
            outcome=[concept("urn:x", "resolved"), concept(NCI, "C48275")],
        ),
        (None, False, False, True, False),
    ),
    "fatal": (
        reaction(5, outcome=concept("http://terminology.hl7.org/CodeSystem/adverse-event-outcome", "fatal")),
        (None, False, False, True, False),
    ),
    "grade-5": (reaction(5, extension=grade("5")), (5, False, False, True, False)),
    "stopped": (
        reaction(5, extension=[{"url": STOPPED, "valueBoolean": True}]),
        (None, False, False, False, True),
    ),
    "not-stopped": (
        reaction(5, extension=[{"url": STOPPED, "valueBoolean": False}]),
        (None, False, False, False, False),
    ),
    "condition-grade": (as_condition(5, extension=grade("4")), (4, False, False, False, False)),
}

MEDICATIONS: list[Resource] = [
    {"resourceType": "Medication", "id": "etoposide", "code": concept(ATC, ETOPOSIDE)},
    {"resourceType": "Medication", "id": "clofarabine", "code": concept(ATC, CLOFARABINE)},
    {"resourceType": "Medication", "id": "text", "code": {"text": "study drug"}},
]


def test_what_is_said_of_an_event_is_read_in_every_shape(tmp_path: Path) -> None:
    people = [one for name, (record, _) in QUALITIES.items() for one in treated(name, record)]
    outcome = run(tmp_path, a=[*people, *MEDICATIONS])
    found = outcome.each("teae", "grade, is_serious, is_related, is_fatal, led_to_discontinuation")
    expected = {name: wanted for name, (_, wanted) in QUALITIES.items()}
    assert found == expected
    severe = sum((number or 0) >= 3 for number, *_ in expected.values())
    for place, level in enumerate(("serious", "related", "fatal", "led_to_discontinuation"), 1):
        assert outcome.value("teae", "n", level) == sum(bool(row[place]) for row in expected.values())
    assert outcome.value("teae", "n", "grade_3_plus") == severe
    assert outcome.value("death", "n", "all") == 3
    assert outcome.value("death", "n", "due_to_teae") == 3


def test_events_are_counted_by_organ_class_and_term_and_by_person(tmp_path: Path) -> None:
    def coded(*codes: tuple[str, str]) -> Resource:
        return {"coding": [{"system": MEDDRA, "code": code, "display": name} for code, name in codes]}

    infections, sepsis = (INFECTIONS, "Infections and infestations"), (SEPSIS, "Sepsis")
    outcome = run(
        tmp_path,
        a=[
            *treated(
                "p",
                reaction(1, event=coded(infections, sepsis)),
                reaction(9, event=coded(infections, sepsis)),
            ),
            *treated("q", reaction(1, event=coded(sepsis, infections)), reaction(9, event=coded(infections))),
            *treated("r", reaction(1, event={"text": "rash"}), reaction(-1, event=coded((FEVER, "Fever")))),
        ],
    )
    assert outcome.counts("teae.soc") == {"Infections and infestations": 2}
    assert outcome.counts("teae.soc", statistic="events") == {"Infections and infestations": 4}
    assert outcome.counts("teae.pt") == {"Sepsis": 2}
    assert outcome.counts("teae.pt", statistic="events") == {"Sepsis": 3}
    assert (outcome.value("teae", "n", "any"), outcome.value("teae", "events", "any")) == (3, 5)
    assert outcome.each("teae", "term")["r"] == "rash"


def ranged(record: Resource, low: float | None = None, high: float | None = None) -> Resource:
    unit = record["valueQuantity"]["unit"]
    limits = {
        name: {"value": number, "unit": unit, "code": unit}
        for name, number in (("low", low), ("high", high))
        if number
    }
    return {**record, "referenceRange": [limits]}


def alt(on: int | str, value: float, unit: str = "U/L") -> Resource:
    return measured(on, "1742-6", value, unit)


def haemoglobin(on: int | str, value: float, unit: str = "g/dL") -> Resource:
    return measured(on, "718-7", value, unit)


def creatinine(on: int | str, value: float, unit: str = "mg/dL") -> Resource:
    return measured(on, "2160-0", value, unit)


NEUTROPHILS, THROMBOCYTES, ANEMIA, ALT = (
    "Neutrophil count decreased",
    "Platelet count decreased",
    "Anemia",
    "Alanine aminotransferase increased",
)

# The values of a person → term and worst grade
GRADES: dict[str, tuple[list[Resource], tuple[str, int]]] = {
    "anc-0": ([anc(5, 1.5)], (NEUTROPHILS, 0)),
    "anc-2": ([anc(5, 1.49)], (NEUTROPHILS, 2)),
    "anc-1-bound": ([anc(5, 1.5, "10*9/L"), anc(6, 1500, "/uL")], (NEUTROPHILS, 0)),
    "anc-2-bound": ([anc(5, 1000, "/uL")], (NEUTROPHILS, 2)),
    "anc-3": ([anc(5, 999, "/uL")], (NEUTROPHILS, 3)),
    "anc-3-bound": ([anc(5, 500, "/uL")], (NEUTROPHILS, 3)),
    "anc-4": ([anc(5, 499, "/uL"), anc(6, 3)], (NEUTROPHILS, 4)),
    "anc-below": ([anc(5, 0.1, comparator="<")], (NEUTROPHILS, 4)),
    "anc-day-30": ([anc(0, 0.1), anc(30, 3)], (NEUTROPHILS, 0)),
    "anc-day-31": ([anc(30, 3), anc(31, 0.1)], (NEUTROPHILS, 0)),
    "anc-range": ([ranged(anc(5, 1.7), low=1.8)], (NEUTROPHILS, 1)),
    "platelets-1": ([platelets(5, 149)], (THROMBOCYTES, 1)),
    "platelets-1-bound": ([platelets(5, 75)], (THROMBOCYTES, 1)),
    "platelets-2": ([platelets(5, 74)], (THROMBOCYTES, 2)),
    "platelets-3": ([platelets(5, 49)], (THROMBOCYTES, 3)),
    "platelets-3-bound": ([platelets(5, 25)], (THROMBOCYTES, 3)),
    "platelets-4": ([platelets(5, 24)], (THROMBOCYTES, 4)),
    "platelets-range": ([ranged(platelets(5, 145), low=140)], (THROMBOCYTES, 0)),
    "anemia-0": ([haemoglobin(5, 12)], (ANEMIA, 0)),
    "anemia-1": ([haemoglobin(5, 10)], (ANEMIA, 1)),
    "anemia-2": ([haemoglobin(5, 9.9)], (ANEMIA, 2)),
    "anemia-2-bound": ([haemoglobin(5, 80, "g/L")], (ANEMIA, 2)),
    "anemia-3": ([haemoglobin(5, 7.9)], (ANEMIA, 3)),
    "anemia-3-at-most": ([haemoglobin(5, 2)], (ANEMIA, 3)),
    # Limit 40: normal at baseline, so multiples of it.
    "alt-0": ([alt(5, 40)], (ALT, 0)),
    "alt-1": ([alt(5, 120)], (ALT, 1)),
    "alt-2": ([alt(5, 121)], (ALT, 2)),
    "alt-2-bound": ([alt(5, 200)], (ALT, 2)),
    "alt-3": ([alt(5, 201)], (ALT, 3)),
    "alt-3-bound": ([alt(5, 800)], (ALT, 3)),
    "alt-4": ([alt(5, 801)], (ALT, 4)),
    # Abnormal at baseline, 100: multiples of the baseline, from 1.5.
    "alt-base-0": ([alt(-1, 100), alt(5, 149)], (ALT, 0)),
    "alt-base-1": ([alt(-1, 100), alt(5, 300)], (ALT, 1)),
    "alt-base-2": ([alt(-1, 100), alt(5, 500)], (ALT, 2)),
    "alt-base-3": ([alt(-1, 100), alt(5, 501)], (ALT, 3)),
    "alt-base-4": ([alt(-1, 100), alt(5, 2001)], (ALT, 4)),
    "alt-base-range": ([ranged(alt(-1, 100), high=110), ranged(alt(5, 331), high=110)], (ALT, 2)),
}


def test_laboratory_values_are_graded_by_ctcae(tmp_path: Path) -> None:
    people = [one for name, (records, _) in GRADES.items() for one in treated(name, *records)]
    in_error = treated("in-error", anc(5, 0.1, status="entered-in-error"))
    baseline_only = treated("baseline-only", anc(-5, 0.1), alt(0, 900))
    outcome = run(tmp_path, a=people + in_error + baseline_only)
    found = outcome.each("lab_grade", "term, worst_grade")
    assert found == {name: wanted for name, (_, wanted) in GRADES.items()}
    for term in (NEUTROPHILS, THROMBOCYTES, ANEMIA, ALT):
        graded = [worst for _, (of, worst) in GRADES.values() if of == term]
        for number in range(5):
            level = f"{term} grade {number}"
            assert outcome.value("lab.worst_grade", "n", level) == graded.count(number)
            percent = outcome.value("lab.worst_grade", "percent", level)
            assert percent is not None and abs(percent - 100 * graded.count(number) / len(graded)) < 1e-9
    assert outcome.value("lab.worst_grade", "n", "Creatinine increased grade 3") == 0
    assert outcome.value("teae", "n", "any") == 0


def test_a_condition_that_is_no_event_and_a_laboratory_value_are_no_adverse_events(tmp_path: Path) -> None:
    records = [leukaemia(3, code=concept(ICD10, "D70")), observed(4, LOINC, "751-8", valueString="low")]
    outcome = run(tmp_path, a=treated("p", *records, creatinine(4, 9)))
    assert outcome.value("teae", "events", "any") == 0
    # 9 mg/dL is 795.6 µmol/L, of a limit of 80: more than six times.
    assert outcome.value("lab.worst_grade", "n", "Creatinine increased grade 4") == 1
