"""Event rates: closed forms, and R's poisson.test; kappa against its formula in R."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from reports.statistics.agreement import cross_table, estimate_agreement
from reports.statistics.poisson import estimate_rate
from reports.statistics.risk_sets import InvalidSample
from tests.statistics.agreement_with_r import DataSet, disagreements, needs_r, random_data_sets, run_r


def test_no_event_has_a_rate_of_0_and_the_rule_of_three_as_its_upper_limit() -> None:
    found = estimate_rate(0, 10)
    assert (found.rate, found.ci_low) == (0.0, 0.0)
    assert found.ci_high == pytest.approx(-math.log(0.025) / 10, rel=1e-12)


def test_no_time_gives_no_rate() -> None:
    found = estimate_rate(0, 0)
    assert (found.rate, found.ci_low, found.ci_high) == (None, None, None)


@pytest.mark.parametrize(("events", "time"), [(-1, 1), (1, -1), (1, 0)])
def test_impossible_counts_are_refused(events: int, time: float) -> None:
    with pytest.raises(InvalidSample):
        estimate_rate(events, time)


@needs_r
def test_rates_agree_with_r(tmp_path: Path) -> None:
    counts = [(events, time) for events in (0, 1, 2, 7, 60, 400, 100_000) for time in (0.01, 1.0, 7.28, 3e4)]
    asked = [
        DataSet(f"{events}/{time}", np.array([time]), np.array([events]), np.array([0]), np.array([0.0]))
        for events, time in counts
    ]
    ours = {}
    for events, time in counts:
        found = estimate_rate(events, time)
        ours[f"{events}/{time} rate"] = [found.rate, found.ci_low, found.ci_high]
    script = """
    f <- function(d) { test <- poisson.test(d$cause, d$time); list(rate = c(test$estimate, test$conf.int)) }
    """
    assert disagreements(ours, run_r(script, asked, tmp_path)) == []


@needs_r
def test_kappa_agrees_with_its_formula_in_r_on_random_data_sets(tmp_path: Path) -> None:
    data_sets = list(random_data_sets(200, seed=34))
    ours = {}
    for data in data_sets:
        found = estimate_agreement(cross_table(data.cause.tolist(), data.group.tolist(), [0, 1, 2]))
        ours[f"{data.name} agreement"] = [found.observed, found.kappa]
    script = """
    f <- function(d) {
        p <- table(factor(d$cause, 0:2), factor(d$group, 0:2)) / nrow(d)
        chance <- sum(rowSums(p) * colSums(p))
        observed <- sum(diag(p))
        list(agreement = c(observed, if (isTRUE(all.equal(chance, 1))) NA else (observed - chance) / (1 - chance)))
    }
    """
    assert disagreements(ours, run_r(script, data_sets, tmp_path)) == []
