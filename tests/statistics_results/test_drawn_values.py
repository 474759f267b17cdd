"""The numbers of the drawn study: by hand, in closed form, and from R 4.2.2 (survival 3.5-3)."""

from __future__ import annotations

from math import exp, log, sqrt

import polars as pl
import pytest
from scipy.stats import norm

from reports.statistics.results import estimate_results
from tests.statistics_results.drawn_study import PLATELETS, drawn_frames, reference_protocol

Cell = tuple[float | None, str]


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    return estimate_results(drawn_frames(), reference_protocol())


def cell(
    results: pl.DataFrame, analysis: str, level: str, statistic: str, method: str = "", group: str = "all"
) -> Cell:
    """Value and text of one row."""
    key = {"analysis": analysis, "level": level, "statistic": statistic, "method": method, "group": group}
    found = results.filter(pl.all_horizontal(pl.col(name) == value for name, value in key.items()))
    return found.select("value", "text").row(0) if found.height == 1 else pytest.fail(f"{key}")


def counts(
    results: pl.DataFrame, analysis: str, group: str = "all", statistic: str = "n"
) -> dict[str, float]:
    """The values of one statistic by level."""
    chosen = results.filter(
        (pl.col("analysis") == analysis) & (pl.col("group") == group) & (pl.col("statistic") == statistic)
    )
    return dict(chosen.select("level", "value").iter_rows())


def test_attrition_counts_the_known_also_at_a_site_that_treated_nobody(results: pl.DataFrame) -> None:
    assert counts(results, "attrition") == {"known": 10, "diagnosed": 9, "treated": 8}
    assert counts(results, "attrition", "site=north") == {"known": 5, "diagnosed": 5, "treated": 4}
    assert counts(results, "attrition", "site=west") == {"known": 1, "diagnosed": 0, "treated": 0}


def test_disposition_is_a_set_of_flags_in_percent_of_the_treated(results: pl.DataFrame) -> None:
    expected = {"treated": 8, "completed_follow_up": 4, "hsct": 2, "died": 5, "new_therapy": 1}
    assert counts(results, "disposition") == expected
    assert cell(results, "disposition", "died", "percent") == (62.5, "62.5")


def test_age_has_quantiles_of_type_7_as_r(results: pl.DataFrame) -> None:
    expected = {"n": 8, "missing": 0, "median": 11, "min": 2, "max": 26, "mean": 11.75, "q1": 7.5, "q3": 13.5}
    for statistic, value in expected.items():
        assert cell(results, "baseline.age", "", statistic)[0] == value
    assert cell(results, "baseline.age", "", "sd")[0] == pytest.approx(7.44023809142845, rel=1e-12)
    assert cell(results, "baseline.age", "", "median")[1] == "11.0"
    assert cell(results, "baseline.age", "", "max")[1] == "26"


def test_a_missing_value_is_counted_and_takes_no_part_in_the_summary(results: pl.DataFrame) -> None:
    assert cell(results, "baseline.prior_regimens", "", "n") == (7, "7")
    assert cell(results, "baseline.prior_regimens", "", "missing") == (1, "1")
    assert cell(results, "baseline.prior_regimens", "", "max") == (4, "4")


def test_a_level_without_persons_prints_0(results: pl.DataFrame) -> None:
    assert counts(results, "baseline.sex", "hsct=yes") == {"male": 2, "female": 0, "other": 0, "unknown": 0}
    assert cell(results, "baseline.sex", "female", "percent", group="hsct=yes") == (0, "0.0")


def test_exposure(results: pl.DataFrame) -> None:
    assert counts(results, "exposure.evidence") == {
        "administered": 5,
        "dispensed": 1,
        "stated": 1,
        "ordered": 1,
    }
    assert counts(results, "exposure.regimen") == {"combination": 7, "monotherapy": 1}
    assert [cell(results, "exposure.days", "", s) for s in ("median", "min", "max")] == [
        (5, "5.0"), (5, "5"), (75, "75")
    ]  # fmt: skip


