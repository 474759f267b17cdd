"""Bulk export on a calm night: what is asked for, what lands, and what the next pull asks for."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import json
import threading
import time
from typing import Any

import pytest

from tests.pulling import wire
from tests.pulling.deeds import adds, changed, says, says_when, sends, without
from tests.pulling.exports import Exporting, Job
from tests.pulling.hospital import measured, person
from tests.pulling.pulls import NORTH, TYPES, Bench, expected, site, smart
from tests.pulling.server import Server
from tests.pulling.table_of_faults import LAST, Row
from tests.pulling.wire import Request


def how(server: Server, **more: Any) -> None:
    """Sets how the server exports."""
    server.exporting = server.exports.how = Exporting(**more)


def pulled(bench: Bench, server: Server, *flags: str, **more: Any) -> None:
    """A pull that ends with 0 and lands all that the hospital has."""
    bench.configure(site(server, **more))
    done = bench.pull(*flags)
    assert done.code == 0, done.text
    assert bench.landed() >= expected(server)


def since_of(request: Request) -> dt.datetime | None:
    """The `_since` of a kick-off."""
    values = request.values("_since")
    return dt.datetime.fromisoformat(values[0]) if values else None


def types_of(request: Request) -> set[str]:
    """The types of a kick-off."""
    return {name for value in request.values("_type") for name in value.split(",")}


def read_at(job: Job) -> dt.datetime:
    """The transactionTime that the job's manifest gave."""
    return dt.datetime.fromisoformat(wire.instant(job.at))


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "/fhir/Patient/$export"),
        ({"level": "patient"}, "/fhir/Patient/$export"),
        ({"level": "system"}, "/fhir/$export"),
        ({"group": "clofarabine"}, "/fhir/Group/clofarabine/$export"),
    ],
)
def test_an_export_is_asked_for_at_its_level(
    bench: Bench, server: Server, options: dict[str, str], path: str
) -> None:
    pulled(bench, server, **options)
    [kick_off] = server.asked("kick-off")
    assert kick_off.path == path
    assert types_of(kick_off) == set(TYPES) and since_of(kick_off) is None
    assert len(server.asked("delete")) == 1
    assert bench.landed() == expected(server)


def test_every_type_that_a_view_takes_is_asked_for_where_none_is_named(bench: Bench, server: Server) -> None:
    types = {key: value for key, value in site(server).items() if key != "types"}
    bench.configure(types)
    assert bench.pull().code == 0
    asked = types_of(server.asked("kick-off")[0])
    assert {"Patient", "Observation", "Condition", "MedicationAdministration", "Procedure"} <= asked


def test_the_next_pull_asks_since_the_transaction_time_of_the_last(bench: Bench, server: Server) -> None:
    server.skew = dt.timedelta(days=-3)  # the hospital's clock decides, not ours
    pulled(bench, server)
    measured(server.hospital, "o0", "p0", 55.5, server.now())
    measured(server.hospital, "new", "p0", 56.5, server.now())
    pulled(bench, server)
    assert since_of(server.asked("kick-off")[1]) == read_at(server.exports.jobs[0])
    assert {"Observation/o0/1", "Observation/o0/2", "Observation/new/1"} <= bench.landed()
    pulled(bench, server)
    assert since_of(server.asked("kick-off")[2]) == read_at(server.exports.jobs[1])


def test_a_pull_in_full_starts_anew(bench: Bench, server: Server) -> None:
    pulled(bench, server)
    before = bench.landed_files()
    pulled(bench, server, "--full")
    assert since_of(server.asked("kick-off")[1]) is None
    assert bench.landed_files() == before  # the same content is landed once
    pulled(bench, server)
    assert since_of(server.asked("kick-off")[2]) == read_at(server.exports.jobs[1])


def test_a_type_newly_asked_for_is_pulled_from_the_beginning(bench: Bench, server: Server) -> None:
    bench.configure(site(server, types=["Patient"]))
    assert bench.pull().code == 0
    assert {name.split("/")[0] for name in bench.landed()} == {"Patient"}
    pulled(bench, server)
    later = server.asked("kick-off")[1:]
    assert {since_of(request) for request in later if "Observation" in types_of(request)} == {None}
    first = read_at(server.exports.jobs[0])
    assert {since_of(request) for request in later if "Patient" in types_of(request)} == {first}
    asked = len(later) + 1
    pulled(bench, server)
    assert all(since_of(request) is not None for request in server.asked("kick-off")[asked:])


