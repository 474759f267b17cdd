"""Cox regression with Firth's penalty: a finite hazard ratio where the plain likelihood has no maximum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from reports.statistics.cox import (
    EVENTS_PER_PARAMETER,
    FEW_EVENTS,
    NO_CONVERGENCE,
    HazardRatio,
    empty,
)
from reports.statistics.distributions import chi_square_quantile, chi_square_tail
from reports.statistics.partial_likelihood import RiskTable, likelihood, obstacle, risk_table
from reports.statistics.risk_sets import finite, sample

# In ranges of the covariate; a ratio of exp(60) is beyond what a double's information can tell.
FARTHEST = 60.0


def estimate_firth(
    time: ArrayLike,
    event: ArrayLike,
    covariate: ArrayLike,
    *,
    start: ArrayLike | None = None,
    level: float = 0.95,
) -> HazardRatio:
    """The hazard ratio of one covariate under Jeffreys' prior, with profile limits.

    Maximises log L + 1/2 log I with Efron's ties; limits and p are those of the penalised likelihood
    ratio, and `std_err` is the inverse root of the information. Empty with `no_events` or `no_contrast`
    only, or `no_convergence` beyond exp(60). Source: Firth 1993; Heinze & Schemper 2001 (coxphf has
    Breslow's ties).
    """
    rows = sample(time, event, start)
    values = finite(covariate, "covariate")
    table = risk_table(rows, values)
    n, events = len(rows), table.n_events
    few = (FEW_EVENTS,) if events < EVENTS_PER_PARAMETER else ()
    reason = obstacle(table)
    if reason in ("no_events", "no_contrast"):
        return empty(n, events, "firth", few, reason)
    scale = float(table.values[-1] - table.values[0])
    unit = RiskTable((table.values - table.values[0]) / scale, table.at_risk, table.events)
    return _estimate(unit, scale, n, events, few, level)


def _estimate(
    table: RiskTable, scale: float, n: int, events: int, few: tuple[str, ...], level: float
) -> HazardRatio:
    best = _root(lambda b: _penalised_score(table, b), 0.0, _direction(_penalised_score(table, 0.0)))
    if best is None:
        return empty(n, events, "firth", few, NO_CONVERGENCE)
    top, threshold = _penalised_log(table, best), chi_square_quantile(level, 1)

    def beyond(coefficient: float) -> float:
        return 2 * (top - _penalised_log(table, coefficient)) - threshold

    low, high = _root(beyond, best, -1.0), _root(beyond, best, 1.0)
    if low is None or high is None:
        return empty(n, events, "firth", few, NO_CONVERGENCE)
    ratio = max(2 * (top - _penalised_log(table, 0.0)), 0.0)
    std_err = 1 / np.sqrt(likelihood(table, best).information)
    hr, ci_low, ci_high = (float(np.exp(b / scale)) for b in (best, low, high))
    p = chi_square_tail(ratio, 1)
    return HazardRatio(hr, ci_low, ci_high, p, best / scale, float(std_err) / scale, n, events, "firth", few)


def _penalised_log(table: RiskTable, coefficient: float) -> float:
    at = likelihood(table, coefficient)
    return at.log + 0.5 * float(np.log(at.information))


def _penalised_score(table: RiskTable, coefficient: float) -> float:
    at = likelihood(table, coefficient)
    return at.score + 0.5 * at.information_slope / at.information


def _direction(slope: float) -> float:
    return 1.0 if slope > 0 else -1.0


def _root(function: Callable[[float], float], origin: float, direction: float) -> float | None:
    """The first change of sign on the way from `origin`, by doubling steps; None within FARTHEST."""
    sign, near, step = np.sign(function(origin)), origin, 0.5
    if sign == 0:
        return origin
    while abs(near) < FARTHEST:
        far = near + direction * step
        if np.sign(function(far)) != sign:
            return float(brentq(function, near, far, xtol=1e-13, rtol=1e-14))
        near, step = far, step * 1.5
    return None
