"""TOML with the line of every key, which `tomllib` doesn't tell: its text is read once more for that."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import UserError

KeyPath = tuple[str | int, ...]

BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
BARE = re.compile(r"[A-Za-z0-9_-]+")
# The longer delimiters first; a literal string has no escapes.
STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' + r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
SCALAR = re.compile(r"[^,\]}#\n]+")
POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True)
class MarkedToml:
    """`data` as `tomllib` gives it; `lines` has the line (from 1) of each key, item and table's head.

    `name` is the file as messages name it.
    """

    name: str
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]

    def where(self, path: KeyPath) -> str:
        """`cove.toml line 12`: the line of a key; of one that isn't there, that of its table."""
        return f"{self.name} line {self.line(path)}"

    def line(self, path: KeyPath) -> int:
        return next(self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines)


def read_marked_toml(file: Path, name: str) -> MarkedToml:
    """The file's content with lines. Raises UserError in one line: not there, unreadable, not UTF-8, no TOML."""
    text = _read_text(file, name)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(_syntax_error(error, text, name)) from error
    return MarkedToml(name, data, _Lines(text.replace("\r\n", "\n")).found)


def _read_text(file: Path, name: str) -> str:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise UserError(
            f"{name}: there is no such file; write one with `cove init`, or name another"
        ) from error
    except OSError as error:
        raise UserError(
            f"{name}: can't be read ({error.strerror}); give the user that runs cove access"
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{name} line {line}: not UTF-8; save the file as UTF-8") from error


def _syntax_error(error: Exception, text: str, name: str) -> str:
    if isinstance(error, RecursionError):
        return f"{name}: nested too deeply; a configuration has three levels at most"
    said = str(error)
    found = POSITION.search(said)
    if found is None:
        return f"{name}: no TOML; check quotes, brackets and numbers"
    # What is said names characters and keys of the syntax only, never a value.
    problem = said[: found.start()].splitlines()[0]
    if found[1] is None:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    else:
        line, column = int(found[1]), int(found[2])
    what = f"{problem[0].lower()}{problem[1:]}"
    return f"{name} line {line} column {column}: no TOML: {what}; check quotes and brackets there"


class _Lines:
    """Walks through a text that is known to be TOML, and notes where each key begins."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._line, self._counted = 1, 0
        self.found: dict[KeyPath, int] = {(): 1}
        self._counts: dict[KeyPath, int] = {}
        self._document()

    def _document(self) -> None:
        table: KeyPath = ()
        while self._skip():
            line = self._line_here()
            if self._next("[["):
                table = self._resolved(self._key())
                number = self._counts.get(table, 0)
                self._counts[table] = number + 1
                self.found.setdefault(table, line)
                table = (*table, number)
                self._note(table, line)
                self._expect("]]")
            elif self._next("["):
                table = self._resolved(self._key())
                self._note(table, line)
                self._expect("]")
            else:
                self._pair(table)

    def _resolved(self, key: list[str]) -> KeyPath:
        """A head's key as a path: under a list of tables, the last of them is meant."""
        path: KeyPath = ()
        for place, part in enumerate(key):
            path = (*path, part)
            if path in self._counts and place < len(key) - 1:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line_here()
        path = (*table, *self._key())
        for length in range(len(table) + 1, len(path) + 1):
            self._note(path[:length], line)
        self._expect("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip()
        if self._next("["):
            self._items(path)
        elif self._next("{"):
            while self._skip() and not self._next("}"):
                self._pair(path)
                self._skip()
                self._next(",")
        elif not self._take(STRING):
            self._take(SCALAR)

    def _items(self, path: KeyPath) -> None:
        number = 0
        while self._skip() and not self._next("]"):
            self._note((*path, number), self._line_here())
            self._value((*path, number))
            self._skip()
            self._next(",")
            number += 1

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip()
            quoted = self._take(STRING)
            # A quoted key may have escapes: TOML's own reader knows them.
            parts.append(tomllib.loads(f"k = {quoted}")["k"] if quoted else self._take(BARE))
            self._skip()
            if not self._next("."):
                return parts

    def _note(self, path: KeyPath, line: int) -> None:
        self.found.setdefault(path, line)

    def _skip(self) -> bool:
        """Goes past white space and comments; whether something follows."""
        self._take(BLANK)
        return self._at < len(self._text)

    def _expect(self, mark: str) -> None:
        self._skip()
        if not self._next(mark):
            raise ValueError(f"{mark} is missing in a text that is TOML")

    def _next(self, mark: str) -> bool:
        is_there = self._text.startswith(mark, self._at)
        self._at += len(mark) * is_there
        return is_there

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._at += len(found[0]) if found else 0
        return found[0] if found else ""

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
