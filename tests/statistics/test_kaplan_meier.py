"""Kaplan-Meier: by hand, on published data, and against R's survfit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from reports.statistics.curve_limits import INTERVALS
from reports.statistics.kaplan_meier import (
    Curve,
    estimate_curve,
    estimate_follow_up,
    estimate_median,
    estimate_survival_at,
)
from reports.statistics.risk_sets import InvalidSample
from tests.statistics.agreement_with_r import DataSet, disagreements, needs_r, random_data_sets, run_r

# The remission times of Freireich 1963 (6-MP and placebo arms), weeks; + is censored there.
MERCAPTOPURINE = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
MERCAPTOPURINE_EVENT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]

TIMES_AT = (0.0, 0.1, 1.0, 2.5, 4.0, 12.0, 100.0)


def test_textbook_curve_of_6_mercaptopurine_agrees_with_its_published_table() -> None:
    # Kleinbaum & Klein, Survival Analysis, table 2.2.
    curve = estimate_curve(MERCAPTOPURINE, MERCAPTOPURINE_EVENT)
    steps = {step.time: step for step in curve.steps() if step.events}
    assert [round(step.survival, 4) for step in steps.values()] == [
        0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482
    ]  # fmt: skip
    assert [step.at_risk for step in steps.values()] == [21, 17, 15, 12, 11, 7, 6]
    assert estimate_median(curve).median == 23
    assert (curve.n, curve.n_events, curve.longest, curve.method) == (21, 9, 35.0, "km log-log")


def test_median_of_a_curve_flat_at_exactly_one_half_is_the_midpoint_of_the_flat_stretch() -> None:
    assert estimate_median(estimate_curve([2, 4, 8, 9], [1, 1, 1, 1])).median == 6.0
    assert estimate_median(estimate_curve([2, 4, 6, 8, 9], [1, 1, 0, 1, 1])).median == 8.0


def test_median_is_the_start_of_the_flat_stretch_where_the_curve_ends_at_exactly_one_half() -> None:
    assert estimate_median(estimate_curve([2, 4, 8, 9], [1, 1, 0, 0])).median == 4.0


def test_one_half_made_of_a_product_is_still_one_half() -> None:
    # 2/3 x 3/4 and the like are not exactly 0.5 in binary.
    curve = estimate_curve([1, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 1, 0, 0, 1, 1, 1, 1, 1])
    assert estimate_median(curve).median is not None
    n = 49
    curve = estimate_curve(range(1, 2 * n + 1), [1] * 2 * n)
    assert estimate_median(curve).median == n + 0.5


def test_curve_that_stays_above_one_half_has_no_median() -> None:
    assert estimate_median(estimate_curve([1, 2, 3, 4], [1, 0, 0, 0])).median is None


def test_nobody_gives_an_empty_curve_and_no_numbers() -> None:
    curve = estimate_curve([], [])
    assert (curve.n, curve.longest, list(curve.steps())) == (0, None, [])
    median = estimate_median(curve)
    assert (median.median, median.ci_low, median.ci_high) == (None, None, None)
    at = estimate_survival_at(curve, 4)
    assert (at.survival, at.ci_low, at.ci_high, at.at_risk) == (None, None, None, 0)


def test_limits_are_empty_at_0_and_1_for_log_log_and_as_in_r_for_the_others() -> None:
    limits = {}
    for interval in INTERVALS:
        curve = estimate_curve([1, 2, 3], [0, 1, 1], interval=interval)
        limits[interval] = [(step.ci_low, step.ci_high) for step in curve.steps()][::2]
    assert limits["log-log"] == [(None, None), (None, None)]
    assert limits["log"] == [(1.0, 1.0), (None, None)]
    assert limits["plain"] == [(1.0, 1.0), (None, None)]


def test_survival_at_a_time_is_a_step_and_empty_after_the_longest_time() -> None:
    curve = estimate_curve([2, 4, 4, 9], [1, 1, 0, 0])
    assert estimate_survival_at(curve, 1).survival == 1.0
    assert estimate_survival_at(curve, 2).survival == 0.75
    assert estimate_survival_at(curve, 3.99).survival == 0.75
    assert estimate_survival_at(curve, 4).survival == pytest.approx(0.5)
    assert estimate_survival_at(curve, 9).survival == pytest.approx(0.5)
    assert estimate_survival_at(curve, 9.01).survival is None


def test_at_risk_counts_those_whose_time_is_at_least_that_long() -> None:
    curve = estimate_curve([2, 4, 4, 9], [1, 1, 0, 0])
    assert [estimate_survival_at(curve, t).at_risk for t in (0, 2, 2.1, 4, 4.1, 9, 10)] == [
        4,
        4,
        3,
        3,
        1,
        1,
        0,
    ]


def test_order_of_persons_and_the_kind_of_column_change_nothing() -> None:
    order = np.random.default_rng(3).permutation(21)
    shuffled = pl.DataFrame({"t": MERCAPTOPURINE, "e": MERCAPTOPURINE_EVENT})[order.tolist()]
    curve = estimate_curve(shuffled["t"], shuffled["e"].cast(pl.Boolean))
    assert list(curve.steps()) == list(estimate_curve(MERCAPTOPURINE, MERCAPTOPURINE_EVENT).steps())


def test_missing_negative_or_unequal_values_are_refused_without_repeating_them() -> None:
    for time, event in (([1, None], [1, 1]), ([-77, 1], [1, 1]), ([1, 2], [1]), ([1, 2], [1, float("nan")])):
        with pytest.raises(InvalidSample) as refused:
            estimate_curve(time, event)
        assert "77" not in str(refused.value)


def test_everybody_censored_gives_a_curve_at_1_and_no_median() -> None:
    curve = estimate_curve([3, 5], [0, 0])
    assert estimate_survival_at(curve, 5).survival == 1.0
    assert estimate_median(curve).median is None


@needs_r
def test_lung_medians_agree_with_r_as_published(tmp_path: Path) -> None:
    # all 310 (285-363) with `log`; sex 1: 270 (212-310); sex 2: 426 (348-550).
    lung = _lung(tmp_path)
    chosen = {"all": lung["sex"] > 0, "1": lung["sex"] == 1, "2": lung["sex"] == 2}
    medians = {}
    for name, keep in chosen.items():
        rows = lung.filter(keep)
        medians[name] = estimate_median(estimate_curve(rows["time"], rows["status"] == 2, interval="log"))
    found = {name: (m.median, m.ci_low, m.ci_high) for name, m in medians.items()}
    assert found == {"all": (310, 285, 363), "1": (270, 212, 310), "2": (426, 348, 550)}


@needs_r
@pytest.mark.slow
def test_curves_medians_and_values_agree_with_r_on_random_data_sets(tmp_path: Path) -> None:
    data_sets = list(random_data_sets(300, seed=20))
    ours = {}
    for data in data_sets:
        for interval in INTERVALS:
            curve = estimate_curve(data.time, data.event, interval=interval)
            ours |= _curve_numbers(f"{data.name} {interval}", curve)
            ours |= _values_at(f"{data.name} {interval}", curve)
        follow_up = estimate_follow_up(data.time, data.event)
        ours |= _curve_numbers(f"{data.name} follow_up", follow_up)
        ours |= _curve_numbers(f"{data.name} rows", estimate_curve(data.stop, data.event, start=data.start))
    assert disagreements(ours, run_r(_R_CURVES, data_sets, tmp_path)) == []


_R_CURVES = """
curve <- function(key, s) {
    m <- summary(s)$table
    # Where the survival is 0 R keeps an infinite relative error: no error.
    a <- list(time = s$time, at_risk = s$n.risk, events = s$n.event, survival = s$surv,
        std_err = s$surv * s$std.err, low = s$lower, high = s$upper,
        median = m[c("median", "0.95LCL", "0.95UCL")])
    setNames(a, paste(key, names(a)))
}
values_at <- function(key, s, weeks) {
    weeks <- weeks[weeks >= min(s$time) & weeks <= max(s$time)]
    if (length(weeks) == 0) return(list())
    m <- summary(s, times = weeks)
    a <- list(at = m$surv, at_low = m$lower, at_high = m$upper, at_n = m$n.risk)
    setNames(a, paste(key, names(a)))
}
f <- function(d) {
    answer <- list()
    for (interval in c("log-log", "log", "plain")) {
        s <- survfit(Surv(time, event) ~ 1, d, conf.type = interval)
        answer <- c(answer, curve(interval, s))
        answer <- c(answer, values_at(interval, s, c(0, 0.1, 1, 2.5, 4, 12, 100)))
    }
    answer <- c(answer, curve("follow_up", survfit(Surv(time, 1 - event) ~ 1, d, conf.type = "log-log")))
    c(answer, curve("rows", survfit(Surv(start, stop, event) ~ 1, d, conf.type = "log-log")))
}
"""


def _curve_numbers(key: str, curve: Curve) -> dict[str, list[float | None]]:
    steps, median = list(curve.steps()), estimate_median(curve)
    return {
        f"{key} time": [step.time for step in steps],
        f"{key} at_risk": [step.at_risk for step in steps],
        f"{key} events": [step.events for step in steps],
        f"{key} survival": [step.survival for step in steps],
        f"{key} std_err": [step.std_err for step in steps],
        f"{key} low": [step.ci_low for step in steps],
        f"{key} high": [step.ci_high for step in steps],
        f"{key} median": [median.median, median.ci_low, median.ci_high],
    }


def _values_at(key: str, curve: Curve) -> dict[str, list[float | None]]:
    # Before the first time R's summary prints limits of 1 for every method; ours are those of the method.
    inside = [t for t in TIMES_AT if curve.time[0] <= t <= curve.time[-1]]
    at = [estimate_survival_at(curve, t) for t in inside]
    if not at:
        return {}
    return {
        f"{key} at": [value.survival for value in at],
        f"{key} at_low": [value.ci_low for value in at],
        f"{key} at_high": [value.ci_high for value in at],
        f"{key} at_n": [value.at_risk for value in at],
    }


def _lung(folder: Path) -> pl.DataFrame:
    one = [DataSet("lung", np.array([1.0]), np.array([1]), np.array([0]), np.array([0.0]))]
    columns = run_r("f <- function(d) as.list(lung[c('time', 'status', 'sex')])", one, folder)
    return pl.DataFrame({key.split()[1]: values for key, values in columns.items()})
