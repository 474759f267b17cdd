"""Rates of events with their exact Poisson limits."""

from __future__ import annotations

from dataclasses import dataclass

from reports.statistics.distributions import chi_square_quantile, chi_square_tail_quantile
from reports.statistics.risk_sets import InvalidSample


@dataclass(frozen=True)
class EventRate:
    """Events for each unit of time, with limits; all None where there is no time."""

    rate: float | None
    ci_low: float | None
    ci_high: float | None
    method: str = "garwood"


def estimate_rate(events: int, time: float, *, level: float = 0.95) -> EventRate:
    """The rate of events in `time`, any unit, with exact limits: as R's poisson.test.

    Raises InvalidSample on a negative count or time, or events in no time. Source: Garwood 1936.
    """
    if events < 0 or time < 0 or (time == 0 and events > 0):
        raise InvalidSample("events and time must not be negative, and events need time")
    if time == 0:
        return EventRate(None, None, None)
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else chi_square_quantile(tail, 2 * events) / 2
    high = chi_square_tail_quantile(tail, 2 * events + 2) / 2
    return EventRate(events / time, low / time, high / time)
