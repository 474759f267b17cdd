"""How a site is spared: requests and bytes a second, requests at once, hours of the day."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from flows.config import Site
from flows.pull.clock import Clock
from flows.pull.failures import SiteFailure

READS_A_SECOND = 8  # where bytes a second are bounded


class Pace:
    """Spaces uses of something, so that no more than `per_second` are made on average; None: no bound."""

    def __init__(self, per_second: float | None, clock: Clock) -> None:
        self._per_second, self._clock = per_second, clock
        self._lock, self._free_at = threading.Lock(), clock.monotonic()

    def spend(self, amount: int = 1) -> None:
        """Waits until the amounts before this one have had their time."""
        if not self._per_second:
            return
        with self._lock:
            now = self._clock.monotonic()
            starts_at = max(now, self._free_at)
            self._free_at = starts_at + amount / self._per_second
        if starts_at > now:
            self._clock.wait(starts_at - now)


class Politeness:
    """The bounds of one site, shared by all its threads."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site, self._clock = site, clock
        self._requests = Pace(site.rate.requests_per_second, clock)
        self._bytes = Pace(site.rate.bytes_per_second, clock)
        self._at_once = threading.BoundedSemaphore(site.rate.concurrent)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Holds one of the requests that may be made at once."""
        with self._at_once:
            yield

    def turn(self) -> None:
        """Waits until the next request may be made, a redirect's too."""
        self._requests.spend()
        self._clock.check()

    def most_at_once(self, wanted: int) -> int:
        """How many of the wanted bytes to take at once, so that no second has many more than it may."""
        bound = self._site.rate.bytes_per_second
        return min(wanted, max(1, bound // READS_A_SECOND)) if bound else wanted

    def received(self, amount: int) -> None:
        """Waits as long as so many bytes may take."""
        self._clock.check()
        self._bytes.spend(amount)

    def check_window(self, step: str) -> None:
        """Raises SiteFailure outside of the hours in which the site may be asked for something new."""
        if self._site.window is None or is_open(self._site, self._clock):
            return
        begin, end = self._site.window
        raise SiteFailure(
            step,
            f"outside of the site's window, {begin:%H:%M} to {end:%H:%M}",
            "the next run within it goes on from there",
        )


def is_open(site: Site, clock: Clock) -> bool:
    """Whether the site may be asked for something new at this hour, by its zone."""
    if site.window is None:
        return True
    zone = ZoneInfo(site.timezone) if site.timezone else dt.UTC
    return is_within(site.window, clock.now().astimezone(zone).time())


def is_within(window: tuple[dt.time, dt.time], time: dt.time) -> bool:
    """Whether a time is in the window, which may reach over midnight; its end is outside."""
    begin, end = window
    if begin <= end:
        return begin <= time < end
    return time >= begin or time < end
