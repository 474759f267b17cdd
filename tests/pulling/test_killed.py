"""Pulls that are killed, that meet a full disk, and that meet each other."""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pulling.commands import Running
from tests.pulling.exports import Exporting
from tests.pulling.nights import versions
from tests.pulling.pulls import NORTH, Bench, Done, expected, served, site, smart
from tests.pulling.server import Server
from tests.pulling.wire import Request, Response, fhir

# Of a bulk export: kick-off, two polls, three files, DELETE.
OF_BULK, OF_REST = 7, 4


def _killed_when(bench: Bench, server: Server, number: int, moment: str) -> int:
    """Starts a pull and kills it at one of the server's requests; the exit code."""
    process: list[Running] = []
    started = threading.Event()

    def kill(request: Request) -> None:
        if request.number == number:
            started.wait()
            process[0].kill()

    setattr(server, moment, kill)
    with bench.popen("pull", "--config", "cove.toml") as pulling:
        process.append(pulling)
        started.set()
        pulling.communicate(timeout=60)
    setattr(server, moment, lambda request: None)
    bench.check_landing()
    assert pulling.returncode is not None
    return pulling.returncode


def _check_that_the_next_run_goes_on(bench: Bench, server: Server, number: int) -> None:
    asked, landed = len(server.requests), bench.landed()
    done = bench.pull()
    assert done.code == 0, done.text
    assert bench.landed() == expected(server)
    if server.requests[min(number, asked - 1)].place != "kick-off":
        assert len(server.exports.jobs) == (1 if number < asked - 1 or asked < OF_BULK else 2)
    left = list(bench.landing.rglob("*.part"))
    assert left == [], "the next run leaves nothing unfinished"
    whole = {
        request.path
        for request in server.requests[: asked - 1]
        if request.place == "file" and _lines_of(server, request.path) <= landed
    }
    assert not whole & {request.path for request in server.requests[asked:]}


def _lines_of(server: Server, path: str) -> set[str]:
    number, name = path.removeprefix("/files/").split("/")
    return versions(server.exports.jobs[int(number) - 1].files[name])


@pytest.mark.parametrize("number", range(OF_BULK - 1))
def test_an_export_whose_pull_was_killed_is_gone_on_with(bench: Bench, server: Server, number: int) -> None:
    bench.configure(site(server, rate={"concurrent": 1}))
    assert _killed_when(bench, server, number, "before") == -9
    if number == 0:
        assert bench.pull().code == 0
        assert bench.landed() == expected(server)
    else:
        _check_that_the_next_run_goes_on(bench, server, number)
        assert len(server.exports.jobs) == 1


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(OF_BULK + 3))
def test_a_pull_with_tokens_killed_at_any_request_is_gone_on_with(
    bench: Bench, server: Server, number: int, moment: str
) -> None:
    bench.configure(site(server, **smart(bench, server)))
    _killed_when(bench, server, number, moment)
    done = bench.pull()
    assert done.code == 0, done.text
    assert bench.landed() == expected(server)


@pytest.mark.parametrize("number", [0, OF_REST - 1])
def test_a_search_whose_pull_was_killed_ends_whole(bench: Bench, server: Server, number: int) -> None:
    bench.configure(site(server, "rest"))
    assert _killed_when(bench, server, number, "before") == -9
    done = bench.pull()
    assert done.code == 0, done.text
    assert bench.landed() == expected(server)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["bulk", "rest"])
def test_pulls_killed_at_any_instant_end_in_the_same(bench: Bench, source: str) -> None:
    drawn = random.Random(5)
    for night in range(12):
        server = Server(exporting=Exporting(lines=5))
        server.exports.how = server.exporting
        server.before = lambda request: time.sleep(0.02)
        bench.servers[:] = [server]
        with served(server):
            shutil.rmtree(bench.home, ignore_errors=True)
            bench.configure(site(server, source))
            for _ in range(3):
                with bench.popen("pull", "--config", "cove.toml") as pulling:
                    time.sleep(drawn.uniform(0.02, 0.7))
                    pulling.kill()
                    pulling.communicate()
                bench.check_landing()
            done = bench.pull()
            assert done.code == 0, (night, done.text)
            assert bench.landed() == expected(server), night
            assert list(bench.landing.rglob("*.part")) == []


