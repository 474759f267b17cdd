"""Who is treated, when, and with what. Expected rows by hand from docs/clinical-rules.md."""

from __future__ import annotations

import pytest

from tests.sql.clinical_tables import day
from tests.sql.drawn_study import History, on


def undiagnosed(*doses: int) -> History:
    history = History()
    history.draw("person", "p")
    for number in doses:
        history.dose(number)
    history.draw("contact", "p", starts_on=day(400))
    return history


@pytest.mark.parametrize(("number", "left_at"), [(29, ""), (30, ""), (31, "diagnosed")])
def test_diagnosis_may_be_recorded_thirty_days_after_the_index_date(number: int, left_at: str) -> None:
    history = undiagnosed(0)
    history.draw("diagnosis", "p", codelist="diagnosis", recorded=day(number))
    history.build()
    assert history.one("is_diagnosed, is_treated, left_at", "attrition") == (
        left_at == "",
        left_at == "",
        left_at,
    )


def test_onset_wins_over_the_recorded_date_of_a_diagnosis() -> None:
    history = undiagnosed(0)
    history.draw("diagnosis", "p", codelist="diagnosis", onset=day(31), recorded=day(0))
    assert history.build().one("is_diagnosed", "attrition") == (False,)


def test_diagnosis_without_a_date_counts() -> None:
    history = undiagnosed(0)
    history.draw("diagnosis", "p", codelist="diagnosis")
    assert history.build().one("is_treated", "attrition") == (True,)


def test_refuted_diagnosis_does_not_count() -> None:
    history = undiagnosed(0)
    history.draw("diagnosis", "p", codelist="diagnosis", onset=day(-5), is_counted=False)
    assert history.build().one("is_diagnosed, reason", "attrition") == (False, "no counted diagnosis")


def test_diagnosed_person_without_a_dose_leaves_at_the_last_step() -> None:
    history = undiagnosed()
    history.draw("diagnosis", "p", codelist="diagnosis", onset=day(300))
    assert history.build().one("is_diagnosed, is_treated, left_at, reason", "attrition") == (
        True,
        False,
        "treated",
        "no dose of an index drug",
    )


def test_partial_diagnosis_is_imputed_in_the_middle_but_not_after_the_index_date() -> None:
    history = undiagnosed(0)
    history.draw("diagnosis", "p", codelist="diagnosis", onset="2020")
    history.build()
    assert history.one("diagnosed_on", "cohort") == (on(0),)
    assert history.all("kind", "imputed_date") == [("diagnosis",)]


def test_age_is_in_completed_years_at_index_and_at_the_first_diagnosis() -> None:
    history = undiagnosed(0)
    history.con.execute("update clinical.person set birth_first = '2008-03-02', birth_last = '2008-03-02'")
    history.draw("diagnosis", "p", codelist="diagnosis", onset="2018-03-02")
    history.draw("diagnosis", "p", codelist="diagnosis", onset="2019-01-01")
    assert history.build().one("age, age_at_diagnosis", "cohort") == (11, 10)


def test_partial_birth_date_is_imputed_and_flagged() -> None:
    history = History().patient(birth="2008").build()
    assert history.one("birth_on::varchar, age", "cohort") == ("2008-07-01", 11)
    assert history.all("kind, person_id", "imputed_date") == [("birth", "p")]


def test_only_the_best_evidence_level_counts_for_a_person_and_drug() -> None:
    history = History().patient()
    history.dose(-20, evidence_level="ordered")
    history.dose(3, evidence_level="administered")
    history.build()
    assert history.one("evidence_level, index_date, last_dose_on, doses, exposure_days", "cohort") == (
        "administered",
        on(0),
        on(3),
        2,
        4,
    )


def test_better_evidence_after_the_cutoff_does_not_count() -> None:
    history = undiagnosed()
    history.draw("diagnosis", "p", codelist="diagnosis", onset=day(-5))
    history.dose(0, evidence_level="ordered")
    history.dose(21, evidence_level="administered")
    assert history.build(on(20)).one("evidence_level, doses", "cohort") == ("ordered", 1)
    assert history.build(on(21)).one("evidence_level, index_date", "cohort") == ("administered", on(21))


def test_dose_that_does_not_count_or_comes_after_the_cutoff_treats_nobody() -> None:
    history = undiagnosed()
    history.draw("diagnosis", "p", codelist="diagnosis", onset=day(-5))
    history.dose(0, is_counted=False)
    history.dose(11)
    assert history.build(on(10)).one("is_treated, reason", "attrition") == (
        False,
        "no dose of an index drug that counts",
    )


