"""A site's requests as the doctor makes them: the pull's own, with few tries and short waits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from flows.config import Site
from flows.pull.http import Ask, Connection, Document
from flows.pull.tries import http_date, with_tries

TRIES = 2
LONGEST_WAIT = 5.0  # seconds between two tries, whatever the server asks
LONGEST_READ = 20.0  # seconds: a server that takes longer for one resource isn't well


def in_a_minute(site: Site) -> Site:
    """The site with bounds by which a dead server is known within a minute. It may be asked at any hour."""
    retry, timeout = site.retry, site.timeout
    return replace(
        site,
        retry=replace(
            retry,
            attempts=min(retry.attempts, TRIES),
            wait=min(retry.wait, 1.0),
            longest=min(retry.longest, LONGEST_WAIT),
        ),
        timeout=replace(timeout, connect=min(timeout.connect, 10.0), read=min(timeout.read, LONGEST_READ)),
        window=None,
    )


@dataclass(frozen=True)
class Answer:
    """A document, and by how many seconds this machine's clock is ahead of the server's (None: not told)."""

    document: Document
    ahead: float | None


def ask(connection: Connection, request: Ask) -> Answer:
    """The answer, with tries. Raises Refused or SiteFailure."""

    def attempt() -> Answer:
        asked_at = connection.clock.now()
        document = connection.document(request)
        return Answer(document, seconds_ahead(document.headers.get("Date"), asked_at, connection.clock.now()))

    return with_tries(connection.site.retry, connection.clock, request.step, attempt)


def seconds_ahead(date: str | None, asked_at: dt.datetime, answered_at: dt.datetime) -> float | None:
    """By how much a clock that read these times is ahead of the server's `Date`, which has whole seconds.

    Zero where the server's second lies within the request.
    """
    told = http_date(date or "")
    if told is None:
        return None
    second = dt.timedelta(seconds=1)
    if asked_at - second <= told <= answered_at:
        return 0.0
    nearest = asked_at - second if told < asked_at - second else answered_at
    return (nearest - told).total_seconds()
