"""Cumulative incidence with competing events (Aalen-Johansen), exact with ties, and Gray's test of groups.

Every row has a time and a code of how it ended: 0 censored, else the kind of event. At a tie every event
happens to the same persons at risk, and censoring comes after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reports.statistics.curve_limits import pointwise_limits
from reports.statistics.risk_sets import Floats, Integers, Sample, count_at, count_at_risk, number, sample


@dataclass(frozen=True)
class IncidenceStep:
    """An incidence from one time on; the limits are None where the method gives none."""

    time: float
    at_risk: int
    events: int
    competing: int
    incidence: float
    std_err: float
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class IncidenceCurve:
    """A cumulative incidence: one element a distinct time at which a row ends, in order."""

    sample: Sample
    time: Floats
    at_risk: Integers
    events: Integers
    competing: Integers
    incidence: Floats
    std_err: Floats
    ci_low: Floats
    ci_high: Floats
    interval: str
    level: float

    @property
    def n(self) -> int:
        """Persons in the sample."""
        return len(self.sample)

    @property
    def n_events(self) -> int:
        """Events of interest."""
        return int(self.events.sum())

    @property
    def longest(self) -> float | None:
        """The longest time in the sample; None in an empty one."""
        return float(self.time[-1]) if len(self.time) else None

    @property
    def method(self) -> str:
        """The name that results carry."""
        return "aalen-johansen"

    def steps(self) -> Iterator[IncidenceStep]:
        """The curve row by row."""
        for i in range(len(self.time)):
            yield IncidenceStep(
                float(self.time[i]),
                int(self.at_risk[i]),
                int(self.events[i]),
                int(self.competing[i]),
                float(self.incidence[i]),
                float(self.std_err[i]),
                number(self.ci_low[i]),
                number(self.ci_high[i]),
            )


@dataclass(frozen=True)
class Incidence:
    """The incidence at one time; all but `at_risk` None later than the longest time."""

    incidence: float | None
    ci_low: float | None
    ci_high: float | None
    at_risk: int


def estimate_incidence(
    time: ArrayLike, cause: ArrayLike, *, of: int = 1, interval: str = "log-log", level: float = 0.95
) -> IncidenceCurve:
    """The cumulative incidence of the cause `of`, in 0-1, every other code but 0 competing.

    The estimate is that of R's `cmprsk::cuminc` and of `survfit` with a multi-state outcome; the error is
    cuminc's (its factor for ties included), and the limits put it on the log-log scale of the incidence.
    No rows give an empty curve. Raises InvalidSample on missing or negative values.
    Source: Aalen & Johansen 1978; Gray 1988.
    """
    rows = sample(time, cause)
    times = np.unique(rows.stop)
    at_risk = count_at_risk(None, rows.stop, times)
    events = count_at(rows.stop, rows.event == of, times)
    competing = count_at(rows.stop, (rows.event > 0) & (rows.event != of), times)
    after: Floats = np.cumprod((at_risk - events - competing) / at_risk, dtype=np.float64)
    before = np.concatenate([np.ones(1), after])[: len(times)]
    incidence = np.cumsum(before * events / at_risk)
    std_err = np.sqrt(_variance(at_risk, events, competing, before, after, incidence))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(std_err == 0, 0.0, std_err / incidence)
    low, high = pointwise_limits(incidence, relative, interval, level)
    return IncidenceCurve(
        rows, times, at_risk, events, competing, incidence, std_err, low, high, interval, level
    )


def _variance(
    at_risk: Integers,
    events: Integers,
    competing: Integers,
    before: Floats,
    after: Floats,
    incidence: Floats,
) -> Floats:
    # The incidence at t reacts to the hazards at each u <= t by a + b * incidence(t), with a and b known
    # at u; so three running sums give the variance at every t.
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(after > 0, 1 / after, 0.0)
    of_interest = _tied_variance(events, at_risk) * before**2
    of_others = np.where(after > 0, _tied_variance(competing, at_risk) * before**2, 0.0)
    constant_interest, constant_others = 1 + inverse * incidence, inverse * incidence
    squared = np.cumsum(constant_interest**2 * of_interest + constant_others**2 * of_others)
    crossed = np.cumsum(inverse * (constant_interest * of_interest + constant_others * of_others))
    doubled = np.cumsum(inverse**2 * (of_interest + of_others))
    return np.maximum(squared + incidence**2 * doubled - 2 * incidence * crossed, 0.0)


def _tied_variance(counts: Integers, at_risk: Integers) -> Floats:
    spare = np.maximum(at_risk - 1, 1)
    factor = np.where(counts > 1, 1 - (counts - 1) / spare, 1.0)
    return np.asarray(factor * counts / at_risk.astype(float) ** 2, dtype=np.float64)


def estimate_incidence_at(curve: IncidenceCurve, time: float) -> Incidence:
    """The incidence at `time` with its limits, and how many are under observation just before it.

    Empty later than the curve's longest time; 0 before the first end of follow-up.
    """
    at_risk = int(count_at_risk(None, curve.sample.stop, [time])[0])
    if curve.longest is None or time > curve.longest:
        return Incidence(None, None, None, at_risk)
    position = int(np.searchsorted(curve.time, time, side="right")) - 1
    if position < 0:
        low, high = pointwise_limits(np.zeros(1), np.zeros(1), curve.interval, curve.level)
        return Incidence(0.0, number(low[0]), number(high[0]), at_risk)
    return Incidence(
        float(curve.incidence[position]),
        number(curve.ci_low[position]),
        number(curve.ci_high[position]),
        at_risk,
    )
