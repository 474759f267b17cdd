"""Several hospitals, one of them down: the others are pulled and reported, and the report says who is stale."""

from __future__ import annotations

import re

import pytest

from tests.pulling.pulls import Bench, expected, served, site
from tests.pulling.server import Server
from tests.pulling.test_files import drop, names

STUDY = "clofarabine"


def test_a_hospital_that_is_down_does_not_stop_the_others(bench: Bench) -> None:
    servers = [Server() for _ in range(4)]
    sites = ["bulk", "rest", "bulk", "rest"]
    bench.servers.extend(servers)
    with served(*servers):
        drop(bench, "one.ndjson", "a")
        dropped = {"name": "e", "source": "files", "path": "drop"}
        bench.configure(
            *(site(s, kind, name=name) for s, kind, name in zip(servers, sites, "abcd", strict=True)), dropped
        )
        down = servers[0]
        down.stop()
        done = bench.pull()
        assert done.code == 3, done.text
        assert "refused" in done.failure_of("a")
        assert [bench.landed(name) for name in "abcd"] == [set(), *(expected(s) for s in servers[1:])]
        assert bench.landed("e") == names("a")
        down.start()
        done = bench.pull()
        assert done.code == 0, done.text
        assert bench.landed("a") == expected(down)


@pytest.mark.slow
def test_the_report_says_which_site_is_stale_and_since_when(bench: Bench) -> None:
    servers = [Server() for _ in range(3)]
    bench.servers.extend(servers)
    with served(*servers):
        bench.configure(*(site(s, name=f"site-{name}") for s, name in zip(servers, "abc", strict=True)))
        done = bench.cove("run", STUDY, "--config", "cove.toml", "--out", "report")
        assert done.code in (0, 1), done.text
        last = servers[1].exports.jobs[0].at
        servers[1].stop()
        done = bench.cove("run", STUDY, "--config", "cove.toml", "--out", "report")
        assert done.code == 3, done.text
        done.failure_of("site-b")
        report = (bench.folder / "report" / "report.html").read_text()
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", report))
        assert re.search(rf"site-b[^.]{{0,120}}{last:%Y-%m-%d}", text), "no word of the stale site"
