"""`cove codes` as it is typed: CSV, a terminal, wrong input; nothing of what a source wrote is obeyed."""

from __future__ import annotations

import csv
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

import duckdb
import pytest

from flows.code_rows import CodeRow
from flows.home import Home, writing
from tests.hospitals.builder import LOINC, anc, concept, leukaemia, observed, person, run, treated
from tests.hospitals.test_codes import count, mapping

# Its runs take half a minute together.
pytestmark = pytest.mark.slow

COVE = Path(sys.executable).with_name("cove")
# An escape sequence that clears the screen, a mark that turns the line round, a formula, a newline.
HOSTILE = '=HYPERLINK("http://x")\x1b[2J\u202e Platelets\r\n' + "x" * 500
HEADER = [
    "study", "site", "codelist", "concept", "kind", "resource_type", "system", "code", "display", "mapped_by",
    "reason", "resources", "persons", "treated_persons", "first_on", "last_on",
]  # fmt: skip


@dataclass(frozen=True)
class Answer:
    code: int
    output: str
    errors: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hostile = observed(5, "urn:own", "@A", **count(1, "K/uL")) | {
        "code": concept("urn:own", "@A", display=HOSTILE)
    }
    many = [
        observed(5, "urn:own", f"P{n}", **count(1, "K/uL"))
        | {"code": concept("urn:own", f"P{n}", display=f"Platelets {n}")}
        for n in range(7)
    ]
    outcome = run(
        tmp_path_factory.mktemp("codes"),
        a=[mapping(LOINC, {"NEVER": "751-8"}), *treated("p", anc(5, 1.0), hostile)],
        서울=[*treated("p", *many), *person("q", leukaemia())],
    )
    return outcome.home


def cove(home: Path, *words: str) -> Answer:
    done = subprocess.run(
        [COVE, "codes", *words, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def table(home: Path, *words: str, width: int) -> str:
    """What stands on a terminal of that width, without its colours."""
    controller, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | {"TERM": "xterm"}
    with subprocess.Popen(
        [COVE, "codes", *words, "--home", str(home)], stdout=terminal, env=environment
    ) as process:
        os.close(terminal)
        written = b""
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            written += part
    os.close(controller)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", written.decode())


def test_elsewhere_than_on_a_terminal_it_is_csv_with_a_fixed_header(home: Path) -> None:
    answer = cove(home)
    lines = list(csv.reader(io.StringIO(answer.output)))
    assert (answer.code, answer.errors) == (0, "")
    assert lines[0] == HEADER == list(CodeRow._fields)
    assert {line[4] for line in lines[1:]} == {"fed", "unused", "none", "orphan"}
    assert [line for line in lines if line[2] == "anc"] == [
        ["clofarabine", "a", "anc", "anc", "fed", "Observation", LOINC, "751-8", "", "codelist", "", "1", "1", "1",
         "2020-03-06", "2020-03-06"],
        ["clofarabine", "a", "anc", "anc", "unused", "", "urn:own", "NEVER", "", "concept map", "",
         "0", "0", "0", "", ""],
        ["clofarabine", "서울", "anc", "anc", "none", *[""] * 6, "0", "0", "0", "", ""],
        *(["clofarabine", "서울", "anc", "anc", "orphan", "Observation", "urn:own", f"P{n}", f"Platelets {n}", "",
           "same dimension of unit", "1", "1", "1", "2020-03-06", "2020-03-06"] for n in range(7)),
    ]  # fmt: skip


def test_a_study_and_a_site_may_be_asked_for(home: Path) -> None:
    lines = list(csv.reader(io.StringIO(cove(home, "clofarabine", "--site", "서울").output)))
    assert {(line[0], line[1]) for line in lines[1:]} == {("clofarabine", "서울")}


def test_no_text_of_a_source_is_a_formula_or_reaches_the_terminal_as_an_order(home: Path) -> None:
    lines = list(csv.reader(io.StringIO(cove(home).output)))
    hostile = [line for line in lines if "HYPERLINK" in line[8]]
    assert {(line[7], line[8][:22]) for line in hostile} == {("'@A", '\'=HYPERLINK("http://x"')}
    shown = table(home, "--site", "a", width=200)
    assert "HYPERLINK" in shown
    assert not set(shown) & {"\x1b", "\u202e"}
    assert "xxxxxxxxxx" not in shown.split("HYPERLINK")[1].split("Observation")[0][40:]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_code_is_one_line_on_a_terminal_and_its_counts_are_whole(home: Path, width: int) -> None:
    lines = table(home, "--site", "서울", width=width).splitlines()
    platelets = next(n for n, line in enumerate(lines) if line.startswith("platelets"))
    assert all(f"? P{n} " in lines[platelets + n] and "1" in lines[platelets + n][-30:] for n in range(5))
    assert "? 2 more" in lines[platelets + 5]
    assert {
        word in lines[platelets - 1] or any(word in line for line in lines)
        for word in ("resources", "treated")
    } == {True}


def test_what_nothing_feeds_is_said_first(home: Path) -> None:
    lines = table(home, "--site", "a", width=200).splitlines()
    assert lines[0].strip() == "clofarabine: a"
    # The diagnosis, the index drug, the neutrophils.
    assert lines[1].startswith("3 of 42 concepts are fed; 1 code near them (marked ?) fed none")
    assert lines[2].startswith("nothing feeds alt; antileukaemic: asparaginase, blinatumomab, ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["clofarabin"], 'study "clofarabin" isn\'t in the warehouse; did you mean "clofarabine"?'),
        (["mimic_vancomycin"], "isn't in the warehouse (it has: clofarabine)"),
        (["--site", "b"], '--site "b": no such site in the warehouse'),
        (["--site", "a'; drop table x"], "no such site"),
        (["clofarabine", "more"], "See `cove --help`"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(home: Path, words: list[str], told: str) -> None:
    answer = cove(home, *words)
    assert (answer.code, answer.output) == (2, "")
    assert told in answer.errors
    assert len(answer.errors.splitlines()) == 1


def test_a_home_without_a_warehouse_is_exit_code_2(tmp_path: Path) -> None:
    assert cove(tmp_path / "none").code == 2


@pytest.mark.parametrize("command", ["codes", "check"])
def test_a_warehouse_of_another_release_is_exit_code_2(tmp_path: Path, command: str) -> None:
    duckdb.connect(str(tmp_path / "warehouse.duckdb")).close()
    done = subprocess.run(
        [COVE, command, "--home", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "build it anew" in done.stderr


def test_it_answers_while_a_build_holds_the_home(home: Path) -> None:
    with writing(Home(home)):
        assert cove(home).code == 0


def test_check_lists_the_units_that_are_not_used(tmp_path: Path) -> None:
    home = run(
        tmp_path, a=treated("p", anc(1, 1.0, "zz\x1b[2Jz"), anc(2, 1.0, "103/uL"), anc(3, 1.0, "103/uL"))
    ).home
    shown = subprocess.run(
        [COVE, "check", "--home", str(home)], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split() for line in shown.splitlines() if " anc " in line]
    assert lines == [
        ["a", "clofarabine", "anc", "103/uL", "103/uL", "10*9/L", "2", "1"],
        ["a", "clofarabine", "anc", "zz[2Jz", "zz[2Jz", "10*9/L", "1", "1"],
    ]
