"""`cove sql` as an analyst runs it: CSV off a terminal, a box on one, errors without a cell's value."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

COVE = Path(sys.executable).with_name("cove")
SECRET = "(values ('SECRET')) t(x)"


def sql(folder: Path, query: str) -> subprocess.CompletedProcess[str]:
    command = [COVE, "sql", "--home", "home", query]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def on_terminal(folder: Path, query: str) -> str:
    """What a terminal of the usual 80 columns gets."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80"}
    command = [COVE, "sql", "--home", "home", query]
    with subprocess.Popen(command, cwd=folder, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        got = b""
        try:
            while more := os.read(ours, 1 << 16):
                got += more
        except OSError:  # how Linux ends a terminal whose other side is closed
            pass
    os.close(ours)
    return got.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ran")
    (root / "files").mkdir()
    lines = [json.dumps({"resourceType": "Patient", "id": name}) for name in "ab"]
    (root / "files" / "persons.ndjson").write_text("\n".join(lines) + "\n")
    command = [COVE, "run", "clofarabine", "--files", "files", "--home", "home", "--out", "report"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root


def test_every_table_and_view_of_the_warehouse_is_csv_off_a_terminal(ran: Path) -> None:
    with duckdb.connect(str(ran / "home" / "warehouse.duckdb"), read_only=True) as connection:
        names = connection.execute(
            'select format(\'"{}"."{}"\', table_schema, table_name) from information_schema.tables order by 1'
        ).fetchall()
        rows = {name: len(connection.execute(f"from {name}").fetchall()) for (name,) in names}
    assert len(rows) > 60
    # One prompt answers all of them, so that the command starts once.
    asked = "".join(f"select '{name}' as of_table\nfrom {name}\n" for name in rows)
    done = subprocess.run(
        [COVE, "sql", "--home", "home"], cwd=ran, input=asked, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = [line for name, count in rows.items() for line in ("of_table", name, *["row"] * (count + 1))]
    got = list(csv.reader(io.StringIO(done.stdout)))
    assert len(got) == len(expected)
    starts = [number for number, line in enumerate(expected) if line == "of_table"]
    assert [got[number + 1] for number in starts] == [[name] for name in rows]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[1, 2]", '"[1,2]"'),
        ("[1, 2]::int[2]", '"[1,2]"'),
        ("{'a': 'x', 'b': [null]}", '"{""a"":""x"",""b"":[null]}"'),
        ("map {'k': 1}", '"{""k"":1}"'),
        ("[]::int[]", "[]"),
        ("null::int[]", ""),
        ("'101'::bit", "101"),
        ("union_value(a := 1)", "1"),
        ("'\\x00a'::blob", "\\x00a"),
        ("interval 3 days", "3 days"),
        ("date 'infinity'", "infinity"),
        ("timestamptz '-infinity'", "-infinity"),
        ("timestamp '294247-01-10 04:00:54'", "294247-01-10 04:00:54"),
        ("date '0044-03-15 (BC)'", "0044-03-15 (BC)"),
        ("1.10::decimal(5, 2)", "1.10"),
        ("''", '""'),
        ("null", ""),
        ("'a\"b,c'", '"a""b,c"'),
        ("'=1+1'", "=1+1"),
        ("'é'", "é"),
    ],
)
def test_a_value_of_any_type_is_its_text(ran: Path, value: str, expected: str) -> None:
    done = sql(ran, f'select {value} as "the value", 1 as "the value"; -- ends here;')
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"the value,the value_1\n{expected},1\n"


def test_an_empty_result_is_its_header_and_order_is_kept(ran: Path) -> None:
    assert sql(ran, "select 1 as a, [1] as b where false").stdout == "a,b\n"
    done = sql(ran, "select range as n, [range] as l from range(50000) order by n desc")
    expected = ["n,l", *(f"{n},[{n}]" for n in range(49999, -1, -1))]
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize(
    "query", ["describe clinical.person", "show tables", "explain select 1", "summarize select 1"]
)
def test_what_describes_is_csv_too(ran: Path, query: str) -> None:
    done = sql(ran, query)
    assert (done.returncode, done.stderr) == (0, "")
    assert "," in done.stdout.splitlines()[0] or query == "show tables"


def test_a_reader_that_closes_the_pipe_ends_the_command_quietly(ran: Path) -> None:
    command = [COVE, "sql", "--home", "home", "select range as n from range(100000000)"]
    with subprocess.Popen(command, cwd=ran, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None and running.stderr is not None
        assert running.stdout.readline() == b"n\n"
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 141


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("after", [0.2, 0.4, 1])
def test_a_signal_ends_a_long_query_with_its_code(
    ran: Path, sent: signal.Signals, code: int, after: float
) -> None:
    endless = "select sum(range) from range(1000000000000)"
    command = [COVE, "sql", "--home", "home", endless]
    with subprocess.Popen(command, cwd=ran, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while signal.SIGTERM not in caught(running.pid):
            time.sleep(0.05)
        time.sleep(after)  # so that it is within the query, or on the way to it
        running.send_signal(sent)
        try:
            _, errors = running.communicate(timeout=20)
        finally:
            running.kill()
    assert running.returncode == code
    assert b"Traceback" not in errors


def caught(pid: int) -> set[int]:
    """The signals that a process has a handler for."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(re.findall(r"SigCgt:\s+([0-9a-f]+)", status)[0], 16)
    return {number + 1 for number in range(64) if mask >> number & 1}


def test_rows_go_behind_what_a_file_holds_already(ran: Path) -> None:
    with (ran / "rows.csv").open("wb") as target:
        for n in (1, 2):
            subprocess.run(
                [COVE, "sql", "--home", "home", f"select {n} as n"], cwd=ran, stdout=target, check=True
            )
    assert (ran / "rows.csv").read_text() == "n\n1\nn\n2\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_full_disk_is_exit_code_3(ran: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [COVE, "sql", "--home", "home", "select 1"],
            cwd=ran,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert b"No space left" in done.stderr


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (f"select 1,\n x::int from {SECRET}",
         "Conversion Error: a value of column x can't be converted to INT32 (line 2, column 3)"),
        (f"select x::date from {SECRET}",
         "Conversion Error: a value of column x can't be converted (line 1, column 9)"),
        (f"select x::int[] from {SECRET}",
         "Conversion Error: a value of column x can't be converted to INTEGER (line 1, column 9)"),
        (f"select error(x) from {SECRET}",
         "Invalid Input Error (its text isn't shown, for it can cite the data)"),
        ("select 9223372036854775807 + x from (values (9223372036854775807)) t(x)",
         "Out Of Range Error: Overflow in addition"),
        ("select (select unnest([1, 2]))", "Invalid Input Error: More than one row returned by a subquery"),
        ("select\nnope from clinical.person",
         'Binder Error: Referenced column "nope" not found in FROM clause! (line 2, column 1)'),
        ("selec", 'Parser Error: syntax error at or near "selec" (line 1, column 1)'),
    ],
)  # fmt: skip
def test_an_error_tells_kind_and_place_and_no_value(ran: Path, query: str, said: str) -> None:
    done = sql(ran, query)
    assert done.returncode == 2
    assert "SECRET" not in done.stderr
    assert done.stderr.lower() == f"the query can't be run: {said}\n".lower()
    shown = on_terminal(ran, query)
    assert shown.lower() == done.stderr.lower()


def test_a_terminal_gets_no_control_character_of_the_data(ran: Path) -> None:
    codes = [0, 7, 8, 10, 13, 27, 127, 0x85, 0x9B, 0x61C, 0x200E, 0x200F, 0x2028, 0x202E, 0x2066, 0xFEFF]
    text = " || ".join(f"chr({code})" for code in codes)
    for value in (text, f"[{text}]", f"{{'a': {text}}}"):
        shown = on_terminal(ran, f"select {value} as a")
        assert not {chr(code) for code in codes if code != 10} & set(shown)
        assert "\\u009b" in shown and "\\u202e" in shown
        assert len(shown.splitlines()) == 6


def test_a_terminal_gets_a_table_as_wide_as_it_is_and_dates_beyond_all_years(ran: Path) -> None:
    wide = on_terminal(ran, f"select {', '.join(f'{n} as a_long_name_{n}' for n in range(60))}")
    assert max(map(len, wide.splitlines())) <= 80
    assert "60 columns" in wide and "…" in wide
    assert "infinity" in on_terminal(ran, "select date 'infinity' as a")
    assert "0 rows" in on_terminal(ran, "select 1 as a where false")
    assert "DUMMY_SCAN" in on_terminal(ran, "explain select 1")
