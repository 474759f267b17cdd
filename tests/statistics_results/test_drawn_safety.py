"""Rates, common terms, grades by class and shifts of the drawn study: by hand, and from R 4.2.2."""

from __future__ import annotations

import polars as pl
import pytest

from reports.statistics.results import estimate_results
from tests.statistics_results.drawn_study import PLATELETS, drawn_frames, reference_protocol
from tests.statistics_results.test_drawn_values import cell, counts


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    return estimate_results(drawn_frames(), reference_protocol())


def rate(results: pl.DataFrame, name: str) -> list[float | None]:
    """Rate and limits for each 100 person-years."""
    return [cell(results, f"rate.{name}", "", s, "garwood")[0] for s in ("rate", "ci_low", "ci_high")]


def test_a_persons_time_ends_at_the_first_event_and_without_an_onset_on_the_first_day(
    results: pl.DataFrame,
) -> None:
    # a1 has the first of two events on the 4th day, a2 on the 21st, b3 on the 35th; b2 has one without an onset,
    # so that the time ends on the 1st day. The others, without an event: 70 + 15 + 35 + 1 days.
    days = 4 + 21 + 35 + 1 + 70 + 15 + 35 + 1
    assert cell(results, "rate.any", "", "n") == cell(results, "rate.any", "", "events") == (4, "4")
    assert cell(results, "rate.any", "", "person_years")[0] == pytest.approx(days / 365.25)
    # poisson.test(4, 182 / 365.25 / 100)
    expected = [802.747252747253, 218.721608635723, 2055.351793236924]
    assert rate(results, "any") == pytest.approx(expected, rel=1e-12)
    assert cell(results, "rate.any", "", "warning_missing_onset", "garwood")[0] is None


def test_a_rate_of_all_events_has_everybodys_whole_time_and_says_that_its_limits_are_too_narrow(
    results: pl.DataFrame,
) -> None:
    assert cell(results, "rate.all_events", "", "n") == (4, "4")
    assert cell(results, "rate.all_events", "", "events") == (6, "6")
    assert cell(results, "rate.all_events", "", "person_years")[0] == pytest.approx(249 / 365.25)
    # poisson.test(6, 249 / 365.25 / 100)
    expected = [880.120481927711, 322.988705256038, 1915.651761736927]
    assert rate(results, "all_events") == pytest.approx(expected, rel=1e-12)
    words = cell(results, "rate.all_events", "", "warning_repeated_events", "garwood")[1]
    assert "too narrow" in words


def test_terms_that_ten_percent_of_persons_have_are_common() -> None:
    protocol = reference_protocol()
    assert protocol.safety is not None
    results = estimate_results(drawn_frames(), protocol)
    # 10% of 8 persons is one person.
    assert counts(results, "teae.common") == {"Sepsis": 2, "Mycosis": 1, "Arrest": 1}
    rules = protocol.safety.model_copy(update={"common_percent": 25})
    results = estimate_results(drawn_frames(), protocol.model_copy(update={"safety": rules}))
    assert counts(results, "teae.common") == {"Sepsis": 2}


def test_a_class_counts_each_person_once_by_the_worst_grade(results: pl.DataFrame) -> None:
    found = counts(results, "teae.soc_grade")
    # a1 has grades 3 and 2 of infections, a2 and b2 grade 5; b2 has an ungraded cardiac event.
    assert {level: n for level, n in found.items() if n} == {
        "Infections grade 3": 1,
        "Infections grade 5": 2,
        "Cardiac not graded": 1,
    }
    assert len(found) == 12


def test_terms_of_severe_serious_and_related_events(results: pl.DataFrame) -> None:
    assert counts(results, "teae.pt.grade_3_plus") == {"Sepsis": 2, "Mycosis": 1}
    assert counts(results, "teae.pt.serious") == {"Sepsis": 2, "Mycosis": 1}
    assert counts(results, "teae.pt.related") == {"Sepsis": 2}


def test_each_person_shifts_from_one_baseline_grade_to_the_worst(results: pl.DataFrame) -> None:
    found = counts(results, "lab.shift")
    of_platelets = {level: n for level, n in found.items() if level.startswith(PLATELETS)}
    assert len(of_platelets) == 6 * 5
    assert {level.removeprefix(f"{PLATELETS} "): n for level, n in of_platelets.items() if n} == {
        "grade 0 to grade 4": 1,
        "grade 1 to grade 4": 1,
        "grade 1 to grade 3": 1,
        "no baseline to grade 0": 1,
    }
    assert sum(of_platelets.values()) == 4
    assert cell(results, "lab.shift", f"{PLATELETS} grade 1 to grade 3", "percent") == (25, "25.0")