def test_response_has_every_treated_person_in_its_denominator(results: pl.DataFrame) -> None:
    assert counts(results, "response.best") == {"CR": 2, "CRp": 1, "PR": 1, "NR": 1, "NE": 3}
    assert cell(results, "response.remission", "", "n") == (3, "3")
    assert cell(results, "response.remission", "", "denominator") == (8, "8")
    assert cell(results, "response.overall", "", "n") == (4, "4")
    assert counts(results, "response.remission", "site=south", "denominator") == {"": 4}


def test_three_intervals_of_3_of_8_as_r_and_in_closed_form(results: pl.DataFrame) -> None:
    half = float(norm.ppf(0.975)) * sqrt(3 / 8 * 5 / 8 / 8)
    expected = {  # binom.test(3, 8); prop.test(3, 8, correct = FALSE)
        "clopper-pearson": (8.52334141372536, 75.5136783633448),
        "wilson": (13.6844285823597, 69.4257605397373),
        "wald": (37.5 - 100 * half, 37.5 + 100 * half),
    }
    for method, limits in expected.items():
        assert cell(results, "response.remission", "", "percent", method) == (37.5, "37.5")
        found = [cell(results, "response.remission", "", s, method)[0] for s in ("ci_low", "ci_high")]
        assert found == pytest.approx(limits, rel=1e-9)


def test_a_wald_limit_keeps_its_value_and_is_shown_within_0_to_100(results: pl.DataFrame) -> None:
    # 1 of 4 at the southern site: 25 - 42.4.
    value, text = cell(results, "response.remission", "", "ci_low", "wald", group="site=south")
    assert value == pytest.approx(100 * (0.25 - float(norm.ppf(0.975)) * sqrt(0.25 * 0.75 / 4)))
    assert value is not None
    assert value < 0
    assert text == "0.0"


def test_reasons_of_not_evaluable_persons(results: pl.DataFrame) -> None:
    expected = {"no_assessment": 2, "anc_missing": 0, "platelets_missing": 1, "baseline_marrow_missing": 0}
    assert counts(results, "response.not_evaluable") == expected


def test_agreement_by_hand(results: pl.DataFrame) -> None:
    # CR-CR, CRp-CR, NE-NE, PR-PR, NR-NR: 4 of 5; by chance (1*2 + 1 + 1 + 1) / 25.
    assert cell(results, "response.agreement", "", "n") == (5, "5")
    assert cell(results, "response.agreement", "", "observed_percent") == (80, "80.0")
    assert cell(results, "response.agreement", "", "kappa")[0] == pytest.approx((0.8 - 0.2) / (1 - 0.2))


def test_evaluable_persons_only(results: pl.DataFrame) -> None:
    assert cell(results, "sensitivity.evaluable", "", "denominator") == (5, "5")
    assert cell(results, "sensitivity.evaluable", "", "percent", "wald") == (60, "60.0")


def test_overall_survival_by_hand_in_weeks(results: pl.DataFrame) -> None:
    # 0 died of 8; 14 censored; 28 two died (and 28 is at risk in week 4); 84 and 98 died; 70, 112 censored.
    km = "km log-log"
    assert cell(results, "overall_survival", "", "n") == (8, "8")
    assert cell(results, "overall_survival", "", "events") == (5, "5")
    assert cell(results, "overall_survival", "", "median", km) == (12, "12.0")
    assert cell(results, "overall_survival", "", "ci_low", km) == (0, "0.0")
    assert cell(results, "overall_survival", "", "ci_high", km) == (None, "not reached")
    assert cell(results, "overall_survival", "", "max") == (16, "16.0")
    at_risk = counts(results, "overall_survival", statistic="at_risk")
    assert [at_risk[f"week_{week}"] for week in (4, 8, 12, 26)] == [6, 4, 3, 0]


