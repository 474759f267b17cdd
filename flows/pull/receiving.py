"""A body on its way to disk: hashed, counted and looked at while it is written, in a thread beside the network's."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from flows.pull.failures import FailedTry, WrongContent
from flows.unpacking import MAX_DEPTH, ArchiveError, Budget

BLOCK = 1 << 20
HEAD = 8  # bytes after blanks and marks; the first of them says what it is
GZIP = b"\x1f\x8b"
MARK = b"\xef\xbb\xbf"
BLANK = re.compile(rb"\n\s")  # three times as fast as a search for each of the ways to be blank


@dataclass(frozen=True)
class Received:
    """A whole body: the hash and size of its bytes as received, and the lines of its text that aren't blank."""

    sha256: str
    size: int
    lines: int


class LineCount:
    """Counts lines that aren't blank, without holding one."""

    def __init__(self) -> None:
        self._lines, self._is_begun = 0, False

    def add(self, block: bytes) -> None:
        first, last = block.find(b"\n"), block.rfind(b"\n")
        if first < 0:
            self._is_begun = self._is_begun or (bool(block) and not block.isspace())
            return
        self._lines += self._is_begun or bool(block[:first].strip())
        between = block[first + 1 : last + 1]
        self._lines += _lines_in(between)
        self._is_begun = bool(block[last + 1 :].strip())

    def total(self) -> int:
        return self._lines + self._is_begun


def _lines_in(text: bytes) -> int:
    """Lines of whole lines. One of spaces is rare, so it is looked for before lines are looked at."""
    if text[:1].isspace() or BLANK.search(text):
        return sum(not line.isspace() for line in text.split(b"\n") if line)
    return text.count(b"\n")


class _Text:
    """The text of a body, unzipped as often as its first bytes say so, a block at a time."""

    def __init__(self, place: str, budget: Budget | None = None, depth: int = 0) -> None:
        self._place, self._budget, self._depth = place, budget or Budget(0), depth
        self._lines = LineCount()
        self._unzip: zlib._Decompress | None = None
        self._inner: _Text | None = None  # what came out of it
        self._first = b""
        self._is_known = False
        self._head = b""
        self._is_read = False

    @property
    def lines(self) -> int:
        return self._lines.total() if self._inner is None else self._inner.lines

    def add(self, block: bytes) -> None:
        if self._depth == 0:
            self._budget.packed += len(block)
        if not self._is_known:
            block = self._first = self._first + block
            if len(block) < len(GZIP):
                return
            self._begin()
        self._unpack(block)

    def end(self) -> None:
        if not self._is_known:
            self._begin()
            self._take(self._first)
        if self._unzip is not None and not self._unzip.eof:
            raise WrongContent(f"{self._place} sent gzip that is cut short")
        if self._inner is not None:
            self._inner.end()
        else:
            self._look()

    def _begin(self) -> None:
        self._is_known = True
        if self._first.startswith(GZIP) and self._depth <= MAX_DEPTH:
            self._unzip = zlib.decompressobj(wbits=31)
            self._inner = _Text(self._place, self._budget, self._depth + 1)

    def _unpack(self, block: bytes) -> None:
        if self._unzip is None or self._inner is None:
            self._take(block)
            return
        try:
            while block:
                if self._unzip.eof:
                    # Another member, or the zeros that pad the last one.
                    if not (block := block.lstrip(b"\0")):
                        return
                    self._unzip = zlib.decompressobj(wbits=31)
                text = self._unzip.decompress(block, BLOCK)
                self._budget.spend(len(text))
                self._inner.add(text)
                block = self._unzip.unused_data if self._unzip.eof else self._unzip.unconsumed_tail
        except zlib.error:
            raise WrongContent(f"{self._place} sent broken gzip") from None
        except ArchiveError:
            raise WrongContent(f"{self._place} sent gzip that unpacks to more than data does") from None

    def _take(self, text: bytes) -> None:
        self._lines.add(text)
        if not self._is_read:
            # Pages made from templates often begin with many blank lines.
            self._head = (self._head + text).lstrip().removeprefix(MARK).lstrip()[:HEAD]
            if len(self._head) >= HEAD:
                self._look()

    def _look(self) -> None:
        self._is_read = True
        if self._head.startswith(b"<"):
            raise WrongContent(f"{self._place} answered with a web page, not with data")


class Receiving:
    """Writes a body to a file. Used with `with`; `received` is called within, after the last block.

    With `goes_on` the file's present bytes are the body's beginning. `place` names the sender in failures.
    Raises FailedTry where the content can't be data, OSError where the disk fails.
    """

    def __init__(self, part: Path, place: str, *, goes_on: bool = False) -> None:
        self._digest, self._size, self._text = hashlib.sha256(), 0, _Text(place)
        self._held = bytearray()
        if goes_on:
            self._read_again(part)
        mode = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if goes_on else os.O_TRUNC)
        self._target = os.fdopen(os.open(part, mode, 0o600), "wb", buffering=0)
        self._writer = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None

    def __enter__(self) -> Receiving:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.ExitStack() as ending:
            ending.callback(self._target.close)
            ending.callback(self._writer.shutdown)
            if error is not None and not isinstance(error, OSError):
                # What came before the failure is kept: a later try may go on from it.
                with contextlib.suppress(FailedTry, OSError):
                    self._flush()

    def put(self, block: bytes) -> None:
        self._held += block
        if len(self._held) >= BLOCK:
            self._hand_over()

    def received(self) -> Received:
        """Everything written to disk, and what it is."""
        self._flush()
        self._text.end()
        os.fsync(self._target.fileno())
        return Received(self._digest.hexdigest(), self._size, self._text.lines)

    def _flush(self) -> None:
        self._hand_over()
        if self._written is not None:
            written, self._written = self._written, None
            written.result()

    def _hand_over(self) -> None:
        block, self._held = self._held, bytearray()
        if self._written is not None:
            written, self._written = self._written, None
            written.result()
        if block:
            self._written = self._writer.submit(self._take, bytes(block))

    def _take(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            rest = rest[self._target.write(rest) :]
        self._note(block)

    def _read_again(self, part: Path) -> None:
        with part.open("rb") as source:
            while block := source.read(BLOCK):
                self._note(block)

    def _note(self, block: bytes) -> None:
        self._digest.update(block)
        self._size += len(block)
        self._text.add(block)
