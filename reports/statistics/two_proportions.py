"""Two independent proportions: their difference and ratio with intervals, and Fisher's exact test.

Counts in; everything is in 0-1. The difference is first - second, the ratio first / second. Nobody in a
denominator gives empty estimates, never NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import acos, copysign, cos, exp, inf, log, pi, sqrt

import numpy as np
from scipy.optimize import brentq

from reports.statistics.distributions import hypergeometric_chance, normal_quantile
from reports.statistics.proportions import wilson
from reports.statistics.risk_sets import InvalidSample

# fisher.test counts a table as no likelier than the observed one up to this relative error of its chance.
SAME_CHANCE = 1 + 1e-7
LARGEST_RATIO = 1e12
NOBODY = "nobody"
PRECISE = {"xtol": 1e-14, "rtol": 1e-14, "maxiter": 500}


@dataclass(frozen=True)
class Counts:
    """Persons, and those of them with the event, in the first and the second group."""

    events: int
    n: int
    other_events: int
    other_n: int

    def __post_init__(self) -> None:
        if not (0 <= self.events <= self.n and 0 <= self.other_events <= self.other_n):
            raise InvalidSample("events must lie between 0 and n")

    @property
    def is_empty(self) -> bool:
        """Whether one of the groups has nobody."""
        return not (self.n and self.other_n)

    @property
    def proportions(self) -> tuple[float, float]:
        """The two proportions; of groups that have somebody."""
        return self.events / self.n, self.other_events / self.other_n


@dataclass(frozen=True)
class Contrast:
    """A difference or a ratio with its limits; an upper limit that doesn't exist is infinite.

    What can't be estimated is None, with the `reason`: `nobody`, `no_events` or `no_variation`.
    """

    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    method: str
    reason: str | None = None


def newcombe_difference(counts: Counts, *, level: float = 0.95) -> Contrast:
    """The difference with the hybrid score interval. Source: Newcombe 1998, method 10."""
    if counts.is_empty:
        return Contrast(None, None, None, "newcombe", NOBODY)
    p, q = counts.proportions
    first, second = (
        wilson(x, n, level=level)
        for x, n in ((counts.events, counts.n), (counts.other_events, counts.other_n))
    )
    below = sqrt((p - _given(first.ci_low)) ** 2 + (_given(second.ci_high) - q) ** 2)
    above = sqrt((_given(first.ci_high) - p) ** 2 + (q - _given(second.ci_low)) ** 2)
    return Contrast(p - q, p - q - below, p - q + above, "newcombe")


def miettinen_nurminen_difference(counts: Counts, *, level: float = 0.95) -> Contrast:
    """The difference with the score interval. Source: Miettinen & Nurminen 1985, with N/(N - 1)."""
    method = "miettinen-nurminen"
    if counts.is_empty:
        return Contrast(None, None, None, method, NOBODY)
    p, q = counts.proportions
    z = normal_quantile((1 + level) / 2)

    def score(difference: float) -> float:
        return _score(p - q - difference, _difference_variance(counts, difference))

    low = _crossing(score, -1.0, p - q, z)
    high = _crossing(score, 1.0, p - q, -z)
    return Contrast(p - q, low, high, method)


def miettinen_nurminen_ratio(counts: Counts, *, level: float = 0.95) -> Contrast:
    """The ratio with the score interval. Source: Miettinen & Nurminen 1985, with N/(N - 1).

    Without events in the second group there is no ratio, and its lower limit alone.
    """
    method = "miettinen-nurminen"
    reason = _no_ratio(counts)
    if reason is not None and (counts.is_empty or counts.events == 0):
        return Contrast(None, None, None, method, reason)
    p, q = counts.proportions
    ratio = p / q if q else inf
    z = normal_quantile((1 + level) / 2)

    def score(log_ratio: float) -> float:
        tried = exp(log_ratio)
        return _score(p - tried * q, _ratio_variance(counts, tried))

    farthest = log(LARGEST_RATIO)
    middle = log(ratio) if 0 < ratio < inf else copysign(farthest, ratio - 1)
    low = 0.0 if p == 0 else exp(_crossing(score, -farthest, middle, z))
    high = inf if q == 0 else exp(_crossing(score, farthest, middle, -z))
    return Contrast(ratio if q else None, low, high, method, reason)


def katz_ratio(counts: Counts, *, level: float = 0.95) -> Contrast:
    """The ratio with limits on the log scale; none where a group has no event. Source: Katz 1978."""
    reason = _no_ratio(counts)
    if reason is not None:
        return Contrast(None, None, None, "katz-log", reason)
    p, q = counts.proportions
    ratio = p / q
    if p == 0:
        return Contrast(ratio, None, None, "katz-log", "no_events")
    variance = 1 / counts.events - 1 / counts.n + 1 / counts.other_events - 1 / counts.other_n
    if p == q == 1:
        return Contrast(ratio, None, None, "katz-log", "no_variation")
    half = normal_quantile((1 + level) / 2) * sqrt(variance)
    return Contrast(ratio, ratio * exp(-half), ratio * exp(half), "katz-log")


def fisher_exact_p(counts: Counts) -> float | None:
    """Fisher's exact two-sided p: the chance of all tables that are no likelier. Source: R's fisher.test.

    None where a group has nobody.
    """
    if counts.is_empty:
        return None
    total = counts.events + counts.other_events
    table = np.arange(max(0, total - counts.other_n), min(counts.n, total) + 1)
    chance = hypergeometric_chance(table, counts.n + counts.other_n, counts.n, total)
    observed = chance[counts.events - table[0]]
    return min(float(chance[chance <= observed * SAME_CHANCE].sum()), 1.0)


def _given(limit: float | None) -> float:
    if limit is None:
        raise ValueError("a proportion of somebody has limits")
    return limit


def _no_ratio(counts: Counts) -> str | None:
    if counts.is_empty:
        return NOBODY
    return None if counts.other_events else "no_events"


def _score(distance: float, variance: float) -> float:
    if variance > 0:
        return distance / sqrt(variance)
    return copysign(inf, distance) if distance else 0.0


def _crossing(score: Callable[[float], float], border: float, estimate: float, target: float) -> float:
    """Where the score, which falls, is `target` between the border and the estimate; else the border."""
    at_border = score(border)
    if (at_border - target) * target <= 0 or border == estimate:
        return border
    # An infinite score is cut: only on which side of the target it lies matters.
    return float(brentq(lambda x: max(min(score(x), 1e6), -1e6) - target, border, estimate, **PRECISE))


def _difference_variance(counts: Counts, difference: float) -> float:
    """The score's variance at the likeliest proportions that differ by `difference` (a cubic's root)."""
    n, m = counts.n, counts.other_n
    total, events = n + m, counts.events + counts.other_events
    a = (n + 2 * m) * difference - total - events
    b = (m * difference - total - 2 * counts.other_events) * difference + events
    c = counts.other_events * difference * (1 - difference)
    third = a / (3 * total)
    half = third**3 - a * b / (6 * total**2) + c / (2 * total)
    radius = copysign(sqrt(max(third**2 - b / (3 * total), 0.0)), half)
    angle = (pi + acos(max(-1.0, min(1.0, half / radius**3)))) / 3 if radius else 0.0
    q = min(max(2 * radius * cos(angle) - third, 0.0, -difference), 1.0, 1.0 - difference)
    p = q + difference
    return (p * (1 - p) / n + q * (1 - q) / m) * total / (total - 1)


def _ratio_variance(counts: Counts, ratio: float) -> float:
    """The score's variance at the likeliest proportions with this ratio (a square's root)."""
    n, m = counts.n, counts.other_n
    total, events = n + m, counts.events + counts.other_events
    b = n * ratio + counts.events + m + counts.other_events * ratio
    # The smaller root, written so that nothing cancels.
    q = 2 * events / (b + sqrt(max(b * b - 4 * total * ratio * events, 0.0)))
    p = min(ratio * q, 1.0)
    return (p * (1 - p) / n + ratio**2 * q * (1 - q) / m) * total / (total - 1)
