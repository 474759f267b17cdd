"""What a hospital may ask of us: requests and bytes a second, a bound at once, hours of the night."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from flows.config import Site
from flows.pull.clock import Clock
from flows.pull.failures import SiteFailure
from flows.pull.politeness import Politeness, is_within
from tests.pulling.exports import Exporting
from tests.pulling.hospital import measured
from tests.pulling.pulls import NORTH, Bench, expected, site
from tests.pulling.server import Server


def test_no_second_has_more_requests_than_allowed(bench: Bench, server: Server) -> None:
    server.exports.how = server.exporting = Exporting(lines=2)
    bench.configure(site(server, rate={"requests_per_second": 15, "concurrent": 3}))
    assert bench.pull().code == 0
    assert bench.landed() == expected(server)
    times = [request.at for request in server.requests]
    assert len(times) > 18
    # A sixteenth request comes a second after the first, whichever the first is; a little is the network's.
    assert all(later - sooner >= 0.9 for sooner, later in zip(times, times[15:], strict=False))


def test_no_more_bytes_a_second_come_than_allowed(bench: Bench, server: Server) -> None:
    for n in range(8):
        server.hospital.put("Observation", f"big{n}", server.now(), note=[{"text": "x" * 50_000}])
    bench.configure(site(server, rate={"bytes_per_second": 200_000}))
    started = time.monotonic()
    assert bench.pull().code == 0
    # Some 400,000 bytes: the first second's may come at once.
    assert time.monotonic() - started >= 0.9
    assert bench.landed() == expected(server)


def test_one_request_at_a_time_is_possible(bench: Bench, server: Server) -> None:
    server.before = lambda request: time.sleep(0.03)
    server.exports.how = server.exporting = Exporting(lines=5)
    bench.configure(site(server, rate={"concurrent": 1}))
    assert bench.pull().code == 0
    assert server.most_at_once["all"] == 1


def _hours(start: float, end: float) -> list[str]:
    now = dt.datetime.now(dt.UTC)
    return [(now + dt.timedelta(hours=hours)).strftime("%H:%M") for hours in (start, end)]


def test_nothing_is_asked_outside_of_the_hours(bench: Bench, server: Server) -> None:
    bench.configure(site(server, window=_hours(2, 4)))
    done = bench.pull()
    assert server.requests == []
    assert NORTH in done.text and "window" in done.text
    assert bench.landed() == set()


def test_within_the_hours_all_is_pulled(bench: Bench, server: Server) -> None:
    bench.configure(site(server, window=_hours(-2, 4)))
    assert bench.pull().code == 0
    assert bench.landed() == expected(server)


def test_the_hours_are_those_of_the_sites_time_zone(bench: Bench, server: Server) -> None:
    # Seoul is nine hours before Greenwich: what is now there isn't now in UTC.
    bench.configure(site(server, window=_hours(8, 10), timezone="Asia/Seoul"))
    assert bench.pull().code == 0
    assert bench.landed() == expected(server)


def test_a_pull_goes_on_in_the_next_nights_hours(bench: Bench, server: Server) -> None:
    bench.configure(site(server, window=_hours(2, 4)))
    bench.pull()
    bench.configure(site(server))
    measured(server.hospital, "late", "p0", 9.5, server.now())
    assert bench.pull().code == 0
    assert bench.landed() == expected(server)


def test_a_redirect_is_a_request_too(bench: Bench, server: Server) -> None:
    from tests.pulling.deeds import redirect, within
    from tests.pulling.table_of_faults import Row

    server.faults.append(Row("elsewhere", "kick-off", redirect(307, within)))
    bench.configure(site(server, rate={"requests_per_second": 4}))
    assert bench.pull().code == 0
    first, second = server.asked("kick-off")
    assert second.at - first.at >= 0.2


@pytest.mark.parametrize(
    ("window", "time", "expected"),
    [
        ("22:00 06:00", "21:59:59", False),
        ("22:00 06:00", "22:00", True),
        ("22:00 06:00", "00:00", True),
        ("22:00 06:00", "05:59:59", True),
        ("22:00 06:00", "06:00", False),
        ("06:00 22:00", "06:00", True),
        ("06:00 22:00", "22:00", False),
    ],
)
def test_hours_may_reach_over_midnight(window: str, time: str, expected: bool) -> None:
    begin, end = (dt.time.fromisoformat(part) for part in window.split())
    assert is_within((begin, end), dt.time.fromisoformat(time)) == expected


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        # Berlin, 25 October 2026: at 01:00 UTC the clock goes back from 03:00 to 02:00.
        ("2026-10-25T00:30:00+00:00", True),
        ("2026-10-25T01:30:00+00:00", True),
        ("2026-10-25T02:00:00+00:00", False),
        # 29 March 2026: at 01:00 UTC it goes forward from 02:00 to 03:00.
        ("2026-03-29T00:59:00+00:00", False),
        ("2026-03-29T01:00:00+00:00", False),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(now: str, is_open: bool) -> None:
    hours = (dt.time(2), dt.time(3))
    berlin = Site("berlin", "rest", url="http://127.0.0.1", timezone="Europe/Berlin", window=hours)
    politeness = Politeness(berlin, Clock(now=lambda: dt.datetime.fromisoformat(now)))
    if is_open:
        politeness.check_window("search")
    else:
        with pytest.raises(SiteFailure, match="window"):
            politeness.check_window("search")
