"""Whether one date of FHIR can't be before or at another: partial dates are as wide as what they leave open.

Source: invariant per-1 of Period (http://hl7.org/fhir/datatypes.html#Period): the start is lower than or equal to
the end, where both are as low, and as high, as they can be.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta

_WRITTEN = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?"
)
# How far a place's own time may be from UTC.
EARLIEST, LATEST = timedelta(hours=14), timedelta(hours=12)

Span = tuple[datetime, datetime, bool]


def is_after(first: object, second: object) -> bool:
    """Whether all that `first` can mean is after all that `second` can; false where one is no date of FHIR.

    Dates without an offset are compared as they stand; with one that has an offset, they may be of any place.
    """
    if not isinstance(first, str) or not isinstance(second, str):
        return False
    one, other = _span(first), _span(second)
    if one is None or other is None:
        return False
    start, _, start_is_placed = one
    _, end, end_is_placed = other
    # The gap is what may lie between two places; neither date is moved, which could leave the calendar.
    slack = timedelta(0)
    if start_is_placed and not end_is_placed:
        slack = LATEST
    elif end_is_placed and not start_is_placed:
        slack = EARLIEST
    return start - end > slack


def _span(written: str) -> Span | None:
    """The first and last instant that the text can mean, in UTC where it has an offset, and whether it has one."""
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        first = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),
        )
        first += timedelta(microseconds=int((fraction or "0").ljust(6, "0")[:6]))
        last = first + _width(found.groups(), first)
        if offset is not None:
            zone = _zone(offset)
            first, last = first - zone, last - zone
    except (ValueError, OverflowError):
        return None
    return first, last, offset is not None


def _width(parts: tuple[str | None, ...], first: datetime) -> timedelta:
    _, month, day, hour, _, second, fraction, _ = parts
    if fraction is not None:
        return timedelta(0)
    if second is not None:
        return timedelta(microseconds=999_999)
    if hour is not None:
        return timedelta(seconds=59)
    if day is not None:
        return timedelta(hours=23, minutes=59, seconds=59)
    days = calendar.monthrange(first.year, first.month)[1] if month else 365 + calendar.isleap(first.year)
    return timedelta(days=days) - timedelta(seconds=1)


def _zone(offset: str) -> timedelta:
    if offset == "Z":
        return timedelta(0)
    sign = -1 if offset[0] == "-" else 1
    return sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