def test_a_type_no_longer_asked_for_is_left_out(bench: Bench, server: Server) -> None:
    pulled(bench, server)
    bench.configure(site(server, types=["Patient"]))
    assert bench.pull().code == 0
    assert types_of(server.asked("kick-off")[-1]) == {"Patient"}


def test_a_filter_is_given_to_the_server(bench: Bench, server: Server) -> None:
    measured(server.hospital, "other", "p0", 1, server.now())
    content = server.hospital.versions[-1].content
    assert content is not None
    content["code"] = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
    filters = ["Observation?code=http://loinc.org|777-3"]
    bench.configure(site(server, type_filter=filters))
    assert bench.pull().code == 0
    assert server.asked("kick-off")[0].values("_typeFilter") == filters
    assert bench.landed() == expected(server) - {"Observation/other/1"}


def test_a_server_without_since_is_pulled_in_full_each_time(bench: Bench, server: Server) -> None:
    for _ in range(2):
        pulled(bench, server, since=False)
    assert [since_of(request) for request in server.asked("kick-off")] == [None, None]


def test_a_failed_pull_does_not_move_the_next_lower_bound(bench: Bench, server: Server) -> None:
    how(server, lines=15)
    pulled(bench, server)
    person(server.hospital, "late", server.now())
    server.faults.append(Row("gone", "/Patient.1.ndjson", lambda *_: wire.outcome(404), times=1))
    assert bench.pull().code == 3
    pulled(bench, server)
    assert [since_of(r) for r in server.asked("kick-off")[1:]] == [read_at(server.exports.jobs[0])] * 2


@pytest.mark.parametrize(
    "more",
    [
        {"manifest_pages": 3},
        {"gzip": "encoding"},
        {"gzip": "file"},
        {"gzip": "encoding", "has_ranges": False},
        {"has_counts": False},
        {"has_validators": False, "has_ranges": False},
        {"relative_status": True},
        {"polls": 0},
        {"polls": 4},
        {"lines": 1},
    ],
    ids=str,
)
def test_servers_differ_and_all_lands(bench: Bench, server: Server, more: dict[str, Any]) -> None:
    how(server, **more)
    pulled(bench, server)
    assert bench.landed() == expected(server)
    paths = [request.path for request in server.asked("file")]
    assert len(paths) == len(set(paths)), "a file was fetched twice"
    if "polls" in more:
        assert len(server.asked("status")) == more["polls"] + 1


def test_files_are_landed_as_received(bench: Bench, server: Server) -> None:
    how(server, gzip="file")
    pulled(bench, server)
    files = [path for path in (bench.landing / NORTH).iterdir() if path.suffix not in (".json", ".part")]
    received = {gzip.compress(content, mtime=0) for content in server.exports.jobs[0].files.values()}
    assert {path.read_bytes() for path in files if not path.name.startswith(".")} == received


def test_polls_are_spaced_as_told(bench: Bench, server: Server) -> None:
    how(server, polls=2, retry_after="1")
    pulled(bench, server)
    times = [request.at for request in server.asked("status")]
    assert len(times) == 3
    assert all(later - sooner >= 0.9 for sooner, later in itertools.pairwise(times))


def test_polls_without_an_hour_are_spaced_wider_and_wider(bench: Bench, server: Server) -> None:
    how(server, polls=5)
    pulled(bench, server, retry={"attempts": 3, "wait": 0.05, "longest": 5})
    times = [request.at for request in server.asked("status")]
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert all(gap >= 0.9 * 0.05 * 2**n for n, gap in enumerate(gaps[-4:]))


def test_an_export_of_nothing_is_no_failure(bench: Bench, server: Server) -> None:
    pulled(bench, server)
    before = bench.landed()
    pulled(bench, server)
    assert bench.landed() == before
    assert server.exports.jobs[1].files == {}


def test_what_the_server_left_out_is_kept_and_told(bench: Bench, server: Server) -> None:
    how(server, has_error_file=True)
    bench.configure(site(server))
    done = bench.pull()
    assert done.code == 0
    assert "OperationOutcome" in {each["resourceType"] for each in bench.resources()}
    assert [line for line in done.text.splitlines() if NORTH in line and "1 warning" in line], done.text