def _big(server: Server, size: int) -> None:
    server.hospital.put("Observation", "big", server.now(), note=[{"text": "x" * size}])


@pytest.mark.parametrize("source", ["bulk", "rest"])
def test_a_full_disk_ends_with_three_and_is_gone_on_from(
    bench: Bench, server: Server, small_disk: Path, source: str
) -> None:
    _big(server, 6 << 20)
    home = small_disk / "home"
    bench.configure(site(server, source), home=home)
    done = bench.pull()
    assert done.code == 3, done.text
    assert "space" in done.failure_of(NORTH)
    bench.check_landing(home)
    subprocess.run(["mount", "-o", "remount,size=60m", small_disk], check=True)
    done = bench.pull()
    assert done.code == 0, done.text
    bench.check_landing(home)
    assert bench.landed(home=home) == expected(server)
    assert source == "rest" or len(server.exports.jobs) == 1


def _both(bench: Bench) -> list[Done]:
    running = [bench.popen("pull", "--config", "cove.toml") for _ in range(2)]
    ended = []
    for process in running:
        out, err = process.communicate(timeout=60)
        ended.append(Done(process.returncode, out, err))
    return ended


@pytest.mark.parametrize("source", ["bulk", "rest"])
def test_of_two_pulls_at_once_one_waits_or_ends_with_three(bench: Bench, server: Server, source: str) -> None:
    server.before = lambda request: time.sleep(0.1)
    bench.configure(site(server, source, rate={"concurrent": 1}))
    ended = _both(bench)
    assert sorted(done.code for done in ended) in ([0, 0], [0, 3]), [done.text for done in ended]
    assert bench.landed() == expected(server)
    assert server.most_at_once["all"] == 1
    bench.check_landing()
    assert bench.pull().code == 0


def _stopped(bench: Bench, stop: Callable[[Running], None]) -> Done:
    with bench.popen("pull", "--config", "cove.toml") as pulling:
        stop(pulling)
        out, err = pulling.communicate(timeout=60)
    return Done(pulling.returncode, out, err)


def test_an_interrupted_pull_says_nothing_odd_and_is_gone_on_with(bench: Bench, server: Server) -> None:
    server.exports.how = server.exporting = Exporting(lines=5)
    server.before = lambda request: time.sleep(0.3 if request.place == "file" else 0)
    bench.configure(site(server, rate={"concurrent": 1}))

    def interrupt(pulling: Running) -> None:
        while not server.asked("file"):
            time.sleep(0.02)
        pulling.send_signal(2)

    done = _stopped(bench, interrupt)
    assert done.code == 130, done.text
    assert "Traceback" not in done.text
    assert bench.pull().code == 0
    assert bench.landed() == expected(server)
    assert len(server.exports.jobs) == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see a process's memory")
def test_memory_stays_flat_over_a_file_of_five_gigabytes(bench: Bench, server: Server) -> None:
    size, block = 5 << 30, 1 << 20
    if shutil.disk_usage(bench.folder).free < size + (2 << 30):
        pytest.skip("there is no room for five gigabytes")
    line = b'{"resourceType": "Observation", "id": "o", "note": [{"text": "%s"}]}\n'
    body = line % (b"x" * (block - len(line) + 2))
    url = f"{server.origin}/big.ndjson"
    manifest: dict[str, Any] = {
        "transactionTime": "2026-01-05T08:00:00Z",
        "request": server.url,
        "requiresAccessToken": False,
        "output": [{"type": "Observation", "url": url, "count": size // block}],
        "error": [],
    }
    server.extra["/status/"] = lambda request: fhir(manifest)
    server.extra["/big.ndjson"] = lambda request: Response(200, body, repeat=size // block)
    bench.configure(site(server))
    done, most = bench.pull_watched()
    assert done.code == 0, done.text
    assert sum(path.stat().st_size for path in (bench.landing / NORTH).iterdir()) >= size
    assert 0 < most < 200_000  # kilobytes
    shutil.rmtree(bench.home)
