"""From a landed file to its texts: gzip and zip are opened by their content, never by their name, within
limits.
"""

import errno
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
UTF8_MARK = b"\xef\xbb\xbf"
BLOCK = 1 << 20
HEAD = 1 << 20

# FHIR as NDJSON packs 10 to 50 times; a bomb packs a thousand times, and is small.
MAX_RATIO = 300
RATIO_COUNTS_FROM = 256 << 20
MAX_EXPANDED = 64 << 30
MAX_MEMBERS = 100_000
MAX_DEPTH = 3  # a zip of gzips of … : each opening is one


class ArchiveError(Exception):
    """An archive can't be opened, or read to its end. `rule` says why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Readable(Protocol):
    """What gives bytes: a file, or a stream out of an archive."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Text:
    """One text of a landed file: its first bytes, and the stream that goes on from there.

    `path` is the file that holds just this text, where there is one. The stream raises ArchiveError where the
    archive breaks off.
    """

    head: bytes
    rest: Readable
    path: Path | None = None


def looks_like_fhir(head: bytes) -> bool:
    """Whether the first bytes are an archive's, or those of a resource, a list of them, or lines of them."""
    if head.startswith((GZIP, *ZIP)):
        return True
    text = head.removeprefix(UTF8_MARK).lstrip()
    inner = text[1:].lstrip()
    return (text[:1] == b"{" and inner[:1] == b'"') or (text[:1] == b"[" and inner[:1] == b"{")


def texts_of(path: Path, work: Path) -> Iterator[Text]:
    """The texts of a landed file: itself, unpacked, or each member of a zip in turn. `work` is for large
    pieces.
    """
    budget = Budget(path.stat().st_size)
    with path.open("rb") as source:
        yield from _texts(source, budget, work, depth=0, path=path)


class Budget:
    """How many bytes may come out of one landed file."""

    def __init__(self, packed: int) -> None:
        self.packed = max(packed, 1)
        self.expanded = 0

    @property
    def is_spent(self) -> bool:
        is_dense = self.expanded > RATIO_COUNTS_FROM and self.expanded > MAX_RATIO * self.packed
        return is_dense or self.expanded > MAX_EXPANDED

    def spend(self, size: int) -> None:
        self.expanded += size
        if self.is_spent:
            raise ArchiveError("archive-limit")


def _texts(source: Readable, budget: Budget, work: Path, depth: int, path: Path | None) -> Iterator[Text]:
    head, source = _head(source)
    if depth > MAX_DEPTH:
        yield Text(b"", _Broken("archive-depth"))
    elif head.startswith(GZIP):
        yield from _texts(_Gunzipped(_Chained(head, source), budget), budget, work, depth + 1, None)
    elif head.startswith(ZIP):
        yield from _zipped(_Chained(head, source), budget, work, depth, path)
    else:
        yield Text(head, source, path)


def _head(source: Readable) -> tuple[bytes, Readable]:
    """The first bytes, and what follows them; a stream that breaks within them breaks after them."""
    head = bytearray()
    try:
        while len(head) < HEAD and (block := source.read(min(BLOCK, HEAD - len(head)))):
            head += block
    except ArchiveError as error:
        return bytes(head), _Broken(error.rule)
    return bytes(head), source


def _zipped(source: Readable, budget: Budget, work: Path, depth: int, path: Path | None) -> Iterator[Text]:
    """The members of a zip, which is read from its end: one within another archive is written out first."""
    if path is not None:
        with path.open("rb") as archive:
            yield from _members(archive, budget, work, depth)
        return
    with tempfile.TemporaryFile(dir=work) as spooled:
        try:
            while block := source.read(BLOCK):
                spooled.write(block)
        except ArchiveError as error:
            yield Text(b"", _Broken(error.rule))
            return
        yield from _members(spooled, budget, work, depth)


def _members(archive: IO[bytes], budget: Budget, work: Path, depth: int) -> Iterator[Text]:
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        _raise_if_disk_failed(error)
        yield Text(b"", _Broken("zip"))
        return
    with opened:
        members = [member for member in opened.infolist() if not member.is_dir()]
        if len(members) > MAX_MEMBERS:
            yield Text(b"", _Broken("archive-limit"))
            return
        for member in members:
            if budget.is_spent:
                return
            content: Readable = _Member(opened, member, budget)
            if _is_hidden(member.filename):
                head, content = _head(content)
                # The content decides: only what is none is passed over.
                if not looks_like_fhir(head):
                    continue
                content = _Chained(head, content)
            yield from _texts(content, budget, work, depth + 1, None)


def _is_hidden(name: str) -> bool:
    """Whether it is what an operating system put beside the files."""
    return any(part.startswith((".", "__MACOSX")) and part.strip(".") for part in name.split("/"))


class _Chained:
    """Bytes that were read already, then the stream that they came from."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head: bytes = head
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        if self._head:
            taken, self._head = self._head[:size], self._head[size:]
            return taken
        return self._rest.read(size)


class _Broken:
    """A stream that ends in an error."""

    def __init__(self, rule: str) -> None:
        self._rule = rule

    def read(self, _size: int, /) -> bytes:
        raise ArchiveError(self._rule)


class _Member:
    """A member of a zip, whose faults show when it is read."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget) -> None:
        self._archive, self._member, self._budget = archive, member, budget
        self._stream: IO[bytes] | None = None

    def read(self, size: int, /) -> bytes:
        try:
            if self._stream is None:
                self._stream = self._archive.open(self._member)
            block = self._stream.read(size)
        # RuntimeError is how zipfile asks for a password.
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
            lzma.LZMAError,
            OSError,
        ) as error:
            _raise_if_disk_failed(error)
            raise ArchiveError("zip") from error
        self._budget.spend(len(block))
        return block


def _raise_if_disk_failed(error: Exception) -> None:
    """Raises the error again unless the archive is at fault: bz2 raises an OSError without a number for broken
    content, and a place before the file's beginning is an invalid argument.
    """
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        raise error


class _Gunzipped:
    """The content of a gzip stream, of one member or several; it ends in ArchiveError where it is cut or
    broken.
    """

    def __init__(self, source: Readable, budget: Budget) -> None:
        self._source, self._budget = source, budget
        self._packed = b""
        self._member = zlib.decompressobj(wbits=31)
        self._is_between = False

    def read(self, size: int, /) -> bytes:
        while True:
            if self._member.eof:
                self._packed = self._member.unused_data
                self._member = zlib.decompressobj(wbits=31)
                self._is_between = True
            if self._is_between:
                # Padding of zeros between members, or at the end, is usual on tapes.
                self._packed = self._packed.lstrip(b"\0")
            packed = self._packed or self._source.read(BLOCK)
            if not packed and self._is_between:
                return b""
            if self._is_between and not (packed := packed.lstrip(b"\0")):
                self._packed = b""
                continue
            if not packed:
                raise ArchiveError("gzip-truncated")
            block = self._expand(packed, size)
            if block:
                return block

    def _expand(self, packed: bytes, size: int) -> bytes:
        try:
            block = self._member.decompress(packed, size)
        except zlib.error as error:
            raise ArchiveError("gzip") from error
        self._is_between = False
        self._packed = self._member.unconsumed_tail
        self._budget.spend(len(block))
        return block