def test_gap_of_seven_days_starts_the_next_cycle() -> None:
    history = History().patient("p", 0, 6, 12, 19, 20).build()
    assert [cycle for _, cycle in history.all("dosed_on, cycle", "doses")] == [1, 1, 1, 2, 2]
    assert history.one("cycles, doses", "cohort") == (2, 5)


@pytest.mark.parametrize(
    ("number", "regimen", "new_therapy"),
    [
        (-8, "monotherapy", None),
        (-7, "combination", None),
        (17, "combination", None),
        (18, "monotherapy", 18),
    ],
)
def test_another_drug_makes_a_combination_or_later_a_new_therapy(
    number: int, regimen: str, new_therapy: int | None
) -> None:
    history = History().patient("p", 0, 10)
    history.dose(number, codelist="antileukaemic", concept="etoposide")
    expected = None if new_therapy is None else on(new_therapy)
    assert history.build().one("regimen, new_therapy_on", "cohort") == (regimen, expected)


def test_value_of_the_index_day_is_baseline_only_when_timed_before_the_dose_or_neither_has_a_time() -> None:
    dose, early, late = f"{day(0)}T10:00:00", f"{day(0)}T09:00:00", f"{day(0)}T11:00:00"
    cases = [(day(0), day(0), 2), (dose, early, 2), (dose, late, 1), (dose, day(0), 1), (day(0), early, 1)]
    history = History()
    for number, (dosed, measured, _) in enumerate(cases):
        person = f"p{number}"
        history.draw("person", person)
        history.draw("diagnosis", person, codelist="diagnosis", onset=day(-5))
        history.dose(0, person, exposed=dosed)
        history.value("prior_regimens", -30, 1, person)
        history.value("prior_regimens", 0, 2, person, measured=measured)
    history.build(on(100))
    expected = [(f"p{number}", float(regimens)) for number, (*_, regimens) in enumerate(cases)]
    assert history.all("person_id, prior_regimens", "cohort") == expected


def test_baseline_items_phenotype_and_follow_up_stand_in_the_cohort() -> None:
    history = History().patient("p").patient("q")
    history.item("refractory", -1, True)
    history.item("completed_follow_up", 190, True)
    history.draw("diagnosis", "p", codelist="phenotype_b_cell", onset=day(-100))
    history.build()
    assert history.all("person_id, phenotype, refractory, completed_follow_up, prior_regimens", "cohort") == [
        ("p", "B-cell", "yes", True, None),
        ("q", "unknown", "missing", False, None),
    ]


def test_contradicting_phenotypes_of_one_day_are_unknown() -> None:
    history = History().patient()
    for codelist in ("phenotype_b_cell", "phenotype_t_cell"):
        history.draw("diagnosis", "p", codelist=codelist, onset=day(-100))
    assert history.build().one("phenotype", "cohort") == ("unknown",)


def test_cutoff_is_the_latest_date_among_deaths_and_contacts_where_none_is_given() -> None:
    history = History().patient(last_contact=50)
    history.death(70)
    assert history.build().one("data_cutoff", "data_cutoff") == (on(70),)


def test_study_without_diagnosis_cycles_response_and_safety_has_empty_tables_of_them() -> None:
    history = History("mimic_vancomycin")
    history.draw("person", "p", sex=None)
    history.dose(0)
    history.dose(9)
    history.draw("contact", "p", starts_on=day(0), ends_on=day(12))
    history.procedure("ventilation", 2)
    history.build()
    assert history.one("is_treated", "attrition") == (True,)
    assert history.one(
        "sex, cycles, regimen, phenotype, refractory, has_comparing_event, exposure_days", "cohort"
    ) == (
        "unknown",
        None,
        None,
        None,
        None,
        None,
        10,
    )
    for table in ("assessment", "response", "teae", "lab_grade", "time_dependent"):
        assert history.all("person_id", table) == [], table
    assert history.all("endpoint, days, status", "endpoint") == [
        ("overall_survival", 12, 0),
        ("ventilation_incidence", 2, 1),
    ]
    assert history.all("variable, level", "subgroup") == [("site", "a")]


def test_second_build_changes_nothing() -> None:
    history = History().patient("p").patient("q")
    history.remission(30)
    query = 'from "clofarabine".endpoint order by all'
    first = history.build().rows(query)
    assert history.build().rows(query) == first
