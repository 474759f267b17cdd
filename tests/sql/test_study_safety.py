"""Adverse events and laboratory grades. Expected rows by hand from docs/clinical-rules.md and CTCAE 5.0."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sql.clinical_tables import day
from tests.sql.drawn_study import History, on

MEDDRA = "https://www.meddra.org"


def event(history: History, person: str = "p", **given: object) -> str:
    return history.draw("adverse_event", person, **given)


@pytest.mark.parametrize(
    ("number", "emergent"), [(-1, False), (0, True), (10, True), (40, True), (41, False)]
)
def test_event_is_emergent_from_the_first_dose_to_thirty_days_after_the_last(
    number: int, emergent: bool
) -> None:
    history = History().patient("p", 0, 10)
    event(history, onset=day(number))
    history.build()
    assert history.one("is_treatment_emergent", "adverse_event_all") == (emergent,)
    assert len(history.all("resource_key", "teae")) == int(emergent)


@pytest.mark.parametrize(("ended", "emergent"), [(None, True), (day(-1), False), (day(0), True)])
def test_event_with_missing_onset_is_emergent_unless_it_ended_before_the_first_dose(
    ended: str | None, emergent: bool
) -> None:
    history = History().patient()
    event(history, ended=ended)
    assert history.build().one("is_treatment_emergent", "adverse_event_all") == (emergent,)


# First dose on 31 March, last on 2 April; the window ends on 2 May.
@pytest.mark.parametrize(
    ("onset", "emergent"),
    [
        ("2020-02", False),
        ("2020-03", True),
        ("2020-05", True),
        ("2020-06", False),
        ("2020", True),
        ("2019", False),
    ],
)
def test_partial_onset_counts_when_any_day_it_could_mean_lies_in_the_window(
    onset: str, emergent: bool
) -> None:
    history = History().patient("p", 30, 32)
    event(history, onset=onset)
    assert history.build().one("is_treatment_emergent", "adverse_event_all") == (emergent,)


def test_partial_onset_that_is_listed_is_flagged_as_imputed() -> None:
    history = History().patient()
    event(history, onset="2020-03")
    assert history.build().all("kind", "imputed_date") == [("teae_onset",)]


def test_each_record_is_judged_by_its_own_onset() -> None:
    history = History().patient()
    event(history, onset=day(-5), term="fever")
    event(history, onset=day(5), term="fever")
    assert history.build().all("onset_on", "teae") == [(on(5),)]


def test_event_after_the_cutoff_does_not_count() -> None:
    history = History().patient()
    event(history, onset=day(5))
    assert history.build(on(4)).all("resource_key", "teae") == []


def test_event_that_does_not_count_is_left_out() -> None:
    history = History().patient()
    event(history, onset=day(5), is_counted=False)
    assert history.build().all("resource_key", "teae") == []


# What a suspect is coded as; None: it isn't coded.
@pytest.mark.parametrize(
    ("code", "assessed", "related"),
    [("L01BB06", True, True), (None, True, True), ("L01CB01", True, False), ("L01BB06", False, False)],
)
def test_event_is_related_to_a_suspect_that_is_not_coded_as_another_drug(
    code: str | None, assessed: bool, related: bool
) -> None:
    history = History().patient()
    key = event(history, onset=day(1))
    codes = [] if code is None else [{"system": "http://www.whocc.no/atc", "code": code}]
    history.draw(
        "adverse_event_suspect", resource_key=key, codes=codes, is_related=assessed, has_codes=bool(codes)
    )
    assert history.build().one("is_related", "teae") == (related,)


def test_events_carry_the_names_of_their_codes() -> None:
    history = History().patient()
    event(history, onset=day(1), soc_code="10021881", pt_code="10040047", pt_display="Sepsis", grade=3)
    assert history.build().one("soc, pt, grade", "teae") == ("Infections and infestations", "Sepsis", 3)


def sepsis(history: History, **given: Any) -> None:
    codes = [{"system": MEDDRA, "code": "10040047", "display": "Sepsis"}]
    event(history, onset=day(3), pt_code="10040047", codes=codes, **given)


@pytest.mark.parametrize(
    ("fatal", "cause", "due"),
    [(True, None, True), (False, "10040047", True), (False, "10000000", False), (False, None, False)],
)
def test_death_is_due_to_an_event_that_was_fatal_or_is_its_recorded_cause(
    fatal: bool, cause: str | None, due: bool
) -> None:
    history = History().patient()
    sepsis(history, is_fatal=fatal)
    if cause:
        history.value("cause_of_death", 20, value_codes=[{"system": MEDDRA, "code": cause}])
    history.death(20)
    assert history.build().one("is_death_due_to_teae", "cohort") == (due,)


def test_fatal_event_outside_the_window_makes_no_death_due_to_it() -> None:
    history = History().patient()
    event(history, onset=day(31), is_fatal=True)
    history.death(40)
    assert history.build().one("is_dead, is_death_due_to_teae", "cohort") == (True, False)


# ANC and platelets in 10*9/L, haemoglobin g/L, ALT U/L (upper limit 40), creatinine µmol/L (upper limit 80).
@pytest.mark.parametrize(
    ("codelist", "value", "grade"),
    [
        ("anc", 1.5, 0),
        ("anc", 1.49, 2),
        ("anc", 1.0, 2),
        ("anc", 0.99, 3),
        ("anc", 0.5, 3),
        ("anc", 0.49, 4),
        ("platelets", 150.0, 0),
        ("platelets", 149.0, 1),
        ("platelets", 75.0, 1),
        ("platelets", 74.9, 2),
        ("platelets", 24.9, 4),
        ("haemoglobin", 79.9, 3),
        ("haemoglobin", 20.0, 3),
        ("alt", 40.0, 0),
        ("alt", 40.1, 1),
        ("alt", 120.0, 1),
        ("alt", 120.1, 2),
        ("alt", 800.1, 4),
        ("creatinine", 120.0, 1),
        ("creatinine", 120.1, 2),
        ("creatinine", 480.1, 4),
    ],
)
def test_laboratory_values_are_graded_by_the_thresholds(codelist: str, value: float, grade: int) -> None:
    history = History().patient()
    history.value(codelist, 5, value)
    history.build()
    assert history.one("worst_grade, baseline_grade", "lab_grade") == (grade, None)


# Baseline 100 is above the upper limit of 40, so that grades count from the baseline.
@pytest.mark.parametrize(("value", "grade"), [(149.0, 0), (150.0, 1), (300.0, 1), (301.0, 2), (2001.0, 4)])
def test_value_with_an_abnormal_baseline_is_graded_by_the_baseline(value: float, grade: int) -> None:
    history = History().patient()
    history.value("alt", -1, 100.0)
    history.value("alt", 5, value)
    assert history.build().one("worst_grade, baseline_grade", "lab_grade") == (grade, 1)


def test_limits_of_the_observation_win_over_the_protocols() -> None:
    history = History().patient()
    history.value("alt", 5, 50.0, reference_high=50.0)
    assert history.build().one("worst_grade", "lab_grade") == (0,)


def test_worst_grade_is_of_values_after_the_index_date_to_thirty_days_after_the_last_dose() -> None:
    history = History().patient("p", 0, 10)
    for number, value in ((0, 0.1), (1, 1.2), (40, 0.7), (41, 0.1)):
        history.value("anc", number, value, measured=day(number))
    assert history.build().one("worst_grade", "lab_grade", "term like 'Neutrophil%'") == (3,)


def test_value_with_a_comparator_is_graded_only_where_that_decides() -> None:
    history = History().patient("p").patient("q")
    history.value("anc", 5, 0.1, comparator="<", value_low=0.0, value_high=0.1, low_inclusive=True)
    history.value("anc", 5, 1.2, "q", comparator=">", value_low=1.2)
    assert history.build().all("person_id, worst_grade", "lab_grade") == [("p", 4)]


# Neutrophils below 0.5 are grade 4, from the lower limit of 1.5 on there is no grade. None: no grade can be told.
@pytest.mark.parametrize(
    ("comparator", "number", "grade"),
    [("<", 0.5, 4), ("<=", 0.5, None), (">", 1.49, None), (">=", 1.5, 0), (">", 1.5, 0), ("<", 1.5, None)],
)
def test_open_and_closed_ends_at_a_threshold_differ(
    comparator: str, number: float, grade: int | None
) -> None:
    end = {"value_high" if "<" in comparator else "value_low": number}
    side = {"high_inclusive" if "<" in comparator else "low_inclusive": "=" in comparator}
    history = History().patient()
    history.value("anc", 5, number, comparator=comparator, **end, **side)
    graded = history.build().all("worst_grade", "lab_grade")
    assert graded == ([] if grade is None else [(grade,)])


# Grade 1 is up to 3 times the upper limit: 3 * 0.7 is less than 2.1 in binary, and 9e9 has no nine decimals.
@pytest.mark.parametrize(
    ("limit", "value", "grade"),
    [(0.7, 2.1, 1), (0.7, 2.101, 2), (3e9, 9e9, 1), (3e9, 9.01e9, 2), (3e9, 3e9, 0)],
)
def test_value_at_a_multiple_of_its_limit_stays_at_it(limit: float, value: float, grade: int) -> None:
    history = History().patient()
    history.value("alt", 5, value, reference_high=limit)
    assert history.build().one("worst_grade", "lab_grade") == (grade,)


# Grade 1 of neutrophils is from 1.5 to the lower limit, grade 2 from 1.0 below 1.5. None: no grade can be told.
@pytest.mark.parametrize(("value", "grade"), [(1.6, None), (1.5, None), (1.4, 2), (0.4, 4)])
def test_without_a_limit_of_normal_only_grades_that_need_none_can_be_told(
    value: float, grade: int | None
) -> None:
    history = History()
    safety = history.rules.protocol.safety
    assert safety is not None and safety.laboratory is not None
    tests = [test.model_copy(update={"lower": None}) for test in safety.laboratory.tests]
    laboratory = safety.laboratory.model_copy(update={"tests": tests})
    history.under(safety=safety.model_copy(update={"laboratory": laboratory})).patient()
    history.value("anc", 5, value)
    assert history.build().one("grade", "graded_value") == (grade,)


def test_of_values_of_the_worst_grade_the_first_is_shown() -> None:
    history = History().patient()
    for number, value in ((9, 0.6), (5, 0.9), (7, 0.7), (3, 1.2)):
        history.value("anc", number, value)
    assert history.build().one("worst_grade, value", "lab_grade") == (3, 0.9)


# Neutrophils 10*9/L, platelets 10*9/L, ALT U/L (upper limit 40), by CTCAE 6.0.
@pytest.mark.parametrize(
    ("codelist", "value", "grade"),
    [
        ("anc", 1.5, 0),
        ("anc", 1.49, 1),
        ("anc", 0.99, 2),
        ("anc", 0.49, 3),
        ("anc", 0.1, 3),
        ("anc", 0.09, 4),
        ("platelets", 24.9, 3),
        ("platelets", 10.0, 3),
        ("platelets", 9.9, 4),
        ("alt", 120.1, 2),
    ],
)
def test_version_6_grades_neutrophils_and_platelets_by_its_own_thresholds(
    codelist: str, value: float, grade: int
) -> None:
    history = version_6().patient()
    history.value(codelist, 5, value)
    assert history.build().one("worst_grade", "lab_grade") == (grade,)


# Baseline 100 is above the upper limit of 40. Version 5: grade 1 from 1.5 times the baseline on, 2 above 3 times.
@pytest.mark.parametrize(
    ("value", "grade"), [(99.0, 0), (100.0, 1), (150.0, 1), (151.0, 2), (201.0, 3), (401.0, 4)]
)
def test_version_6_has_another_rule_for_an_abnormal_baseline(value: float, grade: int) -> None:
    history = version_6().patient()
    history.value("alt", -1, 100.0)
    history.value("alt", 5, value)
    assert history.build().one("worst_grade, baseline_grade", "lab_grade") == (grade, 1)


def version_6() -> History:
    history = History()
    safety = history.rules.protocol.safety
    assert safety is not None and safety.laboratory is not None
    renamed = [
        test.model_copy(update={"term": "Thrombocytopenia"}) if test.measurement == "platelets" else test
        for test in safety.laboratory.tests
    ]
    laboratory = safety.laboratory.model_copy(update={"ctcae_version": "6.0", "tests": renamed})
    return history.under(safety=safety.model_copy(update={"laboratory": laboratory}))


@pytest.mark.parametrize(
    ("last_contact", "died", "cutoff", "days"),
    [
        (400, None, None, 41),  # days 0 to 40: thirty after the last dose on day 10
        (20, None, None, 21),
        (5, None, 100, 11),  # the last dose says as much as a contact
        (400, 15, None, 16),
        (400, None, 25, 11),  # of a contact after the cut-off nothing is known
    ],
)
def test_time_at_risk_is_to_the_end_of_the_window_the_last_contact_or_the_death(
    last_contact: int, died: int | None, cutoff: int | None, days: int
) -> None:
    history = History().patient("p", 0, 10, last_contact=last_contact)
    if died is not None:
        history.death(died)
    history.build(None if cutoff is None else on(cutoff))
    assert history.one("starts_on, days", "time_at_risk") == (on(0), days)
