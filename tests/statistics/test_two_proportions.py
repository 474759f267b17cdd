"""Differences and ratios of two proportions: published tables, and R where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path

import numpy as np
import pytest

from reports.statistics.risk_sets import InvalidSample
from reports.statistics.two_proportions import (
    Contrast,
    Counts,
    fisher_exact_p,
    katz_ratio,
    miettinen_nurminen_difference,
    miettinen_nurminen_ratio,
    newcombe_difference,
)
from tests.statistics.agreement_with_r import DataSet, disagreements, needs_r, run_r

# Newcombe 1998, Statistics in Medicine 17:873-890, table II: method 10, and method 5 (Mee with N/(N - 1)), 4 decimals.
NEWCOMBE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
    # Fagerland, Lydersen & Laake 2017, chapter 4: the trial of Perondi et al. 2004.
    ((7, 34, 1, 34), (0.0189, 0.3404)),
]
# The first three also by SAS; the last by Fagerland et al. 2017 (Ritland et al. 2007).
MIETTINEN_NURMINEN = [
    ((56, 70, 48, 80), (0.0528, 0.3382)),
    ((9, 10, 3, 10), (0.1700, 0.8406)),
    ((10, 10, 0, 20), (0.7156, 1.0)),
    ((0, 16, 15, 72), (-0.3164, -0.0056)),
]


@pytest.mark.parametrize(("counts", "limits"), NEWCOMBE)
def test_newcombe_limits_are_those_of_the_papers(
    counts: tuple[int, ...], limits: tuple[float, float]
) -> None:
    found = newcombe_difference(Counts(*counts))
    assert (found.ci_low, found.ci_high) == pytest.approx(limits, abs=5e-5)
    assert found.estimate == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3], abs=1e-15)


@pytest.mark.parametrize(("counts", "limits"), MIETTINEN_NURMINEN)
def test_score_limits_of_a_difference_are_those_of_the_papers(
    counts: tuple[int, ...], limits: tuple[float, float]
) -> None:
    found = miettinen_nurminen_difference(Counts(*counts))
    assert (found.ci_low, found.ci_high) == pytest.approx(limits, abs=5e-5)


def test_limits_of_a_ratio_are_those_of_fagerland_for_perondis_trial() -> None:
    counts = Counts(7, 34, 1, 34)
    score, katz = miettinen_nurminen_ratio(counts), katz_ratio(counts)
    assert (score.estimate, score.ci_low, score.ci_high) == pytest.approx((7, 1.2086, 43.0330), abs=5e-5)
    assert (katz.estimate, katz.ci_low, katz.ci_high) == pytest.approx((7, 0.9096, 53.8695), abs=5e-5)


def test_without_events_in_the_control_there_is_no_ratio_but_a_lower_limit() -> None:
    found = miettinen_nurminen_ratio(Counts(10, 10, 0, 20))
    assert (found.estimate, found.ci_high, found.reason) == (None, inf, "no_events")
    assert found.ci_low is not None and found.ci_low > 1
    assert katz_ratio(Counts(10, 10, 0, 20)) == Contrast(None, None, None, "katz-log", "no_events")


def test_without_events_in_the_study_the_ratio_is_0_with_an_upper_limit() -> None:
    found = miettinen_nurminen_ratio(Counts(0, 16, 15, 72))
    assert (found.estimate, found.ci_low, found.reason) == (0, 0, None)
    assert found.ci_high is not None and 0 < found.ci_high < 1


def test_events_in_everybody_leave_no_limits_on_the_log_scale() -> None:
    assert katz_ratio(Counts(3, 3, 5, 5)) == Contrast(1, None, None, "katz-log", "no_variation")


def test_nobody_in_a_group_gives_reasons_and_no_numbers() -> None:
    counts = Counts(0, 0, 3, 10)
    for method in (newcombe_difference, miettinen_nurminen_difference, miettinen_nurminen_ratio, katz_ratio):
        found = method(counts)
        assert (found.estimate, found.ci_low, found.ci_high, found.reason) == (None, None, None, "nobody")
    assert fisher_exact_p(counts) is None


def test_more_events_than_persons_are_refused() -> None:
    with pytest.raises(InvalidSample, match="between 0 and n"):
        Counts(3, 2, 0, 1)


SCRIPT = """
f <- function(d) {
    x <- d$cause[1]; n <- d$cause[2]; y <- d$cause[3]; m <- d$cause[4]
    z <- qnorm(0.975)
    test <- fisher.test(matrix(c(x, n - x, y, m - y), 2))
    first <- prop.test(x, n, correct = FALSE)$conf.int; second <- prop.test(y, m, correct = FALSE)$conf.int
    p <- x / n; q <- y / m
    out <- list(fisher = test$p.value, newcombe = c(
        p - q - sqrt((p - first[1])^2 + (second[2] - q)^2), p - q + sqrt((first[2] - p)^2 + (q - second[1])^2)))
    if (x > 0 && y > 0 && !(x == n && y == m))
        out$katz <- p / q * exp(c(-z, z) * sqrt(1 / x - 1 / n + 1 / y - 1 / m))
    out
}
"""


def _random_counts(count: int) -> dict[str, Counts]:
    rng = np.random.default_rng(20261125)
    found = {}
    for number in range(count):
        n, m = (int(v) for v in rng.choice([1, 2, 7, 30, 63, 400], 2))
        share, other = rng.choice([0.0, 0.05, 0.4, 0.9, 1.0], 2)
        found[f"set{number}"] = Counts(int(rng.binomial(n, share)), n, int(rng.binomial(m, other)), m)
    return found


@needs_r
def test_tests_and_intervals_agree_with_r(tmp_path: Path) -> None:
    counts = _random_counts(300)
    zeros = np.zeros(4)
    sets = [
        DataSet(name, zeros, np.array([c.events, c.n, c.other_events, c.other_n]), zeros, zeros)
        for name, c in counts.items()
    ]
    ours: dict[str, list[float | None]] = {}
    for name, c in counts.items():
        newcombe, katz = newcombe_difference(c), katz_ratio(c)
        ours[f"{name} fisher"] = [fisher_exact_p(c)]
        ours[f"{name} newcombe"] = [newcombe.ci_low, newcombe.ci_high]
        if katz.ci_low is not None:
            ours[f"{name} katz"] = [katz.ci_low, katz.ci_high]
    assert disagreements(ours, run_r(SCRIPT, sets, tmp_path)) == []


def test_score_limits_solve_the_score_equation_at_the_likeliest_proportions() -> None:
    """Every limit gives a score of 1.96 at proportions found by a fine search over the likelihood."""
    for c in _random_counts(60).values():
        difference, ratio = miettinen_nurminen_difference(c), miettinen_nurminen_ratio(c)
        for limit in (difference.ci_low, difference.ci_high):
            assert limit is not None
            if abs(limit) < 1:
                q = _likeliest(c, lambda q, d=limit: q + d)
                assert _chi2(c, q + limit, q, 1.0, limit) == pytest.approx(1.959963984540054**2, abs=1e-5)
        for limit in (ratio.ci_low, ratio.ci_high):
            if limit is not None and 0 < limit < inf:
                q = _likeliest(c, lambda q, r=limit: q * r)
                assert _chi2(c, q * limit, q, limit, 0.0) == pytest.approx(1.959963984540054**2, abs=1e-5)


def _likeliest(c: Counts, first_of: Callable[[np.ndarray], np.ndarray]) -> float:
    # By a search, not by the closed forms of ours.
    low, high = 0.0, 1.0
    for _ in range(9):
        q = np.linspace(low, high, 2001)
        p = first_of(q)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = [
                np.where(k == 0, 0.0, k * np.log(np.clip(x, 0, 1)))
                for k, x in (
                    (c.events, p), (c.n - c.events, 1 - p), (c.other_events, q), (c.other_n - c.other_events, 1 - q)
                )
            ]  # fmt: skip
        log = np.where((p < -1e-12) | (p > 1 + 1e-12), -np.inf, sum(parts))
        best = int(np.argmax(log))
        low, high = float(q[max(best - 1, 0)]), float(q[min(best + 1, 2000)])
    return float(q[best])


def _chi2(c: Counts, p: float, q: float, ratio: float, difference: float) -> float:
    total = c.n + c.other_n
    distance = c.events / c.n - ratio * c.other_events / c.other_n - difference
    p = min(max(p, 0.0), 1.0)
    variance = (p * (1 - p) / c.n + ratio**2 * q * (1 - q) / c.other_n) * total / (total - 1)
    return distance**2 / variance if variance > 0 else inf
