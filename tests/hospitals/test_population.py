"""Who is counted, and from when: doses, regimens, diagnoses, ages, items. By hand from docs/clinical-rules.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hospitals.builder import (
    CLOFARABINE,
    ETOPOSIDE,
    ICD10,
    KCD,
    SNOMED,
    Outcome,
    assessed_as,
    concept,
    day,
    dispensed,
    done,
    given,
    item,
    leukaemia,
    observed,
    ordered,
    person,
    run,
    stated,
    treated,
    visit,
)

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"

# A person with a leukaemia and these records of the index drug → the level of evidence; none where no dose counts.
LEVELS = {
    "admin-completed": ([given()], "administered"),
    "admin-in-progress": ([given(status="in-progress")], "administered"),
    "admin-stopped": ([given(status="stopped")], "administered"),
    "admin-not-done": ([given(status="not-done")], None),
    "admin-on-hold": ([given(status="on-hold")], None),
    "admin-unknown": ([given(status="unknown")], None),
    "admin-in-error": ([given(status="entered-in-error")], None),
    "not-done-but-ordered": ([given(status="not-done"), ordered()], "ordered"),
    "dispense-completed": ([dispensed()], "dispensed"),
    "dispense-in-progress": ([dispensed(status="in-progress")], "dispensed"),
    "dispense-stopped": ([dispensed(status="stopped")], None),
    "dispense-cancelled": ([dispensed(status="cancelled")], None),
    "statement-active": ([stated()], "stated"),
    "statement-completed": ([stated(status="completed")], "stated"),
    "statement-intended": ([stated(status="intended")], None),
    "statement-not-taken": ([stated(status="not-taken")], None),
    "statement-r5": (
        [
            {
                "resourceType": "MedicationStatement",
                "status": "recorded",
                "medication": {"concept": concept(RXNORM, "44151")},
                "effectivePeriod": {"start": day(0)},
            }
        ],
        "stated",
    ),
    "order-active": ([ordered()], "ordered"),
    "order-completed": ([ordered(status="completed")], "ordered"),
    "order-stopped": ([ordered(status="stopped")], None),
    "order-draft": ([ordered(status="draft")], None),
    "order-plan": ([ordered(intent="plan")], None),
    "order-proposal": ([ordered(intent="proposal")], None),
    "order-original": ([ordered(intent="original-order")], None),
    "order-do-not": ([ordered(doNotPerform=True)], None),
    "order-do": ([ordered(doNotPerform=False)], "ordered"),
    "all-four": ([ordered(-9), stated(-8), dispensed(-7), given()], "administered"),
    "three": ([ordered(-9), stated(-8), dispensed()], "dispensed"),
    "two": ([ordered(-9), stated()], "stated"),
    "after-cut-off": ([given("2022-01-01"), ordered()], "ordered"),
    "admin-r5": (
        [
            {
                "resourceType": "MedicationAdministration",
                "status": "completed",
                "medication": {"concept": concept(RXNORM, "1163761")},
                "occurenceDateTime": day(0),
            }
        ],
        "administered",
    ),
    "admin-r5-spelt-well": (
        [
            {
                "resourceType": "MedicationAdministration",
                "status": "completed",
                "medication": {"concept": concept(RXNORM, "486419")},
                "occurrencePeriod": {"start": day(0), "end": day(1)},
            }
        ],
        "administered",
    ),
    "period": (
        [{**given(), "effectiveDateTime": None, "effectivePeriod": {"start": day(0)}}],
        "administered",
    ),
    "another-drug": ([given(drug=ETOPOSIDE)], None),
    "text-only": ([{**given(), "medicationCodeableConcept": {"text": "clofarabine"}}], None),
    "wrong-system": ([{**given(), "medicationCodeableConcept": concept("urn:other", CLOFARABINE)}], None),
}


def without_nulls(record: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in record.items() if value is not None}


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    people = [
        one
        for name, (records, _) in LEVELS.items()
        for one in person(name, leukaemia(), *map(without_nulls, records))
    ]
    return run(tmp_path_factory.mktemp("levels"), cutoff="2021-12-31", a=people)


def test_only_the_best_level_of_evidence_of_counted_records_is_used(levels: Outcome) -> None:
    found = levels.each("cohort", "evidence_level")
    assert found == {name: level for name, (_, level) in LEVELS.items() if level}
    expected = [level for _, level in LEVELS.values()]
    assert levels.counts("exposure.evidence") == {one: expected.count(one) for one in set(expected) if one}
    assert levels.value("attrition", "n", "treated") == sum(one is not None for one in expected)
    assert levels.value("attrition", "n", "known") == len(LEVELS)


def test_the_index_date_comes_from_the_records_of_the_best_level(levels: Outcome) -> None:
    assert {str(one) for one in levels.each("cohort", "index_date").values()} == {day(0)}


# doses of the index drug on these days → (cycles, doses, days of exposure)
COURSES = {
    "gap-6": ([0, 6], (1, 2, 7)),
    "gap-7": ([0, 7], (2, 2, 8)),
    "five-days": ([0, 1, 2, 3, 4], (1, 5, 5)),
    "two-courses": ([0, 1, 2, 28, 29], (2, 5, 30)),
    "chain-of-sixes": ([0, 6, 12, 18], (1, 4, 19)),
    "twice-a-day": ([0, 0], (1, 2, 1)),
}

# doses of etoposide, beside the index drug on days 0 and 10 → (regimen, new therapy on)
REGIMENS = {
    "before-8": ([-8], ("monotherapy", None)),
    "before-7": ([-7], ("combination", None)),
    "between": ([5], ("combination", None)),
    "after-7": ([17], ("combination", None)),
    "after-8": ([18], ("monotherapy", day(18))),
    "both": ([17, 18, 40], ("combination", day(18))),
    "none": ([], ("monotherapy", None)),
}


def test_cycles_regimens_and_new_therapy_follow_the_gaps_between_doses(tmp_path: Path) -> None:
    people = [
        one
        for name, (days, _) in COURSES.items()
        for one in person(name, leukaemia(), [given(number) for number in days])
    ] + [
        one
        for name, (days, _) in REGIMENS.items()
        for one in person(
            name, leukaemia(), given(0), given(10), [given(number, ETOPOSIDE) for number in days]
        )
    ]
    not_done = person("not-done", leukaemia(), given(), given(3, ETOPOSIDE, status="not-done"))
    # The other drug's best level is its own: the order alone isn't used where it was given.
    order = person("order", leukaemia(), given(), given(-30, ETOPOSIDE), ordered(0, ETOPOSIDE))
    again = person("again", leukaemia(), given(), given(100))
    outcome = run(tmp_path, a=people + not_done + order + again)
    shape = outcome.each("cohort", "cycles, doses, exposure_days")
    assert {name: shape[name] for name in COURSES} == {name: wanted for name, (_, wanted) in COURSES.items()}
    regimen = outcome.each("cohort", "regimen, new_therapy_on::varchar")
    assert {name: regimen[name] for name in REGIMENS} == {n: wanted for n, (_, wanted) in REGIMENS.items()}
    assert (regimen["not-done"], regimen["order"]) == (("monotherapy", None), ("monotherapy", None))
    # The index drug given again later is no new therapy.
    assert regimen["again"] == ("monotherapy", None)
    assert outcome.counts("exposure.regimen") == {"combination": 4, "monotherapy": 12}
    assert outcome.value("disposition", "n", "new_therapy") == 2


# the conditions of a person treated on day 0 → is diagnosed
DIAGNOSES = {
    "before": ([leukaemia(-100)], True),
    "day-30": ([leukaemia(30)], True),
    "day-31": ([leukaemia(31)], False),
    "onset-first": ([leukaemia(31, recordedDate=day(0))], False),
    "recorded-30": ([leukaemia(None, recordedDate=day(30))], True),
    "recorded-31": ([leukaemia(None, recordedDate=day(31))], False),
    "undated": ([leukaemia(None)], True),
    "refuted": ([leukaemia(verificationStatus=concept(VERIFICATION, "refuted"))], False),
    "in-error": ([leukaemia(verificationStatus=concept(VERIFICATION, "entered-in-error"))], False),
    "provisional": ([leukaemia(verificationStatus=concept(VERIFICATION, "provisional"))], True),
    "refuted-and-another": (
        [leukaemia(verificationStatus=concept(VERIFICATION, "refuted")), leukaemia(-10)],
        True,
    ),
    "another-disease": ([leukaemia(code=concept(ICD10, "C92.0"))], False),
    "korean": ([leukaemia(code=concept(KCD, "C91.0"))], True),
    "icd-10-cm": ([leukaemia(code=concept("http://hl7.org/fhir/sid/icd-10-cm", "C91.00"))], True),
    "snomed": ([leukaemia(code=concept(SNOMED, "91857003"))], True),
    # Mid March, after day 0: bounded by the index date. April 2020 is the 15th, day 45.
    "partial-march": ([leukaemia("2020-03")], True),
    "partial-april": ([leukaemia("2020-04")], False),
    "partial-year": ([leukaemia("2020")], True),
    "period": ([leukaemia(None, onsetPeriod={"start": day(31)})], False),
    "time-zone": ([leukaemia("2020-03-31T23:30:00-05:00")], True),
    "none": ([], False),
}


def test_a_diagnosis_counts_up_to_thirty_days_after_the_index_date(tmp_path: Path) -> None:
    people = [
        one for name, (records, _) in DIAGNOSES.items() for one in person(name, *records, given())
    ] + person("never-treated", leukaemia(4000))
    outcome = run(tmp_path, a=people)
    assert set(outcome.each("cohort", "age")) == {name for name, (_, counts) in DIAGNOSES.items() if counts}
    diagnosed = sum(counts for _, counts in DIAGNOSES.values())
    assert outcome.counts("attrition") == {
        "known": len(DIAGNOSES) + 1,
        "diagnosed": diagnosed,
        "treated": diagnosed,
    }


# birth date, index date, diagnosis → age at index, age at diagnosis
AGES = {
    "birthday": ("2010-03-01", "2020-03-01", "2015-02-28", (10, 4)),
    "day-before": ("2010-03-02", "2020-03-01", "2015-03-02", (9, 5)),
    "leap-28": ("2012-02-29", "2021-02-28", "2020-02-29", (8, 8)),
    "leap-1": ("2012-02-29", "2021-03-01", "2020-02-28", (9, 7)),
    "local": ("2010-03-01", "2020-03-01T00:30:00+09:00", "2015-03-01", (10, 5)),
    "newborn": ("2020-03-01", "2020-03-01", "2020-03-01", (0, 0)),
    # 1 July 2010, and 15 June 2010.
    "year": ("2010", "2020-07-01", "2015-06-30", (10, 4)),
    "month": ("2010-06", "2020-06-14", "2015-06-15", (9, 5)),
    "none": (None, "2020-03-01", "2015-01-01", (None, None)),
    # A birth that contradicts the day gives no age; one of the same year, imputed later than the day, gives 0.
    "born-after-index": ("2020-03-02", "2020-03-01", "2015-01-01", (None, None)),
    "born-in-a-later-year": ("2021", "2020-03-01", "2015-01-01", (None, None)),
    "born-after-diagnosis": ("2010-03-02", "2020-03-01", "2010-03-01", (9, None)),
    "born-in-a-later-month": ("2010-04", "2020-03-01", "2010-03", (9, None)),
    "born-in-the-year": ("2010", "2020-03-01", "2010-03-01", (9, 0)),
}


def test_age_is_in_completed_years_of_the_local_date(tmp_path: Path) -> None:
    people = []
    for name, (born, treated_on, diagnosed_on, _) in AGES.items():
        made = person(name, leukaemia(treated_on), leukaemia(diagnosed_on), given(treated_on))
        made[0] = without_nulls({**made[0], "birthDate": born})
        people += made
    outcome = run(tmp_path, a=people)
    ages = outcome.each("cohort", "age, age_at_diagnosis")
    assert ages == {name: wanted for name, (*_, wanted) in AGES.items()}
    assert outcome.value("baseline.age", "missing") == 3
    assert outcome.value("baseline.age", "min") == 0
    assert outcome.value("baseline.age_at_diagnosis", "missing") == 5
    assert outcome.value("baseline.age_at_diagnosis", "min") == 0
    assert outcome.value("quality.imputed_dates", "n", "birth") == 5
    found = {(rule, patient) for rule, patient in outcome.findings("Patient") if rule.startswith("birth:")}
    assert found == {
        ("birth:after-treatment", "born-after-index"),
        ("birth:after-treatment", "born-in-a-later-year"),
        ("birth:after-diagnosis", "born-after-index"),
        ("birth:after-diagnosis", "born-in-a-later-year"),
        ("birth:after-diagnosis", "born-after-diagnosis"),
        ("birth:after-diagnosis", "born-in-a-later-month"),
    }
    assert outcome.counts("quality.contradictory_dates") == {
        "birth_after_treatment": 2,
        "birth_after_diagnosis": 4,
    }


# the records of a treated person → (phenotype, prior regimens, refractory, completed follow-up)
ITEMS = {
    "b-cell": ([leukaemia(code=concept(SNOMED, "277571004"))], ("B-cell", None, "missing", False)),
    "t-cell": ([leukaemia(code=concept(SNOMED, "277575008"))], ("T-cell", None, "missing", False)),
    "icd": ([leukaemia(code=concept(ICD10, "C91.0"))], ("unknown", None, "missing", False)),
    "prior-0": ([item(0, "prior-regimens", valueInteger=2)], ("unknown", 2, "missing", False)),
    "prior-last": (
        [item(-9, "prior-regimens", valueInteger=2), item(-2, "prior-regimens", valueInteger=3)],
        ("unknown", 3, "missing", False),
    ),
    "prior-later": ([item(1, "prior-regimens", valueInteger=2)], ("unknown", None, "missing", False)),
    "prior-text": ([item(-1, "prior-regimens", valueString="4")], ("unknown", 4, "missing", False)),
    "prior-quantity": (
        [item(-1, "prior-regimens", valueQuantity={"value": 2})],
        ("unknown", 2, "missing", False),
    ),
    "prior-twice": (
        [item(-1, "prior-regimens", valueInteger=2), item(-1, "prior-regimens", valueInteger=5)],
        ("unknown", 5, "missing", False),
    ),
    "prior-in-error": (
        [item(-1, "prior-regimens", valueInteger=2, status="entered-in-error")],
        ("unknown", None, "missing", False),
    ),
    # The dose has no time, the value has: neither before it nor both without one.
    "same-day-timed": (
        [item(day(0, "T07:00:00+09:00"), "prior-regimens", valueInteger=2)],
        ("unknown", None, "missing", False),
    ),
    "refractory": ([item(-1, "refractory", valueBoolean=True)], ("unknown", None, "yes", False)),
    "not-refractory": ([item(-1, "refractory", valueBoolean=False)], ("unknown", None, "no", False)),
    "refractory-empty": (
        [item(-5, "refractory", valueBoolean=True), item(-1, "refractory")],
        ("unknown", None, "yes", False),
    ),
    "completed": ([item(200, "completed-follow-up", valueBoolean=True)], ("unknown", None, "missing", True)),
    "not-completed": (
        [item(200, "completed-follow-up", valueBoolean=False)],
        ("unknown", None, "missing", False),
    ),
}


def test_items_recorded_for_the_study_are_read_at_baseline(tmp_path: Path) -> None:
    people = [one for name, (records, _) in ITEMS.items() for one in treated(name, *records)]
    timed = person(
        "timed",
        leukaemia(),
        given(day(0, "T09:00:00+09:00")),
        item(day(0, "T08:00:00+09:00"), "prior-regimens", valueInteger=2),
        item(day(0, "T10:00:00+09:00"), "prior-regimens", valueInteger=7),
        item(0, "refractory", valueBoolean=True),
    )
    outcome = run(tmp_path, a=people + timed)
    found = outcome.each("cohort", "phenotype, prior_regimens, refractory, completed_follow_up")
    assert {name: found[name] for name in ITEMS} == {name: wanted for name, (_, wanted) in ITEMS.items()}
    # An untimed value of the day of a timed dose is none of baseline.
    assert found["timed"] == ("unknown", 2, "missing", False)
    assert outcome.counts("baseline.phenotype") == {"B-cell": 1, "T-cell": 1, "unknown": 15}
    assert outcome.counts("baseline.refractory") == {"yes": 2, "no": 1, "missing": 14}
    assert outcome.value("baseline.prior_regimens", "n") == 6
    assert outcome.value("baseline.prior_regimens", "missing") == 11
    assert outcome.value("disposition", "n", "completed_follow_up") == 1


def test_the_index_date_is_the_local_date_as_written(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        a=[
            *person("late", leukaemia(), given("2020-03-01T23:30:00+09:00")),
            *person("zulu", leukaemia(), given("2020-03-01T23:30:00Z")),
            *person("west", leukaemia(), given("2020-03-01T23:30:00-08:00")),
            *person("month", leukaemia("2020-01-05"), given("2020-03"), visit("2020-04-01")),
        ],
    )
    days = outcome.each("cohort", "index_date::varchar")
    assert days == {"late": day(0), "zulu": day(0), "west": day(0), "month": "2020-03-15"}
    assert outcome.value("quality.imputed_dates", "n", "dose") == 1


def test_a_number_of_unused_kinds_of_records_changes_nothing(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        a=treated(
            "p",
            observed(3, "http://loinc.org", "99999-9"),
            {"resourceType": "Provenance", "recorded": day(0, "T00:00:00Z")},
            done(5, "1234"),
            assessed_as(-3, "CR"),
        ),
    )
    assert outcome.value("quality.resources", "n", "not_asked_for") == 1
    assert outcome.counts("response.not_evaluable") == {"no_assessment": 1}
    assert outcome.value("response.agreement", "n") == 0
