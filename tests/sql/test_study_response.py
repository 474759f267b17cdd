"""Response, from drawn assessments. Expected responses by hand from docs/clinical-rules.md."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sql.clinical_tables import day
from tests.sql.drawn_study import History, on

# marrow, blood blasts, extramedullary, ANC, platelets, transfused → response, what is missing (baseline 40 %)
CRITERIA = [
    (4.9, 0, False, 1.0, 100, False, "CR", None),
    (4.9, None, None, 1.0, 100, False, "CR", None),
    (4.9, 0, False, 1.0, 99.9, False, "CRp", None),
    (4.9, 0, False, 1.0, 100, True, "CRp", None),
    (4.9, 0, False, 1.0, None, True, "CRp", None),
    (4.9, 0, False, 1.0, None, False, "NE", "platelets_missing"),
    (2, 0, False, None, None, False, "NE", "anc_missing"),
    (2, 0, False, None, 150, False, "NE", "anc_missing"),
    (2, 0, False, 0.99, None, False, "NR", None),
    (2, 0.1, False, None, None, False, "NR", None),
    (2, 0, True, None, None, False, "NR", None),
    (5, 0, False, 1.0, None, False, "PR", None),
    (20, 0, False, 1.0, 10, True, "PR", None),
    (20.1, 0, False, 1.0, 10, False, "NR", None),
    (20, 0, False, None, 10, False, "NE", "anc_missing"),
    (60, None, None, None, None, False, "NR", None),
]


@pytest.mark.parametrize(
    ("marrow", "blood", "outside", "anc", "platelets", "transfused", "response", "missing"), CRITERIA
)
def test_first_criterion_that_is_true_wins(
    marrow: float,
    blood: float | None,
    outside: bool | None,
    anc: float | None,
    platelets: float | None,
    transfused: bool,
    response: str,
    missing: str | None,
) -> None:
    history = History().patient()
    history.value("marrow_blasts", -1, 40.0)
    history.value("marrow_blasts", 30, marrow)
    for codelist, value in (("blood_blasts", blood), ("anc", anc), ("platelets", platelets)):
        if value is not None:
            history.value(codelist, 30, value)
    if outside is not None:
        history.item("extramedullary_disease", 30, outside)
    if transfused:
        history.procedure("platelet_transfusion", 30)
    history.build()
    assert history.one("response, missing", "assessment") == (response, missing)
    reason = missing if response == "NE" else None
    assert history.one("best_response, not_evaluable_reason", "response") == (response, reason)


def test_partial_response_without_a_baseline_is_not_evaluable() -> None:
    history = History().patient()
    history.value("marrow_blasts", 30, 10.0)
    history.value("anc", 30, 2.0)
    history.build()
    assert history.one("response, missing", "assessment") == ("NE", "baseline_marrow_missing")


@pytest.mark.parametrize(("baseline", "response"), [(50.0, "PR"), (50.2, "PR"), (49.9, "NR")])
def test_partial_response_is_at_most_half_of_the_baseline(baseline: float, response: str) -> None:
    history = History().patient()
    history.value("marrow_blasts", -3, baseline)
    history.value("marrow_blasts", 30, 25.0)
    history.value("anc", 30, 2.0)
    assert history.build().one("response", "assessment") == (response,)


def test_person_without_an_assessment_is_not_evaluable_for_that_reason() -> None:
    history = History().patient().build()
    assert history.one("best_response, not_evaluable_reason, is_main_outcome", "response") == (
        "NE",
        "no_assessment",
        False,
    )


@pytest.mark.parametrize(("number", "assessed"), [(0, 0), (1, 1), (99, 1), (100, 0)])
def test_assessments_lie_after_the_index_date_and_before_the_transplant(number: int, assessed: int) -> None:
    history = History().patient()
    history.procedure("hsct", -10)
    history.procedure("hsct", 100)
    history.value("marrow_blasts", number, 2.0)
    assert len(history.build().all("person_id", "assessment")) == assessed


@pytest.mark.parametrize(("number", "response"), [(22, "NE"), (23, "CR"), (37, "CR"), (38, "NE")])
def test_counts_are_paired_within_seven_days(number: int, response: str) -> None:
    history = History().patient()
    history.value("marrow_blasts", 30, 2.0)
    history.value("platelets", 30, 150.0)
    history.value("anc", number, 2.0)
    assert history.build().one("response", "assessment") == (response,)


def test_nearest_count_is_paired_and_of_two_as_near_the_later() -> None:
    history = History().patient()
    history.value("marrow_blasts", 30, 2.0)
    history.value("anc", 33, 0.2)
    history.value("anc", 28, 0.3)
    history.value("anc", 32, 3.0)
    assert history.build().one("value", "assessment_value", "variable = 'anc'") == (3.0,)


def test_of_two_counts_at_one_time_the_higher_is_paired() -> None:
    history = History().patient()
    history.value("marrow_blasts", 30, 2.0)
    history.value("anc", 30, 1.2)
    history.value("anc", 30, 0.8)
    assert history.build().one("value", "assessment_value", "variable = 'anc'") == (1.2,)


@pytest.mark.parametrize(("number", "transfused"), [(24, False), (25, True), (32, True), (33, False)])
def test_transfusion_counts_from_seven_days_before_the_platelet_count(number: int, transfused: bool) -> None:
    history = History().patient()
    history.value("marrow_blasts", 30, 2.0)
    history.value("platelets", 32, 150.0)
    history.procedure("platelet_transfusion", number)
    assert history.build().one("truth", "assessment_value", "variable = 'transfused'") == (transfused,)


def test_last_item_on_extramedullary_disease_at_or_before_the_assessment_holds() -> None:
    history = History().patient()
    history.remission(30)
    history.item("extramedullary_disease", 10, True)
    history.item("extramedullary_disease", 30, False)
    history.item("extramedullary_disease", 31, True)
    assert history.build().one("response", "assessment") == ("CR",)
    assert history.one("truth", "assessment_value", "variable = 'extramedullary'") == (False,)


# An interval decides a comparison only where all its values agree.
@pytest.mark.parametrize(
    ("codelist", "low", "high", "comparator", "response"),
    [
        ("anc", 0.0, 0.5, "<", "NR"),
        ("anc", 0.0, 1.0, "<", "NR"),
        ("anc", 0.0, 1.5, "<", "NE"),
        ("anc", 1.0, None, ">", "CR"),
        ("anc", 0.9, None, ">", "NE"),
        ("platelets", 100.0, None, ">=", "CR"),
        ("platelets", 0.0, 100.0, "<", "CRp"),
    ],
)
def test_comparator_decides_only_where_every_value_agrees(
    codelist: str, low: float | None, high: float | None, comparator: str, response: str
) -> None:
    history = History().patient()
    history.value("marrow_blasts", 30, 2.0)
    for other, value in (("anc", 2.0), ("platelets", 150.0)):
        if other != codelist:
            history.value(other, 30, value)
    bound = low if comparator.startswith(">") else high
    history.value(
        codelist,
        30,
        bound,
        comparator=comparator,
        value_low=low,
        value_high=high,
        low_inclusive=comparator != ">",
        high_inclusive=False,
    )
    assert history.build().one("response", "assessment") == (response,)


def test_best_response_is_the_best_of_all_and_remission_the_first() -> None:
    history = History().patient()
    history.value("marrow_blasts", 20, 60.0)
    history.value("marrow_blasts", 40, 2.0)
    history.value("anc", 40, 2.0)
    history.value("platelets", 40, 50.0)
    history.remission(60)
    history.build()
    assert history.one("best_response, main_outcome_on, outcomes", "response") == (
        "CR",
        on(40),
        ["overall", "remission"],
    )


def test_missing_platelets_leave_a_main_outcome_certain_and_a_missing_anc_does_not() -> None:
    history = History().patient("p").patient("q")
    for person, codelist, value in (("p", "anc", 2.0), ("q", "platelets", 150.0)):
        history.value("marrow_blasts", 30, 2.0, person)
        history.value(codelist, 30, value, person)
    history.build()
    assert history.all("person_id, best_response, main_outcome_certain", "response") == [
        ("p", "NE", True),
        ("q", "NE", False),
    ]


def test_investigators_best_response_is_kept_beside_the_derived_one() -> None:
    history = History().patient()
    for number, code in ((0, "CR"), (20, "NR"), (30, "PR"), (90, "CR")):
        history.value(
            "investigator_response", number, value_codes=[{"system": "urn:cove:response", "code": code}]
        )
    history.build(date.fromisoformat(day(60)))
    assert history.one("best_response, investigator_response", "response") == ("NE", "PR")


def test_nothing_after_the_cutoff_counts() -> None:
    history = History().patient()
    history.remission(31)
    assert history.build(on(30)).all("person_id", "assessment") == []
    assert len(history.build(on(31)).all("person_id", "assessment")) == 1
