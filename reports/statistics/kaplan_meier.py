"""Kaplan-Meier curves, their medians and their values at a time, with the conventions of R's `survfit`.

Times may be in any unit; results are in the same. Equal times are ties: at a tie events come before
censoring. Arrays hold NaN where a curve has no limit; every single number is None there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reports.statistics.curve_limits import pointwise_limits
from reports.statistics.risk_sets import Floats, Integers, Sample, count_at, count_at_risk, number, sample

# R compares with 0.5 to the square root of the machine epsilon, so that 0.5 made of products is still 0.5.
HALF_TOLERANCE = float(np.sqrt(np.finfo(float).eps))


@dataclass(frozen=True)
class Step:
    """A curve's values from one time on; the limits are None where the method gives none."""

    time: float
    at_risk: int
    events: int
    censored: int
    survival: float
    std_err: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier curve: one element a distinct time at which a row ends, in order.

    `survival` holds from its time on; `std_err` is Greenwood's, of the survival; `at_risk` counts those
    under observation just before the time.
    """

    sample: Sample
    time: Floats
    at_risk: Integers
    events: Integers
    censored: Integers
    survival: Floats
    std_err: Floats
    ci_low: Floats
    ci_high: Floats
    interval: str
    level: float

    @property
    def n(self) -> int:
        """Rows in the sample (persons, where none is split)."""
        return len(self.sample)

    @property
    def n_events(self) -> int:
        """Events in all."""
        return int(self.events.sum())

    @property
    def longest(self) -> float | None:
        """The longest time in the sample; None in an empty one."""
        return float(self.time[-1]) if len(self.time) else None

    @property
    def method(self) -> str:
        """The name that results carry."""
        return f"km {self.interval}"

    def steps(self) -> Iterator[Step]:
        """The curve row by row."""
        for i in range(len(self.time)):
            yield Step(
                float(self.time[i]),
                int(self.at_risk[i]),
                int(self.events[i]),
                int(self.censored[i]),
                float(self.survival[i]),
                number(self.std_err[i]),
                number(self.ci_low[i]),
                number(self.ci_high[i]),
            )


@dataclass(frozen=True)
class Median:
    """A median time and its limits; each None where its curve never comes down to 0.5."""

    median: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class Survival:
    """The curve at one time; all but `at_risk` None later than the longest time."""

    survival: float | None
    ci_low: float | None
    ci_high: float | None
    at_risk: int


def estimate_curve(
    time: ArrayLike,
    event: ArrayLike,
    *,
    start: ArrayLike | None = None,
    interval: str = "log-log",
    level: float = 0.95,
) -> Curve:
    """The Kaplan-Meier curve with Greenwood's error and pointwise limits (`log-log`, `log` or `plain`).

    `time` and `event` have one value a row. With `start`, a row is at risk on (start, time]: left
    truncation, and Simon-Makuch curves when a person's rows change groups. No rows give an empty curve.
    Raises InvalidSample on values that are missing, negative or of unequal number. Source: Kaplan & Meier
    1958; Simon & Makuch 1984; agrees with R's survfit.
    """
    rows = sample(time, event, start)
    times = np.unique(rows.stop)
    at_risk = count_at_risk(rows.start, rows.stop, times)
    events = count_at(rows.stop, rows.event > 0, times)
    censored = count_at(rows.stop, rows.event == 0, times)
    survival: Floats = np.cumprod((at_risk - events) / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative: Floats = np.sqrt(np.cumsum(events / (at_risk * (at_risk - events).astype(float))))
        relative = np.where(survival == 0, np.inf, relative)
        std_err = survival * relative
    low, high = pointwise_limits(survival, relative, interval, level)
    return Curve(rows, times, at_risk, events, censored, survival, std_err, low, high, interval, level)


def estimate_follow_up(
    time: ArrayLike, event: ArrayLike, *, interval: str = "log-log", level: float = 0.95
) -> Curve:
    """The reverse Kaplan-Meier curve: follow-up, with the ends of follow-up as its events.

    At a tie a death leaves after the censored, as when R's survfit is given 1 - event. Source: Schemper &
    Smith 1996.
    """
    rows = sample(time, event)
    return estimate_curve(rows.stop, rows.event == 0, interval=interval, level=level)


def estimate_median(curve: Curve) -> Median:
    """The median with its limits, where the curve and its pointwise limits cross 0.5.

    A curve that is flat at exactly 0.5 has its median at the midpoint of the flat stretch, or at the
    stretch's start where nothing follows that is lower. Source: Brookmeyer & Crowley 1982, as R's survfit
    prints it (R's `quantile` differs in the last case only: it takes the midpoint to the longest time).
    """
    return Median(
        _reaches_half(curve.time, curve.survival),
        _reaches_half(curve.time, curve.ci_low),
        _reaches_half(curve.time, curve.ci_high),
    )


def _reaches_half(time: Floats, probability: Floats) -> float | None:
    with np.errstate(invalid="ignore"):
        reached = np.flatnonzero(probability < 0.5 + HALF_TOLERANCE)
    if not len(reached):
        return None
    first = reached[0]
    lower = reached[probability[reached] < probability[first]]
    if abs(probability[first] - 0.5) < HALF_TOLERANCE and len(lower):
        return float((time[first] + time[lower[0]]) / 2)
    return float(time[first])


def estimate_survival_at(curve: Curve, time: float) -> Survival:
    """The survival at `time` with its limits, and how many are under observation just before it.

    Empty later than the curve's longest time. Before the first end of follow-up the survival is 1.
    """
    at_risk = int(count_at_risk(curve.sample.start, curve.sample.stop, [time])[0])
    if curve.longest is None or time > curve.longest:
        return Survival(None, None, None, at_risk)
    position = int(np.searchsorted(curve.time, time, side="right")) - 1
    if position < 0:
        low, high = pointwise_limits(np.ones(1), np.zeros(1), curve.interval, curve.level)
        return Survival(1.0, number(low[0]), number(high[0]), at_risk)
    return Survival(
        float(curve.survival[position]),
        number(curve.ci_low[position]),
        number(curve.ci_high[position]),
        at_risk,
    )
