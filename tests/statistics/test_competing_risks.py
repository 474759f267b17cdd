"""Cumulative incidence and Gray's test: by hand, and against R's cmprsk and survival."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.statistics.competing_risks import estimate_incidence, estimate_incidence_at
from reports.statistics.gray import estimate_gray
from reports.statistics.kaplan_meier import estimate_curve
from tests.statistics.agreement_with_r import disagreements, needs_r, random_data_sets, run_r


def test_incidence_by_hand_with_a_tie_of_both_kinds_and_a_censoring() -> None:
    # 5 at risk: at 2 one of interest and one competing, at 3 one censored, at 4 one of interest of 2.
    curve = estimate_incidence([2, 2, 3, 4, 6], [1, 2, 0, 1, 0])
    assert [step.incidence for step in curve.steps()] == pytest.approx([0.2, 0.2, 0.2 + 0.6 / 2, 0.5])
    assert [(step.at_risk, step.events, step.competing) for step in curve.steps()] == [
        (5, 1, 1), (3, 0, 0), (2, 1, 0), (1, 0, 0)
    ]  # fmt: skip


def test_without_competing_events_the_incidence_is_one_minus_kaplan_meier() -> None:
    time, event = [1, 2, 2, 3, 5, 8], [1, 0, 1, 1, 0, 1]
    expected = [1 - step.survival for step in estimate_curve(time, event).steps()]
    assert [step.incidence for step in estimate_incidence(time, event).steps()] == pytest.approx(expected)


def test_without_censoring_the_incidence_is_the_proportion_of_persons() -> None:
    curve = estimate_incidence([1, 2, 3, 4, 5], [2, 1, 1, 2, 1])
    assert estimate_incidence_at(curve, 5).incidence == pytest.approx(0.6)
    assert estimate_incidence_at(estimate_incidence([1, 2, 3, 4, 5], [2, 1, 1, 2, 1], of=2), 5).incidence == (
        pytest.approx(0.4)
    )


def test_incidence_is_0_before_the_first_event_and_empty_after_the_longest_time() -> None:
    curve = estimate_incidence([2, 4], [1, 0])
    before, after = estimate_incidence_at(curve, 1), estimate_incidence_at(curve, 4.5)
    assert (before.incidence, before.ci_low, before.ci_high, before.at_risk) == (0.0, None, None, 2)
    assert (after.incidence, after.ci_low, after.ci_high, after.at_risk) == (None, None, None, 0)


def test_nobody_gives_an_empty_incidence() -> None:
    curve = estimate_incidence([], [])
    assert (curve.n, curve.n_events, list(curve.steps())) == (0, 0, [])
    assert estimate_incidence_at(curve, 1).incidence is None


def test_gray_says_why_it_compares_nothing() -> None:
    one_group = estimate_gray([1, 2, 3], [1, 2, 0], ["a", "a", "a"])
    no_event = estimate_gray([1, 2, 3], [2, 2, 0], ["a", "b", "a"])
    nobody = estimate_gray([], [], [])
    assert {test.reason for test in (one_group, no_event, nobody)} == {"no_contrast"}
    assert {test.p for test in (one_group, no_event, nobody)} == {None}


@needs_r
@pytest.mark.slow
def test_incidence_agrees_with_cuminc_and_multi_state_survfit_on_random_data_sets(tmp_path: Path) -> None:
    data_sets = list(random_data_sets(300, seed=21))
    ours = {}
    for data in data_sets:
        if not (data.cause == 1).any():
            continue
        steps = [step for step in estimate_incidence(data.time, data.cause).steps() if step.events]
        ours |= {
            f"{data.name} time": [step.time for step in steps],
            f"{data.name} incidence": [step.incidence for step in steps],
            f"{data.name} variance": [step.std_err**2 for step in steps],
            f"{data.name} low": [step.ci_low for step in steps],
            f"{data.name} high": [step.ci_high for step in steps],
            f"{data.name} survfit": [step.incidence for step in steps],
        }
    assert len(ours) > 1000
    assert disagreements(ours, run_r(_R_INCIDENCE, data_sets, tmp_path)) == []


_R_INCIDENCE = """
f <- function(d) {
    if (!any(d$cause == 1)) return(list())
    curve <- cuminc(d$time, d$cause)[["1 1"]]
    # cuminc gives the corners of the steps: the upper corner of each.
    at <- seq(3, length(curve$time) - 1, by = 2)
    p <- curve$est[at]; se <- sqrt(curve$var[at])
    limits <- survival:::survfit_confint(p, se, logse = FALSE, "log-log", 0.95)
    s <- survfit(Surv(time, factor(cause, 0:2)) ~ 1, d)
    list(time = curve$time[at], incidence = p, variance = curve$var[at],
        low = limits$lower, high = limits$upper, survfit = s$pstate[s$n.event[, 2] > 0, 2])
}
"""


@needs_r
@pytest.mark.slow
def test_gray_agrees_with_cuminc_on_random_data_sets(tmp_path: Path) -> None:
    data_sets = list(random_data_sets(400, seed=22))
    ours = {}
    for data in data_sets:
        test = estimate_gray(data.time, data.cause, data.group)
        ours[f"{data.name} test"] = [test.chi2, test.p]
    assert sum(numbers[1] is not None for numbers in ours.values()) > 200
    assert disagreements(ours, run_r(_R_GRAY, data_sets, tmp_path)) == []


_R_GRAY = """
f <- function(d) {
    if (!any(d$cause == 1) || length(unique(d$group)) < 2) return(list(test = c(NA, NA)))
    tests <- cuminc(d$time, d$cause, d$group)$Tests
    # cuminc gives -1 where the variance is singular.
    if (tests["1", "stat"] == -1) c(list(test = c(NA, NA))) else
        list(test = c(tests["1", "stat"], pchisq(tests["1", "stat"], tests["1", "df"], lower.tail = FALSE)))
}
"""