def test_survival_at_a_week_has_greenwoods_log_log_limits(results: pl.DataFrame) -> None:
    km = "km log-log"
    survival = cell(results, "overall_survival", "week_4", "survival", km)[0]
    assert survival == pytest.approx(SURVIVAL_WEEK_4, rel=1e-12)
    half = float(norm.ppf(0.975)) * sqrt(GREENWOOD_WEEK_4) / log(SURVIVAL_WEEK_4)
    limits = [exp(log(SURVIVAL_WEEK_4) * exp(sign * half)) for sign in (-1, 1)]
    found = [cell(results, "overall_survival", "week_4", s, km)[0] for s in ("ci_low", "ci_high")]
    assert found == pytest.approx(limits, rel=1e-9)
    assert cell(results, "overall_survival", "week_4", "survival", km)[1] == "0.583"
    assert cell(results, "overall_survival", "week_26", "survival", km) == (None, "-")


def test_follow_up_is_the_reverse_curves_median(results: pl.DataFrame) -> None:
    # Ends of follow-up at 14 (7 at risk), 70 (4), 112 (1): 6/7, 9/14, 0.
    assert cell(results, "follow_up", "", "median", "km log-log") == (16, "16.0")
    assert cell(results, "follow_up", "", "ci_low", "km log-log") == (2, "2.0")


def test_times_of_responders(results: pl.DataFrame) -> None:
    assert cell(results, "time_to_remission", "", "median", "km log-log") == (5, "5.0")
    assert [cell(results, "time_to_remission", "", s)[0] for s in ("n", "events", "min", "max")] == [
        3,
        3,
        4,
        6,
    ]
    # 42 censored, 42 relapse, 70 censored: 2/3 from 42 on; the raw lengths' median is 42 days.
    assert cell(results, "duration_of_remission", "", "median", "km log-log") == (None, "not reached")
    assert cell(results, "duration_of_remission", "", "raw_median") == (6, "6.0")
    # At HSCT, 28 censored: 1/2 from 42 on, flat to the end without a later step, so the median is 42 days.
    assert cell(results, "duration_of_remission.at_hsct", "", "median", "km log-log") == (6, "6.0")


def test_incidence_of_remission_with_death_competing(results: pl.DataFrame) -> None:
    found = counts(results, "remission_incidence", statistic="incidence")
    # 0: 1 of 8 died; 28: 1 of 6 remitted and 2 died; 35: 1 of 3 remitted; 42: 1 of 2. Each adds 7/48.
    assert found["week_4"] == pytest.approx(7 / 48)
    assert found["week_8"] == pytest.approx(21 / 48)
    assert found["week_12"] == pytest.approx(21 / 48)
    assert found["week_26"] is None


R_SURVIVAL_BY_HSCT = {  # hr, ci_low, ci_high, p of coxph with coxph.control(eps = 1e-12)
    "naive": (0.428481982391149, 0.0467571818832833, 3.92660125865047, 0.45335754007849),
    "landmark_30": (1.41421356237309, 0.0848428416070652, 23.5729964027213, 0.809221414588876),
    "time_dependent": (0.761327807829415, 0.0724250623066332, 8.00303116786213, 0.820276689811185),
}


@pytest.mark.parametrize("level", R_SURVIVAL_BY_HSCT)
def test_survival_by_hsct_agrees_with_r(results: pl.DataFrame, level: str) -> None:
    statistics = ("hr", "ci_low", "ci_high", "p")
    found = [cell(results, "survival_by_hsct", level, s, "efron")[0] for s in statistics]
    assert found == pytest.approx(R_SURVIVAL_BY_HSCT[level], rel=1e-8)


def test_a_landmark_keeps_those_followed_past_it(results: pl.DataFrame) -> None:
    persons = counts(results, "survival_by_hsct")
    assert persons == {"naive": 8, "landmark_30": 4, "landmark_60": 4, "landmark_90": 2, "time_dependent": 8}
    events = counts(results, "survival_by_hsct", statistic="events")
    assert events == {"naive": 5, "landmark_30": 2, "landmark_60": 2, "landmark_90": 1, "time_dependent": 5}


def test_a_separated_landmark_has_no_efron_ratio_but_a_penalised_one(results: pl.DataFrame) -> None:
    hr = cell(results, "survival_by_hsct", "landmark_90", "hr", "efron")
    assert hr == (None, "not estimable (separation)")
    # One exposed death, one at risk unexposed: 3/2 b - 2 log(1 + exp(b)) is largest at exp(b) = 3.
    assert cell(results, "survival_by_hsct", "landmark_90", "hr", "firth")[0] == pytest.approx(3)


