"""REST searches on a calm night: pages, lower bounds, what is included, what the server adds."""

from __future__ import annotations

import datetime as dt
import socket
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.pulling.hospital import FAMILY, measured
from tests.pulling.pulls import NORTH, TYPES, Bench, expected, site
from tests.pulling.searches import Searching
from tests.pulling.server import FOREVER, Server
from tests.pulling.table_of_faults import Row
from tests.pulling.wire import Request, Response, fhir, http_date, outcome


def pulled(bench: Bench, server: Server, *flags: str, **more: Any) -> None:
    """A pull that ends with 0 and lands all that the hospital has."""
    bench.configure(site(server, "rest", **more))
    done = bench.pull(*flags)
    assert done.code == 0, done.text
    assert bench.landed() >= expected(server)


def lower_bounds(requests: list[Request], type: str) -> list[dt.datetime | None]:
    """The `_lastUpdated` lower bound of each first page of the type; None where there is none."""
    firsts = [r for r in requests if r.place == "search" and r.path.endswith(f"/{type}")]
    found: list[dt.datetime | None] = []
    for request in firsts:
        values = [value for value in request.values("_lastUpdated") if value[:2] in ("ge", "gt")]
        found.append(dt.datetime.fromisoformat(values[0][2:]) if values else None)
    return found


def test_every_page_is_read_by_the_link_as_given(bench: Bench, server: Server) -> None:
    pulled(bench, server)
    assert bench.landed() == expected(server)
    targets = [request.target for request in server.asked("search", "next")]
    assert len(targets) == len(set(targets)) == 4  # one page of patients, three of counts
    assert all("kept=a+b%7Cc" in request.target for request in server.asked("next"))


def test_a_link_may_be_relative(bench: Bench, server: Server) -> None:
    server.searching = Searching(relative_next=True)
    pulled(bench, server)
    assert bench.landed() == expected(server)


def test_the_size_of_a_page_is_asked_for(bench: Bench, server: Server) -> None:
    pulled(bench, server, count=5)
    assert {value for request in server.asked("search") for value in request.values("_count")} == {"5"}
    assert len([r for r in server.asked("search", "next") if r.path.endswith("/Observation")]) == 6


def test_what_is_to_be_included_is_asked_for(bench: Bench, server: Server) -> None:
    bench.configure(site(server, "rest", types=["Observation"], include=["Observation:subject"]))
    assert bench.pull().code == 0
    asked = server.asked("search")[0]
    assert asked.values("_include") == ["Observation:subject"]
    assert bench.landed() == expected(server)


def test_an_outcome_among_the_entries_is_told(bench: Bench, server: Server) -> None:
    server.searching = Searching(has_outcome_entry=True)
    bench.configure(site(server, "rest"))
    done = bench.pull()
    assert done.code == 0
    told = [line for line in done.text.splitlines() if NORTH in line and "1 warning" in line]
    assert len(told) == len(TYPES), done.text  # one in the first page of each
    assert bench.landed() == expected(server)


@pytest.mark.parametrize("days", [-3, 0, 3])
def test_the_next_search_begins_where_the_servers_clock_was(bench: Bench, server: Server, days: int) -> None:
    server.skew = dt.timedelta(days=days)
    before = parsedate_to_datetime(http_date(server.now()))
    pulled(bench, server)
    after = server.now()
    measured(server.hospital, "o0", "p0", 55.5, server.now())
    asked = len(server.requests)
    pulled(bench, server)
    assert "Observation/o0/2" in bench.landed()
    for type in ("Patient", "Observation"):
        [bound] = lower_bounds(server.requests[asked:], type)
        assert bound is not None and before - dt.timedelta(minutes=10) <= bound <= after


def test_a_pull_in_full_searches_from_the_beginning(bench: Bench, server: Server) -> None:
    pulled(bench, server)
    asked = len(server.requests)
    pulled(bench, server, "--full")
    assert lower_bounds(server.requests[asked:], "Patient") == [None]


def test_a_type_newly_asked_for_is_searched_from_the_beginning(bench: Bench, server: Server) -> None:
    bench.configure(site(server, "rest", types=["Patient"]))
    assert bench.pull().code == 0
    asked = len(server.requests)
    pulled(bench, server)
    assert lower_bounds(server.requests[asked:], "Observation") == [None]
    assert lower_bounds(server.requests[asked:], "Patient") != [None]


