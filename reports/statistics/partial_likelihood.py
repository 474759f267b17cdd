"""Cox's partial likelihood of one covariate, with Efron's ties: its value, its slope and its information."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reports.statistics.risk_sets import Floats, Sample, count_at, count_at_risk

NEWTON_STEPS = 50
NEWTON_SETTLED = 1e-9  # in standard errors; the step after it is its square


@dataclass(frozen=True)
class RiskTable:
    """Who is at risk and who has the event: a row a time with events, a column a value of the covariate."""

    values: Floats
    at_risk: Floats
    events: Floats

    @property
    def n_events(self) -> int:
        """Events in all."""
        return int(self.events.sum())


@dataclass(frozen=True)
class Likelihood:
    """The log of the partial likelihood at one coefficient, and its derivatives.

    `score` is the first derivative, `information` minus the second, `information_slope` its derivative.
    """

    log: float
    score: float
    information: float
    information_slope: float


def risk_table(rows: Sample, covariate: ArrayLike) -> RiskTable:
    """The counts that the likelihood needs; memory grows with event times times distinct values."""
    values, codes = np.unique(np.asarray(covariate, dtype=np.float64), return_inverse=True)
    times = np.unique(rows.stop[rows.event > 0])
    at_risk, events = np.empty((len(times), len(values))), np.empty((len(times), len(values)))
    for column in range(len(values)):
        chosen = codes == column
        entries = None if rows.start is None else rows.start[chosen]
        at_risk[:, column] = count_at_risk(entries, rows.stop[chosen], times)
        events[:, column] = count_at(rows.stop, chosen & (rows.event > 0), times)
    return RiskTable(values, at_risk, events)


def obstacle(table: RiskTable) -> str | None:
    """Why the likelihood has no maximum at a finite coefficient; None when it has one.

    `no_events`; `no_contrast` when no risk set with an event holds two values; `separation` when every
    event falls on the highest value in its risk set, or every one on the lowest: the likelihood then
    rises without end.
    """
    if table.n_events == 0:
        return "no_events"
    present = table.at_risk > 0
    highest = len(table.values) - 1 - np.argmax(present[:, ::-1], axis=1)
    lowest = np.argmax(present, axis=1)
    if np.all(highest == lowest):
        return "no_contrast"
    every = table.events.sum(axis=1)
    rows = np.arange(len(every))
    if np.all(table.events[rows, highest] == every) or np.all(table.events[rows, lowest] == every):
        return "separation"
    return None


def likelihood(table: RiskTable, coefficient: float) -> Likelihood:
    """The partial likelihood at a coefficient of one covariate. Source: Cox 1972; Efron 1977."""
    # Relative to the value of the greatest hazard, so that no exponential overflows.
    reference = table.values[-1] if coefficient > 0 else table.values[0]
    hazard = np.exp(coefficient * (table.values - reference))
    deaths = table.events.sum(axis=1).astype(np.int64)
    row = np.repeat(np.arange(len(deaths)), deaths)
    # Efron: of d tied events the k-th meets the risk set less k/d of the events themselves.
    order = np.arange(len(row)) - np.repeat(np.cumsum(deaths) - deaths, deaths)
    share = (order / deaths[row])[:, None]
    weights = (table.at_risk[row] - share * table.events[row]) * hazard
    total = weights.sum(axis=1)
    chance = weights / total[:, None]
    mean = chance @ table.values
    distance = table.values - mean[:, None]
    per_value = table.events.sum(axis=0)
    return Likelihood(
        float(per_value @ (coefficient * (table.values - reference)) - np.log(total).sum()),
        float(per_value @ table.values - mean.sum()),
        float((chance * distance**2).sum()),
        float((chance * distance**3).sum()),
    )


def maximise(table: RiskTable) -> float | None:
    """The coefficient at which the likelihood is greatest, to a billionth of its standard error.

    By Newton's steps from 0, halved where they overshoot; the likelihood is concave. None where they
    don't settle, which `obstacle` foresees.
    """
    coefficient = 0.0
    at = likelihood(table, coefficient)
    for _ in range(NEWTON_STEPS):
        if not at.information > 0:
            return None
        step = at.score / at.information
        if abs(step) * np.sqrt(at.information) < NEWTON_SETTLED:
            return coefficient + step
        following = likelihood(table, coefficient + step)
        while following.log < at.log - NEWTON_SETTLED * max(1.0, abs(at.log)):
            step /= 2
            following = likelihood(table, coefficient + step)
        coefficient, at = coefficient + step, following
    return None
