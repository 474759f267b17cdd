"""Weights by propensity, how well they balance two groups, and how many persons they are worth."""

from __future__ import annotations

import numpy as np

from reports.statistics.risk_sets import Floats, number

UNWEIGHTED = "unweighted"
# Whom the weighted groups stand for: everybody, the study's persons, those who could have been in either.
WEIGHTINGS = ("ate", "att", "overlap")


def propensity_weights(is_study: Floats, propensity: Floats, weighting: str) -> Floats:
    """Each person's weight; 1 for `unweighted`.

    `ate` is the inverse probability of the own group, `att` gives study persons 1 and controls the odds, `overlap`
    is the probability of the other group. Source: Li, Morgan & Zaslavsky 2018, table 1.
    """
    if weighting == UNWEIGHTED:
        return np.ones(len(is_study))
    if weighting == "ate":
        return np.where(is_study == 1, 1 / propensity, 1 / (1 - propensity))
    if weighting == "att":
        return np.where(is_study == 1, 1.0, propensity / (1 - propensity))
    if weighting == "overlap":
        return np.where(is_study == 1, 1 - propensity, propensity)
    raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, not {weighting}")


def effective_size(weights: Floats) -> float | None:
    """How many persons of equal weight would tell as much. Source: Kish 1965."""
    return number(float(weights.sum() ** 2 / (weights**2).sum())) if len(weights) else None


def weighted_mean(values: Floats, weights: Floats) -> float | None:
    """The mean by weights that are divided by their sum (Hajek)."""
    return number(float(values @ weights / weights.sum())) if len(values) else None


def standardised_difference(is_study: Floats, values: Floats, weights: Floats) -> float | None:
    """The difference of the weighted means, study - control, in standard deviations before weighting.

    The deviation is the root of the mean of the groups' variances: p(1 - p) for a column of 0 and 1, else with
    n - 1. None where that is 0 and the means differ, or a group has nobody. Source: Austin 2009; R's cobalt with
    `s.d.denom = "pooled"`.
    """
    study = is_study == 1
    first, second = (
        weighted_mean(values[study], weights[study]),
        weighted_mean(values[~study], weights[~study]),
    )
    if first is None or second is None:
        return None
    spread = np.sqrt((_variance(values[study]) + _variance(values[~study])) / 2)
    if spread > 0:
        return number((first - second) / float(spread))
    return 0.0 if first == second else None


def _variance(values: Floats) -> float:
    if np.all((values == 0) | (values == 1)):
        share = float(values.mean())
        return share * (1 - share)
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