def test_an_outcome_keeps_its_bytes(bench: Bench, server: Server) -> None:
    how(server, has_error_file=True)
    pulled(bench, server)
    assert server.exports.jobs[0].files["error.ndjson"] in bench.landed_files()


def test_a_reset_file_goes_on_where_it_broke_off(bench: Bench, server: Server) -> None:
    server.faults.append(Row("reset", LAST, sends(wire.reset), times=1))
    pulled(bench, server)
    first, second = (request for request in server.asked("file") if request.path.endswith(LAST))
    assert "range" not in first.headers
    content = server.exports.jobs[0].files[LAST[1:]]
    assert second.headers["range"] == f"bytes={len(content) // 2}-"
    assert second.headers["if-range"].startswith('"')


def test_no_range_is_asked_for_where_the_server_gave_no_validator(bench: Bench, server: Server) -> None:
    how(server, has_validators=False)
    server.faults.append(Row("reset", LAST, sends(wire.reset), times=1))
    pulled(bench, server)
    assert not any("range" in request.headers for request in server.asked("file"))


def test_a_file_that_changed_between_two_tries_is_not_stuck_together(bench: Bench, server: Server) -> None:
    def change(server: Server, request: Request, response: wire.Response) -> wire.Response:
        files = server.exports.jobs[0].files
        lines = [json.loads(line) for line in files[LAST[1:]].splitlines()]
        files[LAST[1:]] = b"".join(json.dumps(line).encode() + b"\n" for line in reversed(lines))
        return response.sent(wire.reset)

    server.faults.append(Row("changes", LAST, change, times=1))
    pulled(bench, server)
    assert server.exports.jobs[0].files[LAST[1:]] in bench.landed_files()


def test_several_files_are_fetched_at_once_within_a_bound(bench: Bench, server: Server) -> None:
    how(server, lines=3)
    server.before = lambda request: time.sleep(0.1 if request.place == "file" else 0)
    pulled(bench, server, rate={"concurrent": 3})
    assert 2 <= server.most_at_once["file"] <= 3
    assert server.most_at_once["all"] <= 3


def test_a_file_at_another_origin_is_fetched_without_a_token(bench: Bench, server: Server) -> None:
    how(server, requires_token=True)
    server.exports.files_at = server.elsewhere
    pulled(bench, server, **smart(bench, server))
    files = server.asked("file")
    assert {request.port for request in files} == {server.other_port}
    assert not any(request.has_credentials for request in files)


def test_a_file_that_needs_no_token_gets_none(bench: Bench, server: Server) -> None:
    how(server, requires_token=False)
    pulled(bench, server, **smart(bench, server))
    assert not any(request.has_credentials for request in server.asked("file"))


def test_a_date_to_come_back_at_is_read_by_the_servers_clock(bench: Bench, server: Server) -> None:
    server.skew = dt.timedelta(days=3)
    server.faults.append(Row("busy", "kick-off", says_when(503, 2), times=1))
    pulled(bench, server)
    first, second = server.asked("kick-off")
    assert 0.9 <= second.at - first.at < 60


def test_a_server_that_comes_back_within_the_tries_is_waited_for(bench: Bench, server: Server) -> None:
    server.stop()
    threading.Timer(1, server.start).start()
    pulled(bench, server, retry={"attempts": 6, "wait": 0.3, "longest": 5})


def test_an_export_that_says_no_time_is_followed_by_one_in_full(bench: Bench, server: Server) -> None:
    server.faults.append(Row("no time", "status", changed(without("transactionTime")), after=1, times=1))
    for _ in range(2):
        pulled(bench, server)
    assert since_of(server.asked("kick-off")[1]) is None


@pytest.mark.parametrize(
    ("later", "is_whole"),
    [(["p0", "p1"], False), (["p1"], False), (["p0", "p2"], True), (None, False)],
    ids=["the same", "one less", "another", "not to be read"],
)
def test_a_member_who_joined_the_group_brings_their_older_records(
    bench: Bench, server: Server, later: list[str] | None, is_whole: bool
) -> None:
    server.members = ["p0", "p1"]
    pulled(bench, server, group="g")
    server.members = later
    pulled(bench, server, group="g")
    first, second = server.asked("kick-off")
    assert since_of(first) is None
    assert (since_of(second) is None) == is_whole
    pulled(bench, server, group="g")
    assert since_of(server.asked("kick-off")[2]) == read_at(server.exports.jobs[1])


