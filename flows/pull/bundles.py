"""A Bundle read from its file a piece at a time: a page may be larger than memory, its entries never are.

The JSON scanner of the standard library says where a value ends, at C speed; nothing that it makes is kept.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows.pull.failures import FailedTry
from flows.unpacking import ArchiveError, Readable, Text, texts_of

BLOCK = 1 << 20
MOST_OF_A_VALUE = 64 << 20  # characters of an entry, or of another member
BLANK = " \t\r\n"
MARK = "\ufeff"

# Numbers stay text: of an entry only its end is wanted.
_scan = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode


class NoBundleError(Exception):
    """The text is no whole JSON object, or holds a value that is too large to be looked at."""


@dataclass
class BundleReader:
    """The members of a Bundle but its entries, known when all `entries` were taken."""

    path: Path
    members: dict[str, Any] = field(default_factory=dict)

    def entries(self) -> Iterator[bytes]:
        """Each entry's JSON as it stands. Raises NoBundleError, as soon as it is seen, where the text is none."""
        with TemporaryDirectory(prefix="cove-") as work:
            try:
                texts = texts_of(self.path, Path(work))
                text = next(texts, None)
                if text is None:
                    raise NoBundleError
                yield from self._members_of(_Window(text))
            except ArchiveError as error:
                raise NoBundleError from error

    def _members_of(self, window: _Window) -> Iterator[bytes]:
        window.take("{")
        while not window.takes("}"):
            name, _ = window.value()
            window.take(":")
            if name == "entry" and window.takes("["):
                yield from _items(window)
            elif isinstance(name, str):
                self.members[name], _ = window.value()
            else:
                raise NoBundleError
            if not window.takes(","):
                window.take("}")
                break
        if window.next():
            raise NoBundleError


def _items(window: _Window) -> Iterator[bytes]:
    if window.takes("]"):
        return
    while True:
        _, text = window.value()
        yield text.encode()
        if not window.takes(","):
            window.take("]")
            return


class _Window:
    """The part of a text that is being read; what was read is dropped."""

    def __init__(self, text: Text) -> None:
        self._rest: Readable = text.rest
        # What isn't UTF-8 is quarantined by the load; here it stands for itself.
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._text, self._at, self._is_whole = self._decode(text.head).removeprefix(MARK), 0, False

    def next(self) -> str:
        """The next character that isn't blank, which stays; nothing at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def takes(self, mark: str) -> bool:
        """Whether the mark is next, which is then taken."""
        found = self.next() == mark
        self._at += found
        return found

    def take(self, mark: str) -> None:
        if not self.takes(mark):
            raise NoBundleError

    def value(self) -> tuple[Any, str]:
        """The next value, and how it is written."""
        if not self.next():
            raise NoBundleError
        while True:
            try:
                value, end = _scan(self._text, self._at)
                # A number may go on in what wasn't read yet.
                if end < len(self._text) or self._is_whole:
                    break
            except RecursionError:
                raise NoBundleError from None
            except ValueError:
                if self._is_whole:
                    raise NoBundleError from None
            self._more()
        written, self._at = self._text[self._at : end], end
        return value, written

    def _more(self) -> bool:
        """Reads on: as much again as is held, so that a long value takes time in line with its length."""
        held = self._text[self._at :]
        if len(held) > MOST_OF_A_VALUE:
            raise NoBundleError
        parts, wanted = [held], max(BLOCK, len(held))
        while wanted > 0 and not self._is_whole:
            block = self._rest.read(BLOCK)
            self._is_whole = not block
            parts.append(self._decode(block, self._is_whole))
            wanted -= len(block)
        self._text, self._at = "".join(parts), 0
        return len(self._text) > len(held)


def read_bundle(path: Path, place: str, look: Callable[[bytes], None]) -> dict[str, Any]:
    """The members of the Bundle in a file, its entries left out; `look` is called with each entry.

    Raises FailedTry where it is something else; `place` is what that is told by.
    """
    reader = BundleReader(path)
    try:
        for entry in reader.entries():
            look(entry)
    except NoBundleError:
        raise FailedTry(f"{place} answered with something else than a Bundle") from None
    if reader.members.get("resourceType") != "Bundle":
        raise FailedTry(f"{place} answered with something else than a Bundle")
    return reader.members
