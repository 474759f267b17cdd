"""Checked inputs of the survival statistics, and who is at risk when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class InvalidSample(ValueError):  # noqa: N818 - named for what is wrong, as every error of the project
    """Values that no estimator can take; the message never repeats a value."""


@dataclass(frozen=True)
class Sample:
    """Rows of follow-up: each is at risk on (start, stop]; `event` is 0 when it ends without an event.

    `start` is None for persons followed from the origin, whose risk set includes time 0 itself.
    """

    start: Floats | None
    stop: Floats
    event: Integers

    def __len__(self) -> int:
        return len(self.stop)


def sample(time: ArrayLike, event: ArrayLike, start: ArrayLike | None = None) -> Sample:
    """The rows as checked arrays, in any unit of time.

    `event` is boolean, or 0 and 1, or a code of the kind of event with 0 for censored.
    Raises InvalidSample for unequal lengths, a missing or negative value, or an interval of no length.
    """
    stop = finite(time, "time")
    codes = finite(event, "event")
    if len(codes) != len(stop):
        raise InvalidSample(f"{len(stop)} times but {len(codes)} events")
    if np.any(stop < 0) or np.any(codes < 0) or np.any(codes != np.floor(codes)):
        raise InvalidSample("a time is negative, or an event is no code from 0 on")
    return Sample(_entries(start, stop), stop, codes.astype(np.int64))


def _entries(start: ArrayLike | None, stop: Floats) -> Floats | None:
    if start is None:
        return None
    entries = finite(start, "start")
    if len(entries) != len(stop):
        raise InvalidSample(f"{len(stop)} times but {len(entries)} starts")
    if np.any(entries >= stop):
        raise InvalidSample("an interval starts at or after its stop")
    return entries


def finite(values: ArrayLike, name: str) -> Floats:
    """A one-dimensional array of finite numbers. Raises InvalidSample where one is missing or infinite."""
    array = _as_floats(values)
    if array.ndim != 1 or not np.all(np.isfinite(array)):
        raise InvalidSample(f"{name} must be one finite number a row")
    return array


def _as_floats(values: Any) -> Floats:
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    return np.asarray(values, dtype=np.float64)


def groups_of(group: ArrayLike, rows: int) -> tuple[list[Any], Integers]:
    """The distinct groups in order, and each row's number among them. Raises InvalidSample on a missing."""
    values = np.asarray(group.to_numpy() if hasattr(group, "to_numpy") else group)
    if len(values) != rows:
        raise InvalidSample(f"{rows} times but {len(values)} groups")
    if values.dtype == object and any(value is None for value in values):
        raise InvalidSample("a group is missing")
    levels, codes = np.unique(values, return_inverse=True)
    return levels.tolist(), codes.astype(np.int64)


def count_at_risk(start: Floats | None, stop: Floats, times: ArrayLike) -> Integers:
    """How many rows are under observation just before each of `times`: start < t <= stop."""
    moments = np.asarray(times, dtype=np.float64)
    left = np.searchsorted(np.sort(stop), moments, side="left")
    entered = len(stop) if start is None else np.searchsorted(np.sort(start), moments, side="left")
    return np.asarray(entered - left, dtype=np.int64)


def count_at(stop: Floats, chosen: NDArray[np.bool_], times: Floats) -> Integers:
    """How many of the `chosen` rows stop at each of `times`, which are sorted and distinct."""
    positions = np.searchsorted(times, stop[chosen])
    return np.bincount(positions, minlength=len(times)).astype(np.int64)


def number(value: float) -> float | None:
    """The value as a plain float, and None where it is not a finite number."""
    return float(value) if np.isfinite(value) else None