def test_members_of_a_group_that_are_not_to_be_read_are_told_of(bench: Bench, server: Server) -> None:
    bench.configure(site(server, group="g"))
    done = bench.pull()
    assert done.code == 0
    assert "--full" in done.text


def test_what_an_export_says_of_itself_may_be_gone(bench: Bench, server: Server) -> None:
    how(server, has_error_file=True)
    server.faults.append(Row("gone", "/error.ndjson", lambda *_: wire.outcome(404), times=9))
    pulled(bench, server)
    assert bench.landed() == expected(server)


def test_an_export_that_failed_at_the_server_is_given_up_when_its_time_is_over(
    bench: Bench, server: Server
) -> None:
    server.faults.append(Row("failed", "status", lambda *_: wire.outcome(500), times=99))
    short = {"connect": 2, "read": 2, "export": 0.3}
    retry = {"attempts": 3, "wait": 0.2, "longest": 5}
    bench.configure(site(server, timeout=short, retry=retry))
    done = bench.pull()
    assert done.code == 3
    assert "timeout.export" in done.failure_of(NORTH)
    assert len(server.asked("delete")) == 1
    server.faults.clear()
    pulled(bench, server)
    assert len(server.exports.jobs) == 2


def test_a_part_of_another_content_is_not_stuck_to_the_first(bench: Bench, server: Server) -> None:
    def other(server: Server, request: Request, response: wire.Response) -> wire.Response:
        # A server that knows ranges and not `If-Range`.
        return response.with_headers(ETag='"another"') if response.status == 206 else response

    server.faults.append(Row("reset", LAST, sends(wire.reset), times=1))
    server.faults.append(Row("other", LAST, other, times=99))
    pulled(bench, server)
    assert server.exports.jobs[0].files[LAST[1:]] in bench.landed_files()


@pytest.mark.parametrize("headers", [{"ETag": 'W/"1"'}, {"Accept_Ranges": "none"}], ids=str)
def test_no_range_is_asked_for_where_the_server_gives_none(
    bench: Bench, server: Server, headers: dict[str, str]
) -> None:
    def weak(server: Server, request: Request, response: wire.Response) -> wire.Response:
        return response.with_headers(**headers)

    server.faults.append(Row("weak", LAST, weak, times=99))
    server.faults.append(Row("reset", LAST, sends(wire.reset), times=1))
    pulled(bench, server)
    assert not any("range" in request.headers for request in server.asked("file"))


def test_an_export_that_asks_for_too_long_waits_is_given_up_when_its_time_is_over(
    bench: Bench, server: Server
) -> None:
    how(server, polls=99)
    server.faults.append(Row("later", "status", adds(Retry_After="3600"), times=99))
    bench.configure(site(server, timeout={"connect": 15, "read": 15, "export": 1}))
    assert "longest" in bench.pull().failure_of(NORTH)
    assert server.asked("delete") == []
    time.sleep(1)
    assert "timeout.export" in bench.pull().failure_of(NORTH)
    assert len(server.asked("delete")) == 1


def test_a_retry_is_told_in_one_line_without_what_a_url_hides(bench: Bench, server: Server) -> None:
    server.faults.append(Row("busy", "kick-off", says(503, Retry_After="1"), times=1))
    bench.configure(site(server))
    done = bench.pull()
    assert done.code == 0
    told = [line.strip() for line in done.err.splitlines() if "503" in line]
    assert told == [
        f"{NORTH}: kick-off: {server.url}/Patient/$export?_type answered 503; try 2 of 3 in 1 seconds"
    ]


def test_signed_addresses_of_files_are_not_kept(bench: Bench, server: Server) -> None:
    def signed(server: Server, manifest: Any) -> Any:
        output = [{**file, "url": f"{file['url']}?signature=opens-it"} for file in manifest["output"]]
        return {**manifest, "output": output}

    server.faults.append(Row("signed", "status", changed(signed), after=1, times=99))
    server.faults.append(Row("broken", LAST, says(500), times=3))
    bench.configure(site(server))
    assert bench.pull().code == 3
    kept = [path.read_bytes() for path in (bench.home / "pulls").rglob("*") if path.is_file()]
    assert not any(b"opens-it" in content for content in kept)
    asked = len(server.requests)
    pulled(bench, server)
    assert [one.path for one in server.requests[asked:] if one.place == "file"] == [f"/files/1{LAST}"]
