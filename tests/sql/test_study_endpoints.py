"""Deaths, last contact and endpoints. Expected rows by hand from docs/clinical-rules.md."""

from __future__ import annotations

import pytest

from tests.sql.clinical_tables import day
from tests.sql.drawn_study import History, on


def endpoint(history: History, name: str) -> tuple[object, ...]:
    return history.one("days, status", "endpoint", f"endpoint = '{name}'")


def test_survival_ends_with_the_death_or_is_censored_at_the_last_contact() -> None:
    history = History().patient("p", last_contact=90).patient("q", last_contact=120)
    history.death(100)
    history.build()
    assert history.all(
        "person_id, days, status, description", "endpoint", "endpoint = 'overall_survival'"
    ) == [
        ("p", 100, 1, "death"),
        ("q", 120, 0, "last contact: Encounter"),
    ]


def test_death_after_the_cutoff_is_none() -> None:
    history = History().patient(last_contact=40)
    history.death(101)
    history.build(on(100))
    assert history.one("is_dead, death_class", "cohort") == (False, None)
    assert endpoint(history, "overall_survival") == (40, 0)


def test_first_dated_source_of_a_death_wins_and_a_conflict_is_flagged() -> None:
    history = History().patient()
    history.death(80, kind="encounter")
    history.death(90, kind="observation", study="clofarabine")
    history.death(None)
    history.build()
    assert history.one("death_on, death_kind, is_death_dated, has_death_conflict", "cohort") == (
        on(90),
        "observation",
        True,
        True,
    )


def test_death_whose_first_dated_source_is_after_the_cutoff_is_none() -> None:
    history = History().patient()
    history.death(110)
    history.death(90, kind="encounter")
    assert history.build(on(100)).one("is_dead", "cohort") == (False,)


def test_death_without_any_date_is_dated_at_the_last_contact() -> None:
    history = History().patient(last_contact=60)
    history.death(None)
    history.build()
    assert history.one("is_dead, death_on, is_death_dated", "cohort") == (True, on(60), False)
    assert endpoint(history, "overall_survival") == (60, 1)
    assert history.all("kind", "imputed_date") == [("death",)]


# The period is 2020-03 or 2020; the first dose is on 1 March, or on 20 March.
@pytest.mark.parametrize(
    ("died", "dose", "cutoff", "expected"),
    [
        ("2020-03", 0, 100, "2020-03-15"),
        ("2020-03", 19, 100, "2020-03-20"),
        ("2020-03", 0, 9, "2020-03-10"),
        ("2020", 0, 300, "2020-07-01"),
        ("2020", 0, 30, "2020-03-31"),
    ],
)
def test_partial_death_is_imputed_between_the_index_date_and_the_cutoff(
    died: str, dose: int, cutoff: int, expected: str
) -> None:
    history = History().patient("p", dose)
    history.draw("death_record", "p", died=died)
    history.build(on(cutoff))
    assert history.one("death_on::varchar", "cohort") == (expected,)
    assert history.all("kind", "imputed_date") == [("death",)]


def test_contact_after_the_death_or_the_cutoff_is_none_but_the_start_of_the_stay_is() -> None:
    history = History().patient("p", last_contact=None).patient("q", last_contact=None)
    history.death(100)
    history.draw("contact", "p", starts_on=day(95), ends_on=day(105))
    history.draw("contact", "p", starts_on=day(101))
    history.draw("contact", "q", starts_on=day(90), ends_on=day(200))
    history.draw("contact", "q", starts_on=day(80), ends_on=day(150))
    history.build(on(150))
    assert history.all("person_id, last_contact_on", "cohort") == [("p", on(95)), ("q", on(150))]


# Day of the first remission, last contact, death → end and status of event-free survival.
@pytest.mark.parametrize(
    ("remission", "contact", "death", "expected"),
    [
        (None, 83, None, (83, 0)),
        (None, 84, None, (84, 1)),
        (None, 200, None, (84, 1)),
        (None, 50, 84, (84, 1)),
        (None, 50, 83, (83, 1)),
        (84, 200, None, (84, 0)),
        (85, 200, None, (84, 1)),
        (30, 200, None, (30, 0)),
        (30, 200, 150, (150, 1)),
    ],
)
def test_failure_is_no_remission_by_day_84_of_a_person_followed_to_it(
    remission: int | None, contact: int, death: int | None, expected: tuple[int, int]
) -> None:
    history = History().patient(last_contact=contact)
    if remission is not None:
        history.remission(remission)
    if death is not None:
        history.death(death)
    history.build(on(300))
    assert endpoint(history, "event_free_survival") == expected


