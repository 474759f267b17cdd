"""A night: several hospitals pulled by one command, each with its own fault, and the night after, without."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.pulling.pulls import Bench, Done, expected, served, site, smart
from tests.pulling.server import Server
from tests.pulling.table_of_faults import Row
from tests.pulling.wire import Request

CALM = "calm"


@dataclass(frozen=True)
class Pull:
    """What became of one hospital in one pull. `there` is what it had when the pull had ended."""

    done: Done
    landed: set[str]
    there: set[str]
    requests: list[Request]
    jobs: int


@dataclass(frozen=True)
class Night:
    """A fault's hospital: what it had before, the pull during which it failed, and the one after it."""

    row: Row
    site: str
    server: Server
    before: set[str]
    first: Pull
    within: set[str]  # paths of the files that had landed after the first pull
    second: Pull


@dataclass(frozen=True)
class Nights:
    """The nights of some faults, and what landed from the hospital without one."""

    by_id: dict[str, Night]
    calm: set[str]
    calm_there: set[str]


def pass_nights(folder: Path, rows: list[Row]) -> Nights:
    """Pulls twice from a hospital for each row, and from one without a fault."""
    bench, calm = Bench(folder), Server()
    servers = [_server_of(row) for row in rows]
    names = [f"site-{number}" for number in range(len(rows))]
    bench.servers.extend((*servers, calm))
    with served(*bench.servers):
        sites = [_site(bench, *each) for each in zip(rows, servers, names, strict=True)]
        bench.configure(*sites, site(calm, name=CALM))
        before = [expected(server) for server in servers]
        for row, server in zip(rows, servers, strict=True):
            server.faults.append(row)
        done = bench.pull()
        first = [_ended(bench, done, *each, 0) for each in zip(servers, names, strict=True)]
        calm_landed, calm_there = bench.landed(CALM), expected(calm)
        within = [_files_within(*each) for each in zip(servers, first, strict=True)]
        for server in servers:
            server.faults.clear()
        done = bench.pull()
        second = [
            _ended(bench, done, server, name, len(pull.requests))
            for server, name, pull in zip(servers, names, first, strict=True)
        ]
    each = zip(rows, names, servers, before, first, within, second, strict=True)
    nights = [Night(*fields) for fields in each]
    return Nights({night.row.id: night for night in nights}, calm_landed, calm_there)


def _server_of(row: Row) -> Server:
    server = Server()
    if row.source == "bulk":
        server.exporting = server.exports.how = replace(server.exporting, **row.how)
    else:
        server.searching = replace(server.searching, **row.how)
    return server


def _site(bench: Bench, row: Row, server: Server, name: str) -> dict[str, Any]:
    folder = bench.folder / name
    folder.mkdir()
    options = smart(Bench(folder), server) if row.auth == "smart" else {}
    return site(server, row.source, name, **options, **row.site)


def _ended(bench: Bench, done: Done, server: Server, name: str, asked: int) -> Pull:
    return Pull(done, bench.landed(name), expected(server), server.requests[asked:], len(server.exports.jobs))


def versions(content: bytes) -> set[str]:
    """The resources of NDJSON, as `Bench.landed` names them."""
    lines = [json.loads(line) for line in content.splitlines()]
    return {f"{each['resourceType']}/{each['id']}/{each['meta']['versionId']}" for each in lines}


def _files_within(server: Server, pull: Pull) -> set[str]:
    """Paths of the files of exports that aren't deleted, all of whose resources are landed."""
    return {
        f"/files/{job.number}/{name}"
        for job in server.exports.jobs
        for name, content in job.files.items()
        if not job.is_deleted and versions(content) <= pull.landed
    }
