"""Proportions: published intervals, closed forms, and R's binom.test and prop.test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reports.statistics.proportions import (
    METHODS,
    clopper_pearson,
    estimate_proportion,
    exact_bound,
    exact_p,
    wald,
    wilson,
)
from reports.statistics.risk_sets import InvalidSample
from tests.statistics.agreement_with_r import DataSet, disagreements, needs_r, run_r


def test_wald_gives_the_published_intervals_of_the_reference_study() -> None:
    # Choi 2021: 27/60 = 45.0% (32.4-57.6), 28/60 = 46.7% (34.0-59.3).
    for events, published in ((27, (45.0, 32.4, 57.6)), (28, (46.7, 34.0, 59.3))):
        found = wald(events, 60)
        assert found.estimate is not None and found.ci_low is not None and found.ci_high is not None
        percents = [round(100 * value, 1) for value in (found.estimate, found.ci_low, found.ci_high)]
        assert tuple(percents) == published


def test_wald_limits_are_not_clipped() -> None:
    found = wald(1, 60)
    assert found.ci_low is not None and found.ci_low < 0
    assert wald(0, 10).ci_low == wald(0, 10).ci_high == 0.0


def test_clopper_pearson_of_none_and_all_has_its_closed_form() -> None:
    none, everyone = clopper_pearson(0, 20), clopper_pearson(20, 20)
    assert (none.ci_low, everyone.ci_high) == (0.0, 1.0)
    assert none.ci_high == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-12)
    assert everyone.ci_low == pytest.approx(0.025 ** (1 / 20), rel=1e-12)


def test_wilson_of_none_and_all_touches_0_and_1() -> None:
    z2 = 1.959963984540054**2
    assert wilson(0, 20).ci_low == 0.0 and wilson(20, 20).ci_high == 1.0
    assert wilson(0, 20).ci_high == pytest.approx(z2 / (20 + z2), rel=1e-12)


def test_nobody_gives_no_numbers() -> None:
    for method in METHODS:
        found = estimate_proportion(0, 0, method=method)
        assert (found.estimate, found.ci_low, found.ci_high, found.method) == (None, None, None, method)
    assert exact_p(0, 0, 0.3) is None and exact_bound(0, 0) is None


def test_impossible_counts_and_unknown_methods_are_refused() -> None:
    for events, n in ((-1, 5), (6, 5)):
        with pytest.raises(InvalidSample):
            clopper_pearson(events, n)
    with pytest.raises(ValueError, match="clopper-pearson, wilson, wald"):
        estimate_proportion(1, 2, method="jeffreys")
    with pytest.raises(ValueError, match="greater, less"):
        exact_p(1, 2, 0.5, direction="two-sided")


def test_exact_p_has_its_closed_form() -> None:
    assert exact_p(3, 3, 0.5) == pytest.approx(1 / 8)
    assert exact_p(0, 3, 0.5, direction="less") == pytest.approx(1 / 8)
    assert exact_p(0, 3, 0.5) == 1.0


def test_bound_passes_the_threshold_exactly_when_p_is_at_most_alpha() -> None:
    for events in range(61):
        for threshold in (0.2, 0.35, 0.45, 0.6):
            p, low = exact_p(events, 60, threshold), exact_bound(events, 60)
            assert p is not None and low is not None
            assert (p <= 0.025) == (low >= threshold)
            p, high = (
                exact_p(events, 60, threshold, direction="less"),
                exact_bound(events, 60, direction="less"),
            )
            assert p is not None and high is not None
            assert (p <= 0.025) == (high <= threshold)


@needs_r
def test_intervals_and_p_values_agree_with_r_for_every_count_of_small_samples(tmp_path: Path) -> None:
    counts = [(events, n) for n in (1, 2, 5, 17, 60, 400) for events in range(0, n + 1, 1 + n // 60)]
    one = np.ones(1)
    asked = [DataSet(f"{e}/{n}", one * n, np.array([e]), np.array([0]), one * 0) for e, n in counts]
    ours = {}
    for events, n in counts:
        exact, score = clopper_pearson(events, n), wilson(events, n)
        ours[f"{events}/{n} exact"] = [exact.ci_low, exact.ci_high]
        ours[f"{events}/{n} wilson"] = [score.ci_low, score.ci_high]
        ours[f"{events}/{n} p"] = [exact_p(events, n, 0.3), exact_p(events, n, 0.3, direction="less")]
        ours[f"{events}/{n} bound"] = [exact_bound(events, n), exact_bound(events, n, direction="less")]
    assert disagreements(ours, run_r(_R_PROPORTIONS, asked, tmp_path)) == []


_R_PROPORTIONS = """
f <- function(d) {
    x <- d$cause; n <- d$time
    test <- function(side, level = 0.95) binom.test(x, n, 0.3, side, level)
    list(exact = test("two.sided")$conf.int,
        wilson = suppressWarnings(prop.test(x, n, correct = FALSE))$conf.int,
        p = c(test("greater")$p.value, test("less")$p.value),
        bound = c(test("greater", 0.975)$conf.int[1], test("less", 0.975)$conf.int[2]))
}
"""
