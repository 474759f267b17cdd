"""The line of every key, however TOML lets it be written."""

from __future__ import annotations

from pathlib import Path

from flows.config_toml import KeyPath, read_marked_toml

WRITTEN = '''\
# [comment]
"home" = "x # no comment"   # one
[[site]]
name = """
two
lines"""
types = [ "a", # first
  [ "b" ],
]
rate = { per."second" = 5, list = [1, 2] } # } ]
timeout.read = 3
[site.retry]
attempts = 2
[[site]]
name = 'C:\\[x]'
[[site.inner]]
deep = 1
[[site.inner]]
deep = 07:00:00
[publish]
keep = 10'''

LINES: dict[KeyPath, int] = {
    ("home",): 2,
    ("site",): 3,
    ("site", 0): 3,
    ("site", 0, "name"): 4,
    ("site", 0, "types"): 7,
    ("site", 0, "types", 0): 7,
    ("site", 0, "types", 1): 8,
    ("site", 0, "types", 1, 0): 8,
    ("site", 0, "rate"): 10,
    ("site", 0, "rate", "per"): 10,
    ("site", 0, "rate", "per", "second"): 10,
    ("site", 0, "rate", "list"): 10,
    ("site", 0, "timeout"): 11,
    ("site", 0, "timeout", "read"): 11,
    ("site", 0, "retry"): 12,
    ("site", 0, "retry", "attempts"): 13,
    ("site", 1): 14,
    ("site", 1, "name"): 15,
    ("site", 1, "inner"): 16,
    ("site", 1, "inner", 0): 16,
    ("site", 1, "inner", 0, "deep"): 17,
    ("site", 1, "inner", 1): 18,
    ("site", 1, "inner", 1, "deep"): 19,
    ("publish",): 20,
    ("publish", "keep"): 21,
}


def test_every_key_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cove.toml"
    path.write_text(WRITTEN)
    lines = dict(read_marked_toml(path, "cove.toml").lines)
    for key, line in LINES.items():
        assert lines.get(key) == line, key


def test_line_breaks_of_windows_count_once(tmp_path: Path) -> None:
    path = tmp_path / "cove.toml"
    path.write_bytes(WRITTEN.replace("\n", "\r\n").encode("utf-8-sig"))
    assert read_marked_toml(path, "cove.toml").line(("publish", "keep")) == 21


def test_a_key_that_is_missing_has_its_table_s_line(tmp_path: Path) -> None:
    path = tmp_path / "cove.toml"
    path.write_text(WRITTEN)
    assert read_marked_toml(path, "cove.toml").where(("site", 1, "url")) == "cove.toml line 14"
