"""Comparisons and Simon-Makuch curves of the drawn study, by hand; cautions stand beside their numbers."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from reports.statistics.results import estimate_results
from studies.protocol import Comparison
from tests.statistics_results.drawn_study import drawn_frames, reference_protocol
from tests.statistics_results.test_drawn_values import cell, counts

KM = "km log-log"


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    return estimate_results(drawn_frames(), reference_protocol())


def cautions(results: pl.DataFrame, analysis: str) -> set[tuple[str, str, str]]:
    """Level, name and method of each caution of an analysis."""
    found = results.filter((pl.col("analysis") == analysis) & pl.col("statistic").str.starts_with("warning_"))
    assert found["value"].null_count() == found.height
    return set(found.select("level", "statistic", "method").rows())


def test_relapse_and_death_without_relapse_are_of_responders_and_add_up_with_the_remissions_that_last(
    results: pl.DataFrame,
) -> None:
    # Of a1 (42, censored), a3 (42, relapse) and b3 (70, censored): 1 of 3 at 42 days.
    for analysis, incidence in (("relapse_incidence", 1 / 3), ("death_without_relapse_incidence", 0.0)):
        assert cell(results, analysis, "", "n") == (3, "3")
        assert cell(results, analysis, "week_8", "incidence", "aalen-johansen")[0] == pytest.approx(incidence)
    assert cell(results, "death_without_relapse_incidence", "", "competing") == (1, "1")
    assert cell(results, "relapse_incidence", "week_8", "at_risk") == (1, "1")


def test_naive_results_say_that_they_are_biased_and_few_events_are_told_with_each_ratio(
    results: pl.DataFrame,
) -> None:
    found = cautions(results, "survival_by_hsct")
    assert {level for level, name, _ in found if name == "warning_immortal_time"} == {
        "naive",
        "logrank_naive",
    }
    assert ("naive", "warning_few_events", "efron") in found
    assert ("time_dependent", "warning_few_events", "efron") in found
    assert ("landmark_90", "warning_penalised", "firth") in found
    # The plain ratio at day 90 is empty, so that nothing need be told of it.
    assert ("landmark_90", "warning_few_events", "efron") not in found


def test_simon_makuch_curves_by_hand(results: pl.DataFrame) -> None:
    # Transplanted: b1 from day 20.5, died on 98; a1 from 55.5, censored on 70. Without: one of 8 died on day 0
    # (at 0.25), b1 and a1 left on the way, 14 censored, 28 two of 5 died, 84 one of 2.
    analysis = "survival_by_hsct.simon_makuch"
    assert counts(results, analysis)["yes"] == 2
    assert counts(results, analysis)["no"] == 8
    assert counts(results, analysis, statistic="events") == {"yes": 1, "no": 4}
    assert cell(results, analysis, "no week_4", "survival", KM)[0] == pytest.approx(7 / 8 * 3 / 5)
    assert cell(results, analysis, "no week_12", "survival", KM)[0] == pytest.approx(7 / 8 * 3 / 5 * 1 / 2)
    assert cell(results, analysis, "yes week_4", "survival", KM) == (1.0, "1.000")
    assert cell(results, analysis, "yes week_12", "at_risk") == (1, "1")
    assert cautions(results, analysis) == {("yes", "warning_late_entry", "")}


def test_a_curve_that_nobody_has_joined_yet_says_nothing() -> None:
    frames = drawn_frames()
    later = pl.when(pl.col("comparing_event_day").is_not_null()).then(pl.lit(60)).alias("comparing_event_day")
    frames["time_dependent"] = frames["time_dependent"].with_columns(later)
    results = estimate_results(frames, reference_protocol())
    analysis = "survival_by_hsct.simon_makuch"
    assert cell(results, analysis, "yes week_8", "survival", KM) == (None, "-")
    assert cell(results, analysis, "yes week_12", "survival", KM)[0] == 1.0


def test_grays_test_compares_the_groups_that_have_persons(results: pl.DataFrame) -> None:
    # R: cuminc(c(28,28,35,14,98,28,42,0), c(1,2,1,0,2,2,1,2), c(1,1,1,1,2,2,2,2))$Tests
    assert cell(results, "gray.remission_by_site", "", "n") == (8, "8")
    assert cell(results, "gray.remission_by_site", "", "groups") == (2, "2")
    assert cell(results, "gray.remission_by_site", "", "df") == (1, "1")
    assert cell(results, "gray.remission_by_site", "", "chi2")[0] == pytest.approx(GRAY_BY_SITE[0], rel=1e-8)
    assert cell(results, "gray.remission_by_site", "", "p")[0] == pytest.approx(GRAY_BY_SITE[1], rel=1e-8)
    assert cautions(results, "gray.relapse_by_hsct") == {("", "warning_immortal_time", "")}


GRAY_BY_SITE = (3.012485546128962, 0.082625503699263)


def test_the_hazard_of_relapse_takes_the_transplant_as_it_comes(results: pl.DataFrame) -> None:
    # One relapse, of a3, who had none; at risk were a1, transplanted 28 days after the remission, and b3, not. The
    # likelihood falls without end; penalised it is 3/2 log(1 - p) + 1/2 log p with p = e / (2 + e): p = 1/4.
    analysis, level = "cause_specific.relapse_by_hsct", "yes against no"
    assert cell(results, analysis, level, "hr", "efron") == (None, "not estimable (separation)")
    assert cell(results, analysis, level, "hr", "firth")[0] == pytest.approx(2 / 3)
    assert cell(results, analysis, level, "n") == (3, "3")
    assert cell(results, f"{analysis}.competing", level, "hr", "efron") == (None, "not estimable (no events)")


def test_a_transplant_on_the_day_of_a_relapse_comes_after_it() -> None:
    frames = drawn_frames()
    relapsed_on = date(2020, 1, 1) + timedelta(days=35 + 42)
    is_a3 = pl.col("person_id") == "a3"
    frames["cohort"] = frames["cohort"].with_columns(
        pl.when(is_a3)
        .then(pl.lit(relapsed_on))
        .otherwise(pl.col("comparing_event_on"))
        .alias("comparing_event_on")
    )
    results = estimate_results(frames, reference_protocol())
    found = cell(results, "cause_specific.relapse_by_hsct", "yes against no", "hr", "firth")[0]
    assert found == pytest.approx(2 / 3)


def test_sites_are_compared_with_the_first_that_has_persons_in_one_model() -> None:
    rules = {"sites": Comparison(incidence="remission", by="site", methods=["cause_specific"])}
    protocol = reference_protocol().model_copy(update={"comparisons": rules})
    results = estimate_results(drawn_frames(), protocol)
    found = results.filter(pl.col("analysis") == "cause_specific.sites")
    assert set(found["level"]) == {"south against north"}
    level = "south against north"
    assert cell(results, "cause_specific.sites", level, "events") == (3, "3")
    # Both remissions with persons of both sites at risk came in the north.
    assert cell(results, "cause_specific.sites", level, "hr", "efron") == (
        None,
        "not estimable (separation)",
    )
    # R: coxph of the deaths without a remission, at 0 and 98 in the south, at 28 one at each site.
    assert cell(results, "cause_specific.sites.competing", level, "events") == (4, "4")
    assert cell(results, "cause_specific.sites.competing", level, "hr", "efron")[0] == pytest.approx(2)