def test_tests_by_hsct_agree_with_r(results: pl.DataFrame) -> None:
    assert cell(results, "survival_by_hsct", "logrank_naive", "chi2")[0] == pytest.approx(0.554035567715458)
    assert cell(results, "survival_by_hsct", "logrank_naive", "p")[0] == pytest.approx(0.456673435626163)
    assert cell(results, "survival_by_hsct", "mantel_byar", "chi2")[0] == pytest.approx(0.04)
    assert cell(results, "survival_by_hsct", "mantel_byar", "p")[0] == pytest.approx(0.841480581121794)


def test_deaths_have_one_class_each(results: pl.DataFrame) -> None:
    expected = {"all": 5, "due_to_teae": 2, "within_30_days": 3, "later": 1, "after_hsct": 1}
    assert counts(results, "death") == expected
    assert cell(results, "death", "all", "percent", group="site=south") == (75, "75.0")


def test_adverse_events_are_counted_by_person_and_by_event(results: pl.DataFrame) -> None:
    # a1 and b2 both have an AdverseEvent/1, of two hospitals: two events.
    expected = {
        "any": (4, 6), "grade_3_plus": (3, 3), "serious": (3, 3), "related": (2, 2), "fatal": (2, 2),
        "led_to_discontinuation": (1, 1),
    }  # fmt: skip
    events = counts(results, "teae", statistic="events")
    assert {level: (n, events[level]) for level, n in counts(results, "teae").items()} == expected
    assert cell(results, "teae", "any", "percent") == (50, "50.0")


def test_terms_are_levels_and_an_uncoded_event_is_none(results: pl.DataFrame) -> None:
    assert counts(results, "teae.soc") == {"Infections": 3, "Cardiac": 1}
    assert counts(results, "teae.soc", statistic="events") == {"Infections": 4, "Cardiac": 1}
    assert counts(results, "teae.pt") == {"Sepsis": 2, "Mycosis": 1, "Arrest": 1}
    assert counts(results, "teae.pt", statistic="events") == {"Sepsis": 3, "Mycosis": 1, "Arrest": 1}


def test_worst_grades_are_in_percent_of_those_with_a_value(results: pl.DataFrame) -> None:
    assert cell(results, "lab.worst_grade", f"{PLATELETS} grade 4", "n") == (2, "2")
    assert cell(results, "lab.worst_grade", f"{PLATELETS} grade 4", "percent") == (50, "50.0")
    assert cell(results, "lab.worst_grade", "Anemia grade 4", "n") == (0, "0")
    assert cell(results, "lab.worst_grade", "Anemia grade 4", "percent") == (None, "-")


def test_quality_counts_resources_by_site_and_imputed_dates_of_the_treated(results: pl.DataFrame) -> None:
    expected = {"landed": 15, "mapped": 12, "quarantined": 1, "superseded": 1, "not_asked_for": 1}
    assert counts(results, "quality.resources") == expected
    assert counts(results, "quality.resources", "site=south")["landed"] == 5
    assert counts(results, "quality.resources", "site=west")["landed"] == 0
    imputed = {"birth": 2, "death": 1, "diagnosis": 0, "teae_onset": 0}
    assert counts(results, "quality.imputed_dates") == imputed


def test_contradictory_dates_count_each_treated_person_once(results: pl.DataFrame) -> None:
    assert counts(results, "quality.contradictory_dates") == {
        "birth_after_treatment": 0,
        "birth_after_diagnosis": 0,
        "death_before_treatment": 0,
        "record_after_death": 1,
    }


