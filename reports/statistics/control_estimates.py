"""The study against its control group: differences and hazard ratios by weighting, and their bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from reports.statistics.control_persons import Outcome, Persons
from reports.statistics.propensity import Propensity, estimate_propensity
from reports.statistics.risk_sets import Floats
from reports.statistics.weighted_cox import weighted_log_ratio
from reports.statistics.weighting import UNWEIGHTED, WEIGHTINGS, propensity_weights

# Does a list of tasks, here or in several processes, and gives the answers in their order.
Spread = Callable[[Callable[[range], Any], Iterable[range]], Iterable[Any]]
Key = tuple[str, str]  # outcome, weighting

TRIMMED = "_trimmed"
ALL_WEIGHTINGS = (UNWEIGHTED, *WEIGHTINGS, *(f"{name}{TRIMMED}" for name in WEIGHTINGS))
LEAST_USABLE = 0.9
IN_EACH_TASK = 50


@dataclass(frozen=True)
class Weighted:
    """Persons with their weights; `reason` where there are none."""

    persons: Persons
    weights: Floats | None
    reason: str | None = None


@dataclass(frozen=True)
class Interval:
    """Percentiles of the usable replicates; None where fewer than 9 in 10 are usable."""

    low: float | None
    high: float | None
    usable: int


def weighted_persons(persons: Persons, trim: float) -> dict[str, Weighted]:
    """Both groups under every weighting; trimmed are those with a propensity in [trim, 1 - trim], fitted again."""
    fit = estimate_propensity(persons.is_study, persons.design)
    made = {UNWEIGHTED: Weighted(persons, np.ones(len(persons)))} | _weighted(persons, fit, "")
    if fit.values is None:
        return made | _weighted(persons, fit, TRIMMED)
    inside = persons.chosen((fit.values >= trim) & (fit.values <= 1 - trim))
    return made | _weighted(inside, estimate_propensity(inside.is_study, inside.design), TRIMMED)


def _weighted(persons: Persons, fit: Propensity, suffix: str) -> dict[str, Weighted]:
    if fit.values is None:
        return {f"{name}{suffix}": Weighted(persons, None, fit.reason) for name in WEIGHTINGS}
    return {
        f"{name}{suffix}": Weighted(persons, propensity_weights(persons.is_study, fit.values, name))
        for name in WEIGHTINGS
    }


def contrast(weighted: Weighted, outcome: Outcome) -> float | None:
    """The difference of the weighted proportions, or the log of the weighted hazard ratio; None without."""
    weights, is_study = weighted.weights, weighted.persons.is_study
    if weights is None:
        return None
    if outcome.time is None:
        shares = [_share(outcome.event[is_study == group], weights[is_study == group]) for group in (1, 0)]
        return None if shares[0] is None or shares[1] is None else shares[0] - shares[1]
    fit = weighted_log_ratio(outcome.time, outcome.event, is_study, weights)
    return None if isinstance(fit, str) else fit


def _share(event: Floats, weights: Floats) -> float | None:
    return float(event @ weights / weights.sum()) if len(event) else None


def bootstrap(
    persons: Persons, trim: float, replicates: int, seed: int, spread: Spread
) -> dict[Key, Interval]:
    """Percentile intervals of every contrast: each replicate draws persons within their group, and fits again.

    A replicate depends on the seed and its number alone, so that it is the same in however many processes.
    """
    tasks = [
        range(first, min(first + IN_EACH_TASK, replicates)) for first in range(0, replicates, IN_EACH_TASK)
    ]
    drawn = [row for rows in spread(partial(_replicates, persons, trim, seed), tasks) for row in rows]
    keys = [(outcome.name, weighting) for weighting in ALL_WEIGHTINGS for outcome in persons.outcomes]
    table = np.array(drawn, dtype=np.float64).reshape(replicates, len(keys))
    return {key: _interval(table[:, number]) for number, key in enumerate(keys)}


def _replicates(persons: Persons, trim: float, seed: int, numbers: range) -> list[list[float]]:
    groups = [np.flatnonzero(persons.is_study == group) for group in (1, 0)]
    rows = []
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        positions = np.concatenate([rng.choice(group, len(group)) for group in groups])
        made = weighted_persons(persons.chosen(positions), trim)
        found = [
            contrast(made[name], outcome)
            for name in ALL_WEIGHTINGS
            for outcome in made[name].persons.outcomes
        ]
        rows.append([float("nan") if value is None else value for value in found])
    return rows


def _interval(values: Floats) -> Interval:
    usable = values[np.isfinite(values)]
    if len(usable) < LEAST_USABLE * len(values) or not len(usable):
        return Interval(None, None, len(usable))
    low, high = np.quantile(usable, [0.025, 0.975])
    return Interval(float(low), float(high), len(usable))
