"""Deaths, last contacts and the cut-off. Expected by hand from docs/clinical-rules.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.hospitals.builder import (
    ETOPOSIDE,
    LOINC,
    MEDDRA,
    NCI,
    SNOMED,
    Outcome,
    Resource,
    complete,
    concept,
    day,
    dispensed,
    given,
    grade,
    leukaemia,
    marrow,
    measured,
    observed,
    ordered,
    person,
    reaction,
    run,
    stated,
    transplant,
    treated,
    visit,
)

DISPOSITION = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
OUTCOME = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"


def discharged(on: int, code: str, system: str = DISPOSITION, **fields: Any) -> Resource:
    return visit(on - 3, on, hospitalization={"dischargeDisposition": concept(system, code)}, **fields)


def discharged_r5(on: int) -> Resource:
    return {
        "resourceType": "Encounter",
        "status": "completed",
        "actualPeriod": {"start": day(on - 3), "end": day(on)},
        "admission": {"dischargeDisposition": concept(DISPOSITION, "exp")},
    }


def fatal(on: int | None, **fields: Any) -> Resource:
    return reaction(on, outcome=concept(OUTCOME, "fatal"), **fields)


def fatal_r5(**fields: Any) -> Resource:
    base = {"resourceType": "AdverseEvent", "status": "completed", "actuality": "actual"}
    return base | {"code": concept(MEDDRA, "10016288"), "outcome": [concept(OUTCOME, "fatal")]} | fields


def cause(on: int, code: str, system: str = MEDDRA) -> Resource:
    return observed(on, LOINC, "69453-9", valueCodeableConcept=concept(system, code))


AFTER = "record_after_death"
SNOMED_DEATH = observed(50, SNOMED, "419620001", valueBoolean=True)

# Patient's fields, records → (day of death, kind of source, days and event of overall survival); None for the living
DEATHS: dict[str, tuple[dict[str, Any], list[Resource], tuple[int | None, str | None, int, int]]] = {
    "alive": ({}, [visit(60)], (None, None, 60, 0)),
    "deceased-date": ({"deceasedDateTime": day(40)}, [], (40, "patient", 40, 1)),
    "deceased-time": ({"deceasedDateTime": day(40, "T23:30:00+09:00")}, [], (40, "patient", 40, 1)),
    "not-deceased": ({"deceasedBoolean": False}, [visit(60)], (None, None, 60, 0)),
    "undated": ({"deceasedBoolean": True}, [visit(60)], (60, "patient", 60, 1)),
    "undated-no-contact": ({"deceasedBoolean": True}, [], (0, "patient", 0, 1)),
    "undated-and-observed": ({"deceasedBoolean": True}, [SNOMED_DEATH], (50, "observation", 50, 1)),
    "observed": ({}, [SNOMED_DEATH], (50, "observation", 50, 1)),
    "observed-value": (
        {},
        [observed(51, LOINC, "99999-1", valueCodeableConcept=concept(SNOMED, "419099009"))],
        (51, "observation", 51, 1),
    ),
    "observed-in-error": ({}, [{**SNOMED_DEATH, "status": "entered-in-error"}], (None, None, 0, 0)),
    "observed-no": ({}, [{**SNOMED_DEATH, "valueBoolean": False}], (None, None, 50, 0)),
    "discharged": ({}, [discharged(52, "exp")], (52, "encounter", 52, 1)),
    "discharged-r5": ({}, [discharged_r5(52)], (52, "encounter", 52, 1)),
    "discharged-home": ({}, [discharged(52, "home")], (None, None, 52, 0)),
    "discharged-unmapped": ({}, [discharged(52, "DIED", "urn:hospital")], (None, None, 52, 0)),
    "discharged-exp-unmapped": ({}, [discharged(52, "exp", "urn:hospital")], (None, None, 52, 0)),
    "discharged-mapped": ({}, [discharged(52, "9", "urn:hospital")], (52, "encounter", 52, 1)),
    "discharged-cancelled": ({}, [discharged(52, "exp", status="cancelled")], (None, None, 0, 0)),
    "fatal": ({}, [fatal(53)], (53, "adverse_event", 53, 1)),
    "fatal-nci": ({}, [reaction(53, outcome=concept(NCI, "C48275"))], (53, "adverse_event", 53, 1)),
    "fatal-grade-5": ({}, [reaction(53, extension=grade("5"))], (53, "adverse_event", 53, 1)),
    "fatal-potential": ({}, [fatal(53, actuality="potential")], (None, None, 0, 0)),
    "fatal-r5-end": (
        {},
        [fatal_r5(occurrencePeriod={"start": day(30), "end": day(54)})],
        (54, "adverse_event", 54, 1),
    ),
    "fatal-r5-date": ({}, [fatal_r5(occurrenceDateTime=day(53))], (53, "adverse_event", 53, 1)),
    "fatal-r5-in-error": (
        {},
        [fatal_r5(occurrenceDateTime=day(53), status="entered-in-error")],
        (None, None, 0, 0),
    ),
    "fatal-undated": ({}, [fatal(None), visit(20)], (20, "adverse_event", 20, 1)),
    # In the protocol's order, whatever the dates.
    "all-four": (
        {"deceasedDateTime": day(60)},
        [SNOMED_DEATH, discharged(52, "exp"), fatal(53)],
        (60, "patient", 60, 1),
    ),
    "three": ({}, [SNOMED_DEATH, discharged(49, "exp"), fatal(53)], (50, "observation", 50, 1)),
    "two": ({}, [discharged(54, "exp"), fatal(53)], (54, "encounter", 54, 1)),
    # 31 December 2021 is the cut-off, day 670.
    "on-the-cut-off": ({"deceasedDateTime": day(670)}, [], (670, "patient", 670, 1)),
    "after-the-cut-off": ({"deceasedDateTime": day(671)}, [visit(600)], (None, None, 600, 0)),
    "first-source-after": (
        {"deceasedDateTime": day(671)},
        [observed(600, SNOMED, "419620001", valueBoolean=True)],
        (None, None, 600, 0),
    ),
    "month": ({"deceasedDateTime": "2020-05"}, [], (75, "patient", 75, 1)),
    "month-of-index": ({"deceasedDateTime": "2020"}, [], (122, "patient", 122, 1)),
    "month-of-cut-off": ({"deceasedDateTime": "2021-12"}, [], (654, "patient", 654, 1)),
}

# The records of a living person → day of the last contact; the dose on day 0 is one.
CONTACTS: dict[str, tuple[list[Resource], int]] = {
    "visit-end": ([visit(10, 20)], 20),
    "visit-start": ([visit(10)], 10),
    "visit-open-in-progress": ([visit(10, status="in-progress")], 10),
    "visit-planned": ([visit(10, status="planned")], 0),
    "visit-r5-discharged": ([{**discharged_r5(30), "admission": {}, "status": "discharged"}], 30),
    "visit-over-cut-off": ([visit(660, 700)], 660),
    "visit-month": ([visit("2020-05")], 0),
    "other-drug": ([given(12, "N02BE01")], 12),
    "other-drug-not-done": ([given(12, "N02BE01", status="not-done")], 0),
    "dispensed": ([dispensed(13, "N02BE01")], 13),
    "stated": ([stated(14, "N02BE01")], 0),
    "ordered": ([ordered(15, ETOPOSIDE)], 0),
    "observation": ([measured(16, "9999-9", 1, "1")], 16),
    "observation-cancelled": ([measured(16, "9999-9", 1, "1", status="cancelled")], 0),
    "observation-no-value": ([observed(17, LOINC, "9999-9")], 17),
    "procedure": ([transplant(18)], 18),
    "procedure-start": (
        [
            {
                "resourceType": "Procedure",
                "status": "completed",
                "code": concept(SNOMED, "1"),
                "performedPeriod": {"start": day(18), "end": day(25)},
            }
        ],
        18,
    ),
    "procedure-not-done": ([transplant(18, status="not-done")], 0),
    "adverse-event": ([reaction(19)], 19),
    "adverse-event-potential": ([reaction(19, actuality="potential")], 0),
    "condition-recorded": ([leukaemia(-50, recordedDate=day(21))], 21),
    "condition-onset": ([leukaemia(21)], 0),
    "specimen": ([{"resourceType": "Specimen", "collection": {"collectedDateTime": day(22)}}], 0),
    "observation-year": ([measured("2021", "9999-9", 1, "1")], 0),
    "after-cut-off": ([measured(671, "9999-9", 1, "1")], 0),
    "at-cut-off": ([measured(670, "9999-9", 1, "1")], 670),
    "night": ([measured(day(23, "T23:59:00-11:00"), "9999-9", 1, "1")], 23),
}

MAP: Resource = {
    "resourceType": "ConceptMap",
    "id": "discharges",
    "status": "active",
    "group": [
        {
            "source": "urn:hospital",
            "target": DISPOSITION,
            "element": [{"code": "9", "target": [{"code": "exp", "equivalence": "equivalent"}]}],
        }
    ],
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    people = [
        one for name, (fields, records, _) in DEATHS.items() for one in treated(name, *records, **fields)
    ]
    living = [one for name, (records, _) in CONTACTS.items() for one in treated(name, *records)]
    dead = treated("dead", visit(30, 90), measured(50, "9999-9", 1, "1"), deceasedDateTime=day(45))
    return run(tmp_path_factory.mktemp("deaths"), cutoff="2021-12-31", a=[*people, MAP], b=living, c=dead)


def test_each_kind_of_source_tells_of_a_death_in_the_protocols_order(outcome: Outcome) -> None:
    deaths = outcome.each("cohort", "death_on - index_date, death_kind", "record.site = 'a'")
    survival = outcome.each("endpoint", "days, status", "endpoint = 'overall_survival' and record.site = 'a'")
    found = {name: (*deaths[name], *survival[name]) for name in DEATHS}
    expected = {name: wanted for name, (*_, wanted) in DEATHS.items()}
    assert found == expected
    dead = sum(wanted[0] is not None for wanted in expected.values())
    assert outcome.value("death", "n", "all", group="site=a") == dead
    assert outcome.value("overall_survival", "events", group="site=a") == dead
    assert outcome.value("disposition", "n", "died") == dead + 1
    # Undated: three, and one fatal event. Partial: three.
    assert outcome.value("quality.imputed_dates", "n", "death") == 6


def test_the_last_contact_is_the_last_whole_date_of_a_counted_record(outcome: Outcome) -> None:
    found = outcome.each("endpoint", "days", "endpoint = 'overall_survival' and record.site = 'b'")
    assert found == {name: wanted for name, (_, wanted) in CONTACTS.items()}
    assert outcome.value("overall_survival", "max", group="site=b") == 670 / 7


def test_contacts_after_the_death_are_none_and_a_visit_over_it_began_before(outcome: Outcome) -> None:
    found = outcome.each("cohort", "last_contact_on - index_date, death_on - index_date", "record.site = 'c'")
    assert found == {"dead": (30, 45)}


# Patient's fields, records → (day of death, days and event of overall survival, kinds of contradiction)
CONTRADICTED: dict[str, tuple[dict[str, Any], list[Resource], tuple[int, int, int], set[str]]] = {
    "day-before": ({"deceasedDateTime": day(-1)}, [visit(30)], (-1, 0, 0), {"death_before_treatment", AFTER}),
    "on-the-day": ({"deceasedDateTime": day(0)}, [], (0, 0, 1), set()),
    # The month before; the month of the first dose, which the death can't pass.
    "month-before": ({"deceasedDateTime": "2020-02"}, [], (-15, 0, 0), {"death_before_treatment", AFTER}),
    "month": ({"deceasedDateTime": "2020-03"}, [visit(15)], (14, 14, 1), {AFTER}),
    "seen-that-day": ({"deceasedDateTime": day(20)}, [visit(20)], (20, 20, 1), set()),
    "seen-later": ({"deceasedDateTime": day(20)}, [*complete(21)], (20, 20, 1), {AFTER}),
    "stay": ({"deceasedDateTime": day(20)}, [visit(10, 30)], (20, 20, 1), set()),
    "recorded-later": (
        {"deceasedDateTime": day(20)},
        [leukaemia(-50, recordedDate=day(30))],
        (20, 20, 1),
        set(),
    ),
    "cause-later": ({"deceasedDateTime": day(20)}, [cause(30, "10061288")], (20, 20, 1), set()),
    "ordered-later": ({"deceasedDateTime": day(20)}, [ordered(30, ETOPOSIDE)], (20, 20, 1), set()),
    "undated": ({"deceasedBoolean": True}, [visit(30)], (30, 30, 1), set()),
    "after-cut-off": ({"deceasedDateTime": day(20)}, [visit(671)], (20, 20, 1), set()),
    # Whichever source is right, nothing follows; the one that is used is the earlier.
    "two-sources": (
        {"deceasedDateTime": day(20)},
        [visit(30), observed(40, SNOMED, "419620001", valueBoolean=True)],
        (20, 20, 1),
        {AFTER},
    ),
}


def test_dates_that_a_death_contradicts_are_counted_and_found(tmp_path: Path) -> None:
    people = [
        one
        for name, (fields, records, *_) in CONTRADICTED.items()
        for one in treated(name, *records, **fields)
    ]
    outcome = run(tmp_path, cutoff="2021-12-31", a=people)
    deaths = outcome.each("cohort", "death_on - index_date")
    survival = outcome.each("endpoint", "days, status", "endpoint = 'overall_survival'")
    kinds = outcome.each("contradictory_date", "array_agg(distinct kind)", "true group by all")
    found = {name: ((deaths[name], *survival[name]), set(kinds.get(name, []))) for name in CONTRADICTED}
    assert found == {name: (wanted, kinds) for name, (*_, wanted, kinds) in CONTRADICTED.items()}
    assert outcome.counts("quality.contradictory_dates") == {
        "death_before_treatment": 2,
        "record_after_death": 5,
    }
    # Everybody is a death; survival lacks the events of the two who died before the first dose, and says so.
    assert outcome.value("death", "n", "all") == len(CONTRADICTED)
    assert outcome.value("overall_survival", "events") == len(CONTRADICTED) - 2
    assert ("death", "all", "all", "warning_death_before_treatment", "") in outcome.rows()
    assert ("overall_survival", "all", "", "warning_death_before_treatment", "") in outcome.rows()
    assert outcome.findings("Patient") == [
        ("death:before-treatment", "day-before"),
        ("death:before-treatment", "month-before"),
        ("death:conflicting-dates", "two-sources"),
    ]
    found = [(rule, id) for rule, id in outcome.findings("Encounter") if rule == "record:after-death"]
    assert found == [("record:after-death", "after-cut-off-2"), ("record:after-death", "day-before-2")]
    assert outcome.counts("quality.finding")["record:after-death"] == 7


def test_what_is_imputed_is_not_after_the_death_that_is_used(tmp_path: Path) -> None:
    # The middle of 2020 is 1 July. In May the death is taken to be on the 15th, day 75: the transplant was before it.
    people = [
        *treated("month", transplant("2020"), deceasedDateTime="2020-05"),
        *treated("day", transplant("2020"), deceasedDateTime=day(40)),
        *treated("alive", transplant("2020"), visit(400)),
        # The month after the death contradicts it, and stays as it is.
        *treated("later", transplant("2020-06"), deceasedDateTime="2020-05"),
    ]
    outcome = run(tmp_path, cutoff="2021-12-31", a=people)
    found = outcome.each("named_event", "event_on - date '2020-03-01'", "event = 'hsct'")
    assert found == {"month": 75, "day": 40, "alive": 122, "later": 106}
    assert outcome.value("disposition", "n", "hsct") == 3
    assert outcome.counts("death") == {"all": 3, "later": 1, "after_hsct": 2}


def test_what_a_death_contradicts_is_not_imputed_after_the_cut_off(tmp_path: Path) -> None:
    # The middle of June is the 15th, day 106. The month after the death leaves that bound aside, not the cut-off's.
    people = [
        *treated("dead", given("2020-06"), transplant("2020-06"), deceasedDateTime="2020-05-20"),
        *treated("alive", given("2020-06"), transplant("2020-06")),
    ]
    outcome = run(tmp_path, cutoff="2020-06-10", a=people)
    doses = outcome.each("treated", "last_dose_on - date '2020-03-01'")
    assert doses == {"dead": 101, "alive": 101}
    assert outcome.each("named_event", "event_on - date '2020-03-01'", "event = 'hsct'") == {
        "dead": 101,
        "alive": 101,
    }


# records of a person who died on day 40, with the last dose on day 0 → due to a TEAE
DUE: dict[str, tuple[list[Resource], bool]] = {
    "no-event": ([], False),
    "fatal": ([fatal(20)], True),
    "fatal-late": ([fatal(31)], False),
    "fatal-before": ([fatal(-1)], False),
    "not-fatal": ([reaction(20)], False),
    "cause": ([reaction(20, "10040047"), cause(40, "10040047")], True),
    "cause-of-another": ([reaction(20, "10016288"), cause(40, "10040047")], False),
    "cause-not-emergent": ([reaction(35, "10040047"), cause(40, "10040047")], False),
    "cause-other-system": ([reaction(20, "10040047"), cause(40, "10040047", "urn:x")], False),
    "grade-5": ([reaction(20, extension=grade("5"))], True),
}
# days of the last dose, the transplant and the death → class
CLASSES: dict[str, tuple[list[Resource], int, str]] = {
    "day-30": ([], 30, "within_30_days"),
    "day-31": ([], 31, "later"),
    "last-dose": ([given(20)], 50, "within_30_days"),
    "last-dose-31": ([given(20)], 51, "later"),
    "after-hsct": ([transplant(10)], 20, "after_hsct"),
    "hsct-that-day": ([transplant(20)], 20, "after_hsct"),
    "hsct-on-index": ([transplant(0)], 20, "after_hsct"),
    "hsct-before": ([transplant(-1)], 20, "within_30_days"),
    "day-0": ([], 0, "within_30_days"),
}


def test_each_death_has_one_class_and_may_be_due_to_an_event(tmp_path: Path) -> None:
    people = [
        *(
            one
            for name, (records, _) in DUE.items()
            for one in treated(name, *records, deceasedDateTime=day(40))
        ),
        *(
            one
            for name, (records, on, _) in CLASSES.items()
            for one in treated(name, *records, deceasedDateTime=day(on))
        ),
    ]
    outcome = run(tmp_path, a=people)
    found = outcome.each("cohort", "is_death_due_to_teae, death_class")
    assert {name: found[name][0] for name in DUE} == {name: due for name, (_, due) in DUE.items()}
    assert {name: found[name][1] for name in CLASSES} == {name: c for name, (*_, c) in CLASSES.items()}
    assert outcome.counts("death") == {
        "all": 19,
        "due_to_teae": 3,
        "within_30_days": 4,
        "later": 12,
        "after_hsct": 3,
    }


@pytest.mark.slow
def test_nothing_after_the_cut_off_counts(tmp_path: Path) -> None:
    people = [
        *treated("p", *complete(30), marrow(60, 50), transplant(70), visit(90), deceasedDateTime=day(100)),
        *person("later", leukaemia(), given(50)),
        *person("late-diagnosis", leukaemia(20), given()),
        *treated("event", reaction(25)),
    ]
    early = run(tmp_path / "early", cutoff=day(19), a=people)
    assert early.counts("attrition") == {"known": 4, "diagnosed": 3, "treated": 2}
    assert early.counts("response.best") == {"NE": 2}
    assert early.value("overall_survival", "events") == 0
    assert early.value("teae", "events", "any") == 0
    middle = run(tmp_path / "middle", cutoff=day(60), a=people)
    assert middle.counts("attrition") == {"known": 4, "diagnosed": 4, "treated": 4}
    assert middle.value("duration_of_remission", "events") == 1
    assert middle.value("disposition", "n", "hsct") == 0
    assert middle.value("teae", "events", "any") == 1
    # Without one it is the last date among deaths and contacts: day 100.
    late = run(tmp_path / "late", a=people)
    assert late.value("death", "n", "after_hsct") == 1
    assert late.each("cohort", "data_cutoff::varchar")["p"] == day(100)
