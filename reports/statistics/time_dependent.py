"""Rows for comparing by something that happens during follow-up: counting-process rows, and landmarks.

Comparing persons by whether it ever happens gives the exposed the time before as time that they could not
die in (immortal time). These two ways don't.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.statistics.risk_sets import Floats, Integers, InvalidSample, finite, sample

# A change on the day of an end comes before it; an end at time 0 needs a length to be at risk in.
BEFORE_END_OF_DAY = 0.5
TIME_OF_ZERO = 0.25


@dataclass(frozen=True)
class ExposureRows:
    """Counting-process rows: at risk on (start, stop], exposed throughout or not; `person` is a position."""

    person: Integers
    start: Floats
    stop: Floats
    event: Integers
    exposed: Integers


def split_at_exposure(days: ArrayLike, event: ArrayLike, exposed_on: ArrayLike) -> ExposureRows:
    """One row a person, or two where the exposure begins during follow-up; times in days.

    `exposed_on` is the day of the exposure, NaN for never. The exposure stands at its day - 0.5, and not
    before 0, so that it precedes an end on the same day; one after the end doesn't count. An end at time
    0 is put at 0.25. Raises InvalidSample on values that don't fit together.
    """
    rows = sample(days, event)
    change = exposure_days(exposed_on, len(rows))
    stop = np.where(rows.stop == 0, TIME_OF_ZERO, rows.stop)
    with np.errstate(invalid="ignore"):
        is_exposed = change <= rows.stop
        change = np.maximum(change - BEFORE_END_OF_DAY, 0.0)
    from_start = is_exposed & (change == 0)
    split = is_exposed & ~from_start
    person = np.arange(len(rows))
    first_stop = np.where(split, change, stop)
    first_event = np.where(split, 0, rows.event)
    order = np.argsort(np.concatenate([person, person[split]]), kind="stable")
    return ExposureRows(
        np.concatenate([person, person[split]])[order],
        np.concatenate([np.zeros(len(rows)), change[split]])[order],
        np.concatenate([first_stop, stop[split]])[order],
        np.concatenate([first_event, rows.event[split]])[order],
        np.concatenate([from_start, np.ones(int(split.sum()))]).astype(np.int64)[order],
    )


@dataclass(frozen=True)
class LandmarkGroups:
    """Those under observation past the landmark, by position, and whether each was exposed by then."""

    kept: NDArray[np.bool_]
    exposed: Integers


def group_at_landmark(days: ArrayLike, exposed_on: ArrayLike, landmark: float) -> LandmarkGroups:
    """Who is followed past the landmark (days > landmark), grouped by exposure at or before it.

    `kept` has one value a person, `exposed` one for each kept. Source: Anderson, Cain & Gelber 1983.
    """
    ends = finite(days, "days")
    kept = ends > landmark
    with np.errstate(invalid="ignore"):
        exposed = exposure_days(exposed_on, len(ends)) <= landmark
    return LandmarkGroups(kept, exposed[kept].astype(np.int64))


def exposure_days(exposed_on: ArrayLike, rows: int) -> Floats:
    """The days of exposure as numbers, NaN for never (None counts as never)."""
    values = exposed_on.to_numpy() if hasattr(exposed_on, "to_numpy") else exposed_on
    days = np.asarray(values, dtype=np.float64)
    if len(days) != rows:
        raise InvalidSample(f"{rows} times but {len(days)} days of exposure")
    if np.any(days < 0):
        raise InvalidSample("an exposure lies before the start")
    return days