def test_duration_of_remission_ends_with_a_relapse_later_than_its_day() -> None:
    history = History().patient()
    history.value("marrow_blasts", 20, 80.0)
    history.remission(30)
    history.item("disease_relapse", 30, True)
    history.value("marrow_blasts", 90, 24.9)
    history.value("marrow_blasts", 100, 25.0)
    history.build()
    assert endpoint(history, "duration_of_remission") == (70, 1)
    assert endpoint(history, "time_to_remission") == (30, 1)
    assert endpoint(history, "remission_incidence") == (30, 1)


@pytest.mark.parametrize(
    ("sign", "given"),
    [
        ("extramedullary_disease", {}),
        ("disease_relapse", {}),
        ("relapse_diagnosis", {"onset": day(60)}),
        ("diagnosis", {"recorded": day(60), "clinical_statuses": ["recurrence"]}),
    ],
)
def test_each_sign_of_relapse_ends_the_remission(sign: str, given: dict[str, object]) -> None:
    history = History().patient()
    history.remission(30)
    if "diagnosis" in sign:
        history.draw("diagnosis", "p", codelist=sign, **given)
    else:
        history.item(sign, 60, True)
    assert endpoint(history.build(), "duration_of_remission") == (30, 1)


def test_remission_is_censored_at_the_last_disease_assessment_and_its_variants_at_what_they_name() -> None:
    history = History().patient()
    history.remission(30)
    history.procedure("hsct", 60)
    history.dose(80, codelist="antileukaemic", concept="etoposide")
    history.value("marrow_blasts", 90, 2.0)
    history.build()
    assert endpoint(history, "duration_of_remission") == (60, 0)
    assert endpoint(history, "duration_of_remission.at_hsct") == (30, 0)
    assert endpoint(history, "duration_of_remission.at_new_therapy") == (50, 0)


def test_event_on_the_day_of_what_ends_follow_up_comes_first() -> None:
    history = History().patient()
    history.remission(30)
    history.procedure("hsct", 60)
    history.death(60)
    history.build()
    assert endpoint(history, "duration_of_remission.at_hsct") == (30, 1)
    assert endpoint(history, "hsct_incidence") == (60, 1)
    assert history.one("death_class, has_comparing_event", "cohort") == ("after_hsct", True)


def test_event_after_the_last_contact_counts_up_to_the_cutoff() -> None:
    history = History().patient(last_contact=50)
    history.remission(80)
    assert endpoint(history.build(on(90)), "remission_incidence") == (80, 1)


def test_death_competes_with_remission_and_transplant() -> None:
    history = History().patient()
    history.death(40)
    history.build()
    assert endpoint(history, "remission_incidence") == (40, 2)
    assert endpoint(history, "hsct_incidence") == (40, 2)


def test_transplant_before_the_index_date_neither_counts_nor_leaves_the_risk_set() -> None:
    history = History().patient("p").patient("q")
    history.procedure("hsct", -1)
    history.procedure("hsct", 0, "q")
    history.build()
    assert history.all("person_id, days, status", "endpoint", "endpoint = 'hsct_incidence'") == [
        ("p", 400, 0),
        ("q", 0, 1),
    ]
    assert history.all("person_id, comparing_event_day, days, status", "time_dependent") == [
        ("p", None, 400, 0),
        ("q", 0, 400, 0),
    ]


def test_censoring_before_the_start_is_at_time_zero() -> None:
    history = History().patient(last_contact=-5)
    assert endpoint(history.build(on(100)), "overall_survival") == (0, 0)


def test_responders_endpoints_have_no_row_for_others() -> None:
    history = History().patient().build()
    assert history.all("endpoint", "endpoint", "endpoint like 'duration%' or endpoint like 'time%'") == []


