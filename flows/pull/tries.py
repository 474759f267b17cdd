"""Tries: a request that failed is made again, after waits that double or as long as the server says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

from flows.config import Retry
from flows.pull.clock import Clock
from flows.pull.failures import GOES_ON, FailedTry, Refused, ServerFailure, WaitTooLong, refusal

T = TypeVar("T")


def tell_nobody(text: str) -> None:
    """For those who tell only what came of it."""


def with_tries(
    retry: Retry, clock: Clock, step: str, attempt: Callable[[], T], tell: Callable[[str], None] = tell_nobody
) -> T:
    """What the attempt gives, made again after each FailedTry, at most `retry.attempts` times in all.

    `tell` gets a line for each wait. Raises SiteFailure when all failed, or the server asks for a longer wait
    than `retry.longest`.
    """
    wait = retry.wait
    for number in range(1, retry.attempts + 1):
        try:
            return attempt()
        except FailedTry as failed:
            pause = checked_wait(retry, step, failed.retry_after, wait)
            if number == retry.attempts:
                tries = "1 try" if number == 1 else f"{number} tries"
                raise ServerFailure(
                    step, f"{failed.reason} ({tries})", f"{failed.remedy}; {GOES_ON}"
                ) from failed
            tell(f"{step}: {failed.reason}; try {number + 1} of {retry.attempts} in {pause:g} seconds")
        clock.wait(pause)
        wait *= 2
    raise AssertionError("retry.attempts is at least 1")


def refused_is_failure(step: str, attempt: Callable[[], T]) -> T:
    """What the attempt gives; an answer that the server won't change is the site's failure."""
    try:
        return attempt()
    except Refused as refused:
        raise refusal(step, refused) from refused


def checked_wait(retry: Retry, step: str, told: float | None, own: float) -> float:
    """The seconds to wait: as told, else our own. Raises SiteFailure where it was told to wait too long."""
    if told is None:
        return min(own, retry.longest)
    if told > retry.longest:
        raise WaitTooLong(step, told, retry.longest)
    return told


def retry_after(headers: Mapping[str, str], clock: Clock) -> float | None:
    """The seconds that `Retry-After` asks for, written as such or as a date; None where it says neither.

    A date is the server's, so it is compared with the server's clock where an answer tells it.
    """
    written = (headers.get("Retry-After") or "").strip()
    if not written:
        return None
    try:
        seconds = float(written)
    except ValueError:
        until = http_date(written)
        if until is None:
            return None
        now = http_date(headers.get("Date", "")) or clock.now()
        seconds = (until - now).total_seconds()
    # Neither "nan" nor "inf" is a time.
    return max(0.0, seconds) if seconds < float("inf") else None


def http_date(written: str) -> dt.datetime | None:
    """The instant of an HTTP header such as `Date`, in UTC; None where it is none."""
    try:
        instant = parsedate_to_datetime(written)
        return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError):
        return None
