"""Each fault of the table: what it ends with, what is landed, what is said, and that the next run goes on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.pulling.pulls import NORTH, Bench, expected, served, site, smart
from tests.pulling.server import Server
from tests.pulling.table_of_faults import FAULTS, Row


def _versions(content: bytes) -> set[str]:
    lines = [json.loads(line) for line in content.splitlines()]
    return {f"{each['resourceType']}/{each['id']}/{each['meta']['versionId']}" for each in lines}


def _files_within(server: Server, landed: set[str]) -> set[str]:
    """Paths of the files of exports that aren't deleted, all of whose resources are landed."""
    return {
        f"/files/{job.number}/{name}"
        for job in server.exports.jobs
        for name, content in job.files.items()
        if not job.is_deleted and _versions(content) <= landed
    }


def _check_landed(row: Row, bench: Bench, whole: set[str]) -> None:
    landed = bench.landed()
    if row.landed == "all":
        assert landed >= whole
    elif row.landed == "some version":
        assert {name.rpartition("/")[0] for name in landed} == {name.rpartition("/")[0] for name in whole}
    elif row.landed == "none":
        assert landed == set()
    else:
        assert landed < whole


def _check_requests(row: Row, server: Server) -> None:
    struck = [
        request for request in server.requests if row.at in (request.place, request.path[-len(row.at) :])
    ]
    if row.waits:
        first, second = [request for request in struck if request.target == struck[0].target][:2]
        assert second.at - first.at >= 0.9 * row.waits
    if row.at_most is not None:
        assert len(struck) <= row.at_most
    if row.source == "bulk" and row.jobs is not None:
        assert len(server.exports.jobs) == row.jobs
    if row.deletes is not None:
        assert len(server.asked("delete")) == row.deletes
    # Whatever happens: nothing of ours that opens a door goes to another origin.
    strange = [request for request in server.requests if request.port == server.other_port]
    assert not any(request.has_credentials or b"assertion" in request.body for request in strange)


def _served(row: Row) -> Server:
    server = Server()
    if row.source == "bulk":
        server.exporting = replace(server.exporting, **row.how)
        server.exports.how = server.exporting
    else:
        server.searching = replace(server.searching, **row.how)
    return server


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in FAULTS])
def test_a_fault_leaves_whole_files_a_clear_line_and_a_next_run_that_goes_on(row: Row, bench: Bench) -> None:
    server, calm = _served(row), Server()
    bench.servers.extend((server, calm))
    with served(server, calm):
        options: dict[str, Any] = smart(bench, server) if row.auth == "smart" else {}
        bench.configure(site(server, row.source, **options, **row.site), site(calm, name="south"))
        whole = expected(server)
        server.faults.append(row)
        first = bench.pull()
        assert first.code == row.exit, first.text
        _check_landed(row, bench, whole)
        _check_requests(row, server)
        assert bench.landed("south") == expected(calm)
        if row.exit:
            assert re.search(row.says, first.failure_of(NORTH)), first.failure_of(NORTH)
        if row.exit == 3 or row.landed == "some version":
            _check_next_run(row, bench, server)


def _check_next_run(row: Row, bench: Bench, server: Server) -> None:
    server.faults.clear()
    landed, asked = _files_within(server, bench.landed()), len(server.requests)
    done = bench.pull()
    assert done.code == 0, done.text
    assert bench.landed() >= expected(server)
    again = {request.path for request in server.requests[asked:]}
    assert not again & landed, "a landed file was fetched again"
    if row.source == "bulk" and row.jobs_after is not None:
        assert len(server.exports.jobs) == row.jobs_after
