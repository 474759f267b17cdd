"""What a hospital may ask of us: requests and bytes a second, a bound at once, hours of the night."""

from __future__ import annotations

import datetime as dt
import time

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
