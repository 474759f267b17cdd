"""Names, ids and free text that sources write to harm who reads them: a terminal, a browser, another order of text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hospitals.builder import (
    MEDDRA,
    Outcome,
    Resource,
    given,
    leukaemia,
    patient,
    reaction,
    run,
    treated,
)

COVE = Path(sys.executable).with_name("cove")
SCRIPT = "<script>alert(1)</script>"
# A title for the terminal, a colour, an 8-bit escape, an override of direction, NUL, three kinds of line ends.
HOSTILE = "\x1b]0;owned\x07\x1b[31m\x9b31m\u202eRTL\u2066\x00\r\n\u2028"
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
SITE = "서울 병원"


def named(term: str) -> Resource:
    coding = {"system": MEDDRA, "code": "10016288", "display": term}
    return {**reaction(2), "event": {"coding": [coding], "text": term}}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    key = {"reference": f"Patient/x{HOSTILE}"}
    other = [
        patient(f"x{HOSTILE}"),
        *({**one, "id": f"{HOSTILE}1", "subject": key} for one in (leukaemia(), given())),
    ]
    people = [*treated("p1", named(f"{SCRIPT}{HOSTILE}fever")), *other]
    return run(tmp_path_factory.mktemp("hostile"), **{SITE: people})


def cove(*words: str | Path, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COVE, *words],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )


def test_a_report_shows_a_term_in_one_line_and_runs_nothing_of_it(hostile: Outcome) -> None:
    assert hostile.code == 0
    html, csv = ((hostile.out / name).read_bytes().decode() for name in ("report.html", "results.csv"))
    assert SCRIPT not in html and "&lt;script&gt;alert(1)" in html
    assert not FORBIDDEN.search(html)
    assert not FORBIDDEN.search(csv)
    assert hostile.counts("teae.pt") == {f"{SCRIPT} ]0;owned [31m 31mRTL fever": 1}


def test_a_trace_moves_no_cursor_and_finds_the_term(hostile: Outcome) -> None:
    for words in (
        ("attrition", "--level", "treated", "--show"),
        ("teae.pt", "--level", f"{SCRIPT} ]0;owned [31m 31mRTL fever", "--show"),
        ("teae.pt", "--level", HOSTILE.replace("\0", "")),
    ):
        done = cove("trace", hostile.out, "--statistic", "n", "--analysis", *words)
        assert not FORBIDDEN.search(done.stdout + done.stderr)
        assert done.returncode == (0 if "--show" in words else 2)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_is_told_of_a_site_of_any_script_is_told_in_every_locale(
    hostile: Outcome, encoding: str
) -> None:
    home = ("--home", hostile.home)
    for words in (
        ("check", *home),
        ("codes", *home),
        ("trace", hostile.out, "--analysis", "attrition", "--level", "treated", "--statistic", "n"),
    ):
        done = cove(*words, encoding=encoding)
        assert (done.returncode, done.stderr) == (0, "")
        assert SITE in done.stdout


@pytest.mark.parametrize("command", ["check", "codes"])
def test_a_reader_that_closes_the_pipe_is_no_failed_check(hostile: Outcome, command: str) -> None:
    told = subprocess.run(
        ["bash", "-c", '"$0" "$@" | true; echo "${PIPESTATUS[0]}"', COVE, command, "--home", hostile.home],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (told.stdout, told.stderr) == ("141\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_output_to_a_full_disk_ends_with_three(hostile: Outcome) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [COVE, "check", "--home", hostile.home], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 3
    assert (
        done.stderr.decode()
        == "the output can't be written (No space left on device); free space, and run again\n"
    )