@pytest.mark.parametrize(("death", "death_class"), [(40, "within_30_days"), (41, "later")])
def test_death_is_early_up_to_thirty_days_after_the_last_dose(death: int, death_class: str) -> None:
    history = History().patient("p", 0, 10)
    history.death(death)
    assert history.build().one("death_class", "cohort") == (death_class,)


def test_contribution_names_the_persons_and_resources_behind_a_number() -> None:
    history = History().patient("p").patient("q")
    history.remission(30)
    history.death(200, "q")
    history.build()
    remission = history.all(
        "person_id, resource_type", "contribution", "analysis = 'response.remission' and statistic = 'n'"
    )
    assert remission == [("p", "measurement")] * 3
    assert history.all(
        "person_id, resource_type", "contribution", "analysis = 'death' and level = 'all'"
    ) == [("q", "death_record")]
    assert history.all("distinct person_id", "contribution", "analysis = 'baseline.age'") == [("p",), ("q",)]


def test_persons_stand_behind_the_curves_that_they_are_in() -> None:
    """a never has a transplant, b on the index date, c on day 90, d after the last contact; a and c die."""
    history = History()
    for person in "abcd":
        history.patient(person, last_contact=100)
    for person, number in (("b", 0), ("c", 90)):
        history.procedure("hsct", number, person)
    history.procedure("hsct", 0, "d", performed="2020-12")
    for person in "ac":
        history.death(100, person)
    history.build(on(500))
    curves = "analysis = 'survival_by_hsct.simon_makuch' and statistic = '{}'"
    assert history.all("level, person_id", "contribution", curves.format("n")) == [
        ("no", "a"), ("no", "c"), ("no", "d"), ("yes", "b"), ("yes", "c"),
    ]  # fmt: skip
    assert history.all("level, person_id", "contribution", curves.format("events")) == [
        ("no", "a"), ("yes", "c"),
    ]  # fmt: skip


def test_who_lacks_a_baseline_number_stands_behind_the_missing_ones_alone() -> None:
    history = History().patient("p").patient("q", birth=None)
    history.value("prior_regimens", -1, 2, person="q")
    history.build()
    query = "statistic in ('median', 'missing') and starts_with(analysis, 'baseline.')"
    found = history.all("distinct analysis, statistic, person_id", "contribution", query)
    assert [
        row
        for row in found
        if row[0] in ("baseline.age", "baseline.age_at_diagnosis", "baseline.prior_regimens")
    ] == [
        ("baseline.age", "median", "p"),
        ("baseline.age", "missing", "q"),
        ("baseline.age_at_diagnosis", "median", "p"),
        ("baseline.age_at_diagnosis", "missing", "q"),
        ("baseline.prior_regimens", "median", "q"),
        ("baseline.prior_regimens", "missing", "p"),
    ]


def test_a_death_on_the_day_of_a_relapse_is_none_without_one() -> None:
    history = History().patient().patient("q")
    for person in ("p", "q"):
        history.remission(30, person)
        history.death(60, person)
    history.item("disease_relapse", 60, True)
    history.build()
    found = "person_id, days, status"
    assert history.all(found, "endpoint", "endpoint = 'relapse_incidence'") == [("p", 30, 1), ("q", 30, 2)]
    assert history.all(found, "endpoint", "endpoint = 'death_without_relapse_incidence'") == [
        ("p", 30, 2),
        ("q", 30, 1),
    ]


@pytest.mark.parametrize("lists", [("diagnosis", "relapse_diagnosis"), ("relapse_diagnosis", "diagnosis")])
def test_a_condition_that_is_a_relapse_in_two_ways_is_told_in_one_whatever_the_order(
    lists: tuple[str, str],
) -> None:
    history = History().patient()
    history.remission(30)
    for codelist in lists:
        history.draw(
            "diagnosis",
            "p",
            codelist=codelist,
            onset=day(90),
            clinical_statuses=["relapse"],
            resource_key="Condition/1",
        )
    history.build()
    relapsed = history.one("days, description", "endpoint", "endpoint = 'duration_of_remission'")
    assert relapsed == (60, "relapse by diagnosis")
