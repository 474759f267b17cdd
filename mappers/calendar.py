"""Which texts are dates, as FHIR writes them, and which are none."""

import re

# `(?a)`: a digit is 0 to 9, and none of other scripts, which DuckDB would read as no date.

_LEAP_YEAR = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8]))"
)
_FULL_DATE = rf"(?:(?!0000)\d{{4}}-{_DAY}|(?!0000){_LEAP_YEAR}-02-29)"
_PARTIAL_DATE = r"(?!0000)\d{4}(?:-(?:0[1-9]|1[0-2]))?"
# 60 is a leap second, which FHIR allows.
# An empty alternative is found faster than an optional group, and dates are a third of the time of a shape's check.
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+|)"
_OFFSET = r"(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)"

DATE = rf"(?a)^(?:{_FULL_DATE}|{_PARTIAL_DATE})\Z"
DATETIME = rf"(?a)^(?:{_FULL_DATE}(?:T{_CLOCK}{_OFFSET}|)|{_PARTIAL_DATE})\Z"
INSTANT = rf"(?a)^{_FULL_DATE}T{_CLOCK}{_OFFSET}\Z"
TIME = rf"(?a)^{_CLOCK}\Z"

_UNDERSTOOD_DATE = re.compile(
    rf"(?a)^(?:{_FULL_DATE}(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?{_OFFSET}?)?|{_PARTIAL_DATE})\Z"
)
_UNDERSTOOD_TIME = re.compile(r"(?a)^(?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?\Z")


def is_understood_date(text: str) -> bool:
    """Whether the text names a day (or month, or year) that exists, even where FHIR wants more or less of it.

    Real exports leave out the offset or the seconds, and write a time in a field for a day.
    """
    return _UNDERSTOOD_DATE.match(text) is not None


def is_understood_time(text: str) -> bool:
    """Whether the text is a time of day; FHIR wants seconds, real exports leave them out."""
    return _UNDERSTOOD_TIME.match(text) is not None