def test_a_server_without_last_updated_is_searched_in_full_each_time(bench: Bench, server: Server) -> None:
    server.searching = Searching(knows_last_updated=False)
    for _ in range(2):
        pulled(bench, server, since=False)
    assert not any(request.values("_lastUpdated") for request in server.requests)


def test_a_failed_type_is_searched_again_from_its_old_bound(bench: Bench, server: Server) -> None:
    from tests.pulling.deeds import says
    from tests.pulling.table_of_faults import EVER, Row

    pulled(bench, server)
    measured(server.hospital, "new", "p0", 3.5, server.now())
    server.faults.append(Row("broken", "/Observation", says(500), **EVER))
    asked = len(server.requests)
    assert bench.pull().code == 3
    bound = lower_bounds(server.requests[asked:], "Observation")[0]
    server.faults.clear()
    asked = len(server.requests)
    pulled(bench, server)
    assert lower_bounds(server.requests[asked:], "Observation") == [bound]
    assert "Observation/new/1" in bench.landed()


def test_an_address_that_holds_a_patients_value_is_not_shown(bench: Bench, server: Server) -> None:
    from tests.pulling.deeds import next_holds_a_name, says
    from tests.pulling.table_of_faults import EVER, Row

    server.faults.append(Row("named", "search", next_holds_a_name, **EVER))
    server.faults.append(Row("broken", "next", says(500), **EVER))
    bench.configure(site(server, "rest"))
    with bench.popen("pull", "--config", "cove.toml") as pulling:
        out, err = pulling.communicate(timeout=60)
    assert pulling.returncode == 3
    assert FAMILY not in out + err and NORTH in err


def test_a_page_that_took_its_time_is_as_old_as_its_request(bench: Bench, server: Server) -> None:
    server.before = lambda request: time.sleep(0.5 if request.place == "search" else 0)
    pulled(bench, server)
    after = [parsedate_to_datetime(http_date(server.now()))]
    server.before = lambda request: None
    asked = len(server.requests)
    pulled(bench, server)
    [bound] = lower_bounds(server.requests[asked:], "Patient")
    assert bound is not None and bound < after[0]


class _Large:
    """A page that is sent in parts, as no test should hold it: entries of a megabyte, then its link."""

    def __init__(self, server: Server, entries: int) -> None:
        self._server, self._entries = server, entries
        start = b'{"resourceType": "Bundle", "type": "searchset", "entry": ['
        entry = b'{"resource": {"resourceType": "Observation", "id": "o", "note": [{"text": "%s"}]}},\n'
        self._start, self._entry = start, entry % (b"x" * ((1 << 20) - 80))

    def __call__(self, request: Request) -> Response:
        server = self._server
        outcome = b'{"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}}], '
        link = b'"link": [{"relation": "next", "url": "%s/Observation?at=30"}]}' % server.url.encode()
        end = outcome + link

        def send(connection: socket.socket, head: bytes, response: Response) -> None:
            connection.sendall(head + self._start)
            for _ in range(self._entries):
                connection.sendall(self._entry)
            connection.sendall(end)

        size = len(self._start) + self._entries * len(self._entry) + len(end)
        return Response(200, b"", {"Content-Length": str(size)}, send)


@pytest.mark.slow
def test_a_page_larger_than_memory_is_read_piece_by_piece(bench: Bench, server: Server) -> None:
    server.extra["/Observation?at=30"] = lambda request: fhir({"resourceType": "Bundle", "entry": []})
    server.extra["/Observation"] = _Large(server, 300)
    bench.configure(site(server, "rest", types=["Observation"]))
    done, most = bench.pull_watched()
    assert done.code == 0, done.text
    assert "1 warning" in done.text
    assert len(server.asked("next")) == 1
    assert 0 < most < 200_000  # kilobytes


def test_a_page_that_is_refused_has_the_next_run_search_again(bench: Bench, server: Server) -> None:
    def refused(server: Server, request: Request, response: Response) -> Response:
        # Some servers refuse the addresses of pages that they have forgotten, and know no 410.
        return outcome(400)

    server.faults.append(Row("refused", "next", refused, times=FOREVER))
    bench.configure(site(server, "rest"))
    assert bench.pull().code == 3
    server.faults.clear()
    forgotten = server.asked("next")[0].target
    asked = len(server.requests)
    pulled(bench, server)
    second = [request.target for request in server.requests[asked:]]
    assert second[0].partition("?")[0] == forgotten.partition("?")[0] and "at=" not in second[0]
