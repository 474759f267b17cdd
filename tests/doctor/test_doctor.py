"""`cove doctor` as a command: sites in order, exit codes, a home left alone, a clean end."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.doctor.examined import LINE, examined
from tests.doctor.table_of_troubles import Fault
from tests.pulling import deeds as does
from tests.pulling import wire
from tests.pulling.pulls import NORTH, Bench, served, site
from tests.pulling.server import FOREVER, Server

DEAD: dict[str, Any] = {"name": "dead", "source": "rest", "url": "http://127.0.0.1:9/fhir"}


def content_of(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Every file with its time of change and content, every folder with its time."""
    paths = [folder, *sorted(folder.rglob("*"))]
    return {p: (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in paths}


def test_sites_are_told_in_order_and_one_that_fails_stops_no_other(bench: Bench, server: Server) -> None:
    bench.configure(DEAD, site(server, "rest"), {**DEAD, "name": "last"})
    done = bench.cove("doctor")
    assert done.code == 3, done.text
    assert done.err == ""
    *lines, summary = done.out.splitlines()
    owners = list(dict.fromkeys(match[2] for line in lines if (match := LINE.fullmatch(line))))
    assert [owner for owner in owners if owner != "(home)"] == ["dead", NORTH, "last"]
    assert summary == "3 sites: 1 ready; warnings for north; not ready: dead, last"
    assert not bench.home.exists()


def test_a_site_that_is_ready_ends_with_zero(bench: Bench, server: Server) -> None:
    bench.configure(site(server, "rest", deletions="history"))
    done = bench.cove("doctor")
    assert done.code == 0, done.text
    assert all(line.startswith("ok") and LINE.fullmatch(line) for line in done.out.splitlines()[:-1])
    assert done.out.splitlines()[-1] == "1 site: 1 ready"


def test_one_site_may_be_named(bench: Bench, server: Server) -> None:
    bench.configure(DEAD, site(server, "rest"))
    done = bench.cove("doctor", "--config", "cove.toml", "--site", NORTH)
    assert done.code == 0, done.text
    assert "dead" not in done.out
    assert bench.cove("doctor", COVE_SITE=NORTH).code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--site", "nort"], '--site nort: no such site in cove.toml; did you mean "north"?'),
        (["--config", "other.toml"], "other.toml"),
    ],
)
def test_wrong_input_ends_with_two(bench: Bench, server: Server, arguments: list[str], says: str) -> None:
    bench.configure(site(server, "rest"))
    done = bench.cove("doctor", *arguments)
    assert done.code == 2
    assert says in done.err and done.out == ""
    assert server.requests == []


def test_a_configuration_that_does_not_fit_ends_with_two(bench: Bench, server: Server) -> None:
    bench.configure(site(server, "rest", group="g1"))
    done = bench.cove("doctor")
    assert done.code == 2
    assert "group" in done.err
    bench.configure(site(server, "rest", maps="not-there"))
    assert bench.cove("doctor").code == 2
    assert server.requests == []


def test_a_home_is_left_as_it_is_also_while_a_pull_works(bench: Bench, server: Server) -> None:
    bench.configure(site(server, "rest"))
    assert bench.pull().code == 0
    before = content_of(bench.home)
    assert bench.cove("doctor").code == 0
    assert content_of(bench.home) == before
    server.faults.append(Fault("next", does.sends(wire.stalled), times=1))
    with bench.popen("pull", "--full") as pull:
        while not server.struck:
            time.sleep(0.05)
        assert bench.cove("doctor").code == 0
        pull.communicate(timeout=60)
    assert pull.returncode == 0


def test_a_server_that_asks_for_the_password_is_not_tried_with_it_again_and_again(
    bench: Bench, server: Server
) -> None:
    server.authorization.kind = "bearer"
    said = examined(bench, site(server, "rest", auth="basic", user="nobody", password="env:NIGHT_PASSWORD"))
    assert said.code == 3
    assert sum(request.has_credentials for request in server.requests) == 1


def test_a_dead_server_is_asked_twice_and_no_more(bench: Bench, server: Server) -> None:
    server.faults.append(Fault("metadata", does.sends(wire.silent)))
    bounds = {"timeout": {"connect": 1, "read": 0.3}, "retry": {"attempts": 50, "wait": 0.05, "longest": 500}}
    said = examined(bench, {**site(server, "rest"), **bounds})
    assert said.code == 3
    assert len(server.requests) == 2


def test_searches_that_fail_end_the_asking(bench: Bench, server: Server) -> None:
    server.faults.append(Fault("search", does.says(500)))
    said = examined(bench, {**site(server, "rest"), "types": ["Patient", "Observation", "Condition"]})
    assert said.code == 3
    assert said.line("samples").startswith("warn: not asked for, after what failed: Condition; ")
    assert len(server.asked("search")) == 4


def test_it_may_be_asked_outside_of_the_window(bench: Bench, server: Server) -> None:
    hour = time.gmtime().tm_hour
    window = [f"{(hour + 3) % 24:02}:00", f"{(hour + 4) % 24:02}:00"]
    said = examined(bench, site(server, "rest", window=window))
    assert said.code == 0
    assert "now is outside of it" in said.line("window")
    assert said.line("Patient") == "ok: mapped"


def test_nothing_a_server_writes_steers_the_terminal(bench: Bench, server: Server) -> None:
    server.faults.append(
        Fault("metadata", does.changed(lambda _, content: {**content, "fhirVersion": "\x1b[2J4.0.1\n"}))
    )
    said = examined(bench, site(server, "rest"))
    assert all(line.isprintable() for line in said.lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_it_at_once_and_leaves_nothing(bench: Bench, number: int) -> None:
    hospital = Server(faults=[Fault("search", does.sends(wire.silent), FOREVER)])
    bench.servers.append(hospital)
    temporary = bench.folder / "tmp"
    temporary.mkdir()
    with served(hospital):
        bench.configure(site(hospital, "rest", timeout={"connect": 3, "read": 20}))
        with bench.popen("doctor", TMPDIR=str(temporary)) as process:
            while not hospital.asked("search"):
                time.sleep(0.05)
            process.send_signal(number)
            out, err = process.communicate(timeout=15)
    assert process.returncode == (130 if number == signal.SIGINT else 128 + number)
    assert "Traceback" not in out + err
    assert number != signal.SIGINT or err == "stopped; run the same command again to go on\n"
    assert not bench.home.exists()
    assert list(temporary.iterdir()) == []
