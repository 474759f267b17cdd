"""Proportions with their intervals, and exact one-sided tests and bounds against a threshold.

Everything is in 0-1. Nobody in the denominator gives empty estimates, never NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from reports.statistics.distributions import (
    beta_quantile,
    binomial_at_least,
    binomial_at_most,
    normal_quantile,
)
from reports.statistics.risk_sets import InvalidSample

DIRECTIONS = ("greater", "less")


@dataclass(frozen=True)
class Proportion:
    """A proportion with its limits in 0-1 (Wald's may leave it); all None when the denominator is 0."""

    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    method: str


def clopper_pearson(events: int, n: int, *, level: float = 0.95) -> Proportion:
    """The exact interval: it holds its level whatever the truth. Source: Clopper & Pearson 1934."""
    if _is_empty(events, n):
        return Proportion(None, None, None, "clopper-pearson")
    tail = (1 - level) / 2
    low, high = _exact_low(events, n, tail), _exact_high(events, n, tail)
    return Proportion(events / n, low, high, "clopper-pearson")


def wilson(events: int, n: int, *, level: float = 0.95) -> Proportion:
    """The score interval, without continuity correction. Source: Wilson 1927; R's prop.test."""
    if _is_empty(events, n):
        return Proportion(None, None, None, "wilson")
    p, z = events / n, normal_quantile((1 + level) / 2)
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    low = 0.0 if events == 0 else centre - half
    high = 1.0 if events == n else centre + half
    return Proportion(p, low, high, "wilson")


def wald(events: int, n: int, *, level: float = 0.95) -> Proportion:
    """The normal interval, unclipped: its limits may lie below 0 or above 1. Source: Laplace 1812."""
    if _is_empty(events, n):
        return Proportion(None, None, None, "wald")
    p = events / n
    half = normal_quantile((1 + level) / 2) * sqrt(p * (1 - p) / n)
    return Proportion(p, p - half, p + half, "wald")


METHODS: dict[str, Callable[..., Proportion]] = {
    "clopper-pearson": clopper_pearson,
    "wilson": wilson,
    "wald": wald,
}


def estimate_proportion(
    events: int, n: int, *, method: str = "clopper-pearson", level: float = 0.95
) -> Proportion:
    """The proportion by a named method.

    Raises ValueError on another name, InvalidSample on impossible counts.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method}")
    return METHODS[method](events, n, level=level)


def exact_p(events: int, n: int, threshold: float, *, direction: str = "greater") -> float | None:
    """The exact one-sided p of the threshold, against a truth that is `greater` or `less` than it.

    The chance, were the true proportion `threshold`, of at least (at most) as many events. None when n
    is 0. Source: R's binom.test.
    """
    _check_direction(direction)
    if _is_empty(events, n):
        return None
    if direction == "greater":
        return binomial_at_least(events, n, threshold)
    return binomial_at_most(events, n, threshold)


def exact_bound(events: int, n: int, *, direction: str = "greater", alpha: float = 0.025) -> float | None:
    """The exact one-sided confidence bound: the lower one for `greater`, the upper one for `less`.

    It passes a threshold exactly when `exact_p` of it is at most `alpha`. None when n is 0.
    """
    _check_direction(direction)
    if _is_empty(events, n):
        return None
    return _exact_low(events, n, alpha) if direction == "greater" else _exact_high(events, n, alpha)


def _exact_low(events: int, n: int, tail: float) -> float:
    return 0.0 if events == 0 else beta_quantile(tail, events, n - events + 1)


def _exact_high(events: int, n: int, tail: float) -> float:
    return 1.0 if events == n else beta_quantile(1 - tail, events + 1, n - events)


def _is_empty(events: int, n: int) -> bool:
    if not 0 <= events <= n:
        raise InvalidSample("events must lie between 0 and n")
    return n == 0


def _check_direction(direction: str) -> None:
    if direction not in DIRECTIONS:
        raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, not {direction}")
