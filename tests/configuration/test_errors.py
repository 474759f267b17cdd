"""What is wrong with a configuration: a line each, that says where, what, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.config import read_config
from flows.errors import UserError
from tests.configuration.configured import BULK, FILES, REST, said

# text (a site's first line is the first), the whole line that is said
DRAWN = [
    (
        '[[site]]\nname = "snuh"\nsource = "bluk"\n',
        'cove.toml line 3: site "snuh" has source "bluk"; use "bulk", "rest" or "files"',
    ),
    (BULK + 'grup = "x"\n', 'cove.toml line 5: site "a" has an unknown key "grup"; did you mean "group"?'),
    (
        BULK + "timeout = { raed = 3 }\n",
        'cove.toml line 5: site "a" has an unknown key "timeout.raed"; did you mean "read"?',
    ),
    ("hoem = 1\n", 'cove.toml line 1: the configuration has an unknown key "hoem"; did you mean "home"?'),
    (
        "[publish]\nkep = 1\n",
        'cove.toml line 2: the configuration has an unknown key "publish.kep"; did you mean "keep"?',
    ),
    ("[site]\n", "cove.toml line 1: the configuration has site that is no list; write [[site]]"),
    ('[[site]]\nsource = "files"\npath = "x"\n', 'cove.toml line 1: site 1 has no name; add name = "…"'),
    (
        '[[site]]\nname = "a"\nsource = "rest"\n',
        'cove.toml line 1: site "a" has no url, which source "rest" needs; add url = "https://host/fhir"',
    ),
    (
        '[[site]]\nname = "a"\nsource = "files"\n',
        'cove.toml line 1: site "a" has no path, which source "files" needs; add path = "/srv/drop"',
    ),
    (
        REST + 'group = "x"\n',
        'cove.toml line 5: site "a" has group, which source "rest" doesn\'t use (only "bulk" does); take it out',
    ),
    (
        BULK + 'level = "group"\n',
        'cove.toml line 5: site "a" has level "group" but no group; add group = "…", the id of the Group',
    ),
    (
        BULK + 'group = "x"\nlevel = "system"\n',
        'cove.toml line 6: site "a" has level "system" and a group; take one of them out',
    ),
    (
        FILES + 'deletions = "snapshot"\n',
        'cove.toml line 5: site "a" has deletions "snapshot", which source "files" doesn\'t tell; take it out',
    ),
    (
        REST + 'deletions = "manifest"\n',
        'cove.toml line 5: site "a" has deletions "manifest", which source "rest" doesn\'t give; use another',
    ),
    (
        BULK + 'types = ["Pateint"]\n',
        'cove.toml line 5: site "a" has types "Pateint", which is no FHIR resource type; did you mean "Patient"?',
    ),
    (
        BULK + 'timezone = "Asia/Soul"\n',
        'cove.toml line 5: site "a" has timezone "Asia/Soul", which is no time zone; did you mean "Asia/Seoul"?',
    ),
    (
        BULK + "rate = { requests_per_second = 0 }\n",
        'cove.toml line 5: site "a" has rate.requests_per_second that is no number above 0; write one without '
        "quotes",
    ),
    (
        BULK + "rate.concurrent = true\n",
        'cove.toml line 5: site "a" has rate.concurrent that is no whole number from 1 up; write one without '
        "quotes",
    ),
    (
        BULK + "[site.timeout]\nread = nan\n",
        'cove.toml line 6: site "a" has timeout.read that is no number above 0; write one without quotes',
    ),
    (
        BULK + 'window = ["22:00"]\n',
        'cove.toml line 5: site "a" has window that is no pair of times; write ["22:00", "06:00"]',
    ),
    (
        BULK + 'window = ["22:00", "25:00"]\n',
        'cove.toml line 5: site "a" has window with what is no time of day; write ["22:00", "06:00"]',
    ),
    (
        BULK + 'auth = "smart"\nclient_id = "c"\n',
        'cove.toml line 1: site "a" has no private_key, which auth "smart" needs; add private_key = "file:PATH"',
    ),
    (
        BULK + 'token = "env:T"\n',
        'cove.toml line 5: site "a" has token, but auth "none"; write auth = "bearer", or take token out',
    ),
    (
        BULK.replace("https", "http") + 'auth = "bearer"\ntoken = "env:T"\n',
        'cove.toml line 4: site "a" has url with http, but auth "bearer"; credentials go over https only',
    ),
    (
        BULK.replace("https", "ftp"),
        'cove.toml line 4: site "a" has url that is no http or https address; write https://host/path',
    ),
    (
        BULK.replace('"a"', '"../a"'),
        "cove.toml line 2: site '../a': a site's name has letters, digits, '.', '-', '_' and spaces, and begins "
        "with a letter or digit; rename the site or its folder",
    ),
    (
        FILES.replace('"a"', '"é"') + FILES.replace('"a"', '"e\u0301"'),
        'cove.toml line 6: site "é" has the name of another (line 2); rename one',
    ),
    (BULK + "since = 1\n", 'cove.toml line 5: site "a" has since that is neither true nor false; write one of '
     "them without quotes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), DRAWN)
def test_an_error_says_where_what_and_what_to_do(tmp_path: Path, text: str, line: str) -> None:
    assert said(tmp_path, text) == [line]


SECRETS = [
    'auth = "bearer"\ntoken = "hunter2"\n',
    'auth = "bearer"\ntoken = "env:hunter2 "\n',
    'auth = "basic"\nuser = "u"\npassword = "hunter2"\n',
    'auth = "smart"\nclient_id = "c"\nprivate_key = """-----BEGIN hunter2\n"""\n',
    'auth = "mtls"\ncert = "file:c.pem"\nkey = ["hunter2"]\n',
    'pasword = "hunter2"\n',
    'url = "https://u:hunter2@host.example/"\n',
    'url = "https://host.example/?token=hunter2"\n',
    'auth = "bearer"\ntoken = "hunter2\n',
]


@pytest.mark.parametrize("lines", SECRETS)
def test_a_secret_is_never_shown(tmp_path: Path, lines: str) -> None:
    text = (REST.replace('url = "https://host.example/fhir"\n', "") if "url" in lines else REST) + lines
    path = tmp_path / "cove.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_config(path, {})
    assert "hunter2" not in str(caught.value)


def test_all_errors_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = '[[site]]\nname = "a"\nsource = "x"\n# nothing\n[[site]]\nname = "b"\ncount = 0\n[publsh]\n'
    lines = said(tmp_path, text)
    assert [line.split(":")[0] for line in lines] == [f"cove.toml line {n}" for n in (3, 5, 7, 8)]
    assert all("\n" not in line for line in lines)


def test_what_is_no_toml_has_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "cove.toml"
    for text, place in (
        ('home = "x"\nkeep = = 3\n', "line 2 column 8"),
        ('home = "x', "line 1 column 10"),
        ("a = 1\na = 2\n", "line 2 column 6"),
        ("[[site]\n", "line 1 column 7"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=f"cove.toml {place}: no TOML: ") as caught:
            read_config(path, {})
        assert "\n" not in str(caught.value)


def test_a_file_that_can_t_be_read_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "cove.toml"
    with pytest.raises(UserError, match="there is no such file"):
        read_config(path, {})
    path.write_bytes(b'home = "x"\n[[site]]\nname = "\xff"\n')
    with pytest.raises(UserError, match="line 3: not UTF-8"):
        read_config(path, {})
    with pytest.raises(UserError, match="can't be read"):
        read_config(tmp_path, {})