def test_a_death_before_the_first_dose_is_told_beside_deaths_and_survival_of_its_groups() -> None:
    frames = drawn_frames()
    # b4 is of the south, and was never transplanted.
    row = {"kind": "death_before_treatment", "person_id": "b4", "resource_key": "Patient/b4"}
    frames["contradictory_date"] = pl.concat([frames["contradictory_date"], pl.DataFrame([row])])
    results = estimate_results(frames, reference_protocol())
    assert counts(results, "quality.contradictory_dates")["death_before_treatment"] == 1
    told = results.filter(pl.col("statistic") == "warning_death_before_treatment")
    assert set(told.select("analysis", "group", "level").rows()) == {
        (analysis, group, level)
        for analysis, level in (("death", "all"), ("overall_survival", ""))
        for group in ("all", "site=south", "hsct=no")
    }


def test_the_decision_as_r(results: pl.DataFrame) -> None:
    # binom.test(k, 8, 0.3, "greater"): k = 3 gives 0.448, 5 gives 0.058, 6 gives 0.0113.
    assert cell(results, "decision", "remission", "value") == (37.5, "37.5")
    assert cell(results, "decision", "remission", "threshold") == (30, "30.0")
    assert cell(results, "decision", "remission", "bound")[0] == pytest.approx(8.52334141372536)
    assert cell(results, "decision", "remission", "p")[0] == pytest.approx(0.44822619)
    assert cell(results, "decision", "remission", "met") == (0, "not met")
    assert cell(results, "decision", "remission", "responders_short") == (3, "3")


SURVIVAL_WEEK_4 = 7 / 8 * 4 / 6
GREENWOOD_WEEK_4 = 1 / (8 * 7) + 2 / (6 * 4)


def test_values_in_units_that_do_not_convert_are_counted_by_codelist_unit_and_site(
    results: pl.DataFrame,
) -> None:
    found = results.filter(pl.col("analysis") == "quality.unit")
    assert {(g, level): value for _, _, g, level, _, value, _, _ in found.iter_rows()} == {
        ("all", "anc: g/L"): 7,
        ("all", "platelets: (other text)"): 1,
        ("site=north", "anc: g/L"): 3,
        ("site=south", "anc: g/L"): 4,
        ("site=south", "platelets: (other text)"): 1,
    }


def test_broken_rules_are_counted_by_site(results: pl.DataFrame) -> None:
    found = results.filter(pl.col("analysis").is_in(["quality.quarantine", "quality.finding"]))
    rows = {(a, g, level): value for a, _, g, level, _, value, _, _ in found.iter_rows()}
    assert rows == {
        ("quality.quarantine", "all", "not-json"): 1,
        ("quality.quarantine", "site=north", "not-json"): 1,
        ("quality.finding", "all", "number-precision"): 3,
        ("quality.finding", "site=north", "number-precision"): 1,
        ("quality.finding", "site=south", "number-precision"): 2,
    }


def test_a_published_control_stands_beside_the_study_as_in_r(results: pl.DataFrame) -> None:
    """3 of 8 in remission against 11 of 25: prop.test and fisher.test of R, and the formula of Katz."""
    expected = {
        ("study", "n", ""): 8,
        ("study", "events", ""): 3,
        ("study", "percent", ""): 37.5,
        ("control", "n", ""): 25,
        ("control", "events", ""): 11,
        ("control", "percent", ""): 44,
        ("difference", "estimate", "newcombe"): -6.5,
        ("difference", "ci_low", "newcombe"): -36.9241247118,
        ("difference", "ci_high", "newcombe"): 29.8281469586,
        ("difference", "p", "fisher-exact"): 1,
        ("ratio", "estimate", "katz-log"): 0.852272727273,
        ("ratio", "ci_low", "katz-log"): 0.314182543856,
        ("ratio", "ci_high", "katz-log"): 2.31193239681,
    }
    for (level, statistic, method), number in expected.items():
        found = cell(results, "comparator.hijiya_2011", level, statistic, method)[0]
        assert found == pytest.approx(number, rel=1e-11), (level, statistic)
    assert cell(results, "comparator.hijiya_2011", "difference", "ci_low", "newcombe")[1] == "-36.9"


def test_a_control_may_be_compared_by_the_level_of_a_best_response(results: pl.DataFrame) -> None:
    assert cell(results, "comparator.yoo_2017_cr", "study", "events") == (2, "2")
    assert cell(results, "comparator.yoo_2017_cr", "study", "n") == (8, "8")
