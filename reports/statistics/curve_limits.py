"""Pointwise confidence limits of a probability curve, as R's `survival` computes them."""

from __future__ import annotations

import numpy as np

from reports.statistics.distributions import normal_quantile
from reports.statistics.risk_sets import Floats

INTERVALS = ("log-log", "log", "plain")


def pointwise_limits(
    probability: Floats, relative_error: Floats, interval: str, level: float
) -> tuple[Floats, Floats]:
    """Lower and upper limits of each probability; NaN where the method gives none.

    `relative_error` is the standard error of the log of the probability. `log-log` gives no limit where
    the probability is 0 or 1, `log` none at 0; `plain` and `log` never leave 0-1. Raises ValueError on
    another `interval`. Source: `survfit_confint` of R's survival 3.5-3.
    """
    z = normal_quantile((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        if interval == "plain":
            half = z * relative_error * probability
            return np.maximum(probability - half, 0.0), np.minimum(probability + half, 1.0)
        if interval == "log":
            inside = np.where(probability == 0, np.nan, probability)
            half = z * relative_error
            return np.exp(np.log(inside) - half), np.minimum(np.exp(np.log(inside) + half), 1.0)
        if interval == "log-log":
            inside = np.where((probability == 0) | (probability == 1), np.nan, probability)
            centre = np.log(-np.log(inside))
            half = z * relative_error / np.log(inside)
            return np.exp(-np.exp(centre - half)), np.exp(-np.exp(centre + half))
    raise ValueError(f"interval must be one of {', '.join(INTERVALS)}, not {interval}")
