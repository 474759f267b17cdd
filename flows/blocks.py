"""The blocks of a file: parts that give pieces, a resource each.

A block is cut from a file without a look into its lines or entries, so that blocks can be taken apart in
several processes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import structs

from flows.bundles import entry_piece
from flows.pieces import Piece, is_object, is_utf8, item_piece
from flows.unpacking import UTF8_MARK

MAX_LINE = 128 << 20  # bytes


class Block(Protocol):
    """A part of a file: how many bytes, and the pieces in it, in order."""

    @property
    def size(self) -> int: ...

    def pieces(self) -> list[Piece]: ...


@dataclass(frozen=True)
class LineBlock:
    """Whole lines, the first of which is number `before + 1`. The last block of a text has its last line,
    which may have no end; `rule` is why an archive broke off there.
    """

    data: bytes
    before: int
    is_last: bool = False
    rule: str | None = None
    place: tuple[Path, int] | None = None  # the file that has just these bytes, and where they begin

    @property
    def size(self) -> int:
        return len(self.data)

    def __reduce__(self) -> tuple[Any, ...]:
        # Landed files never change: to read one again costs less than to send it to another process.
        data = self.data if self.place is None else len(self.data)
        return _line_block, (data, self.before, self.is_last, self.rule, self.place)

    def last_line(self) -> int:
        """The number of its last line."""
        number = self.before + self.data.count(b"\n")
        has_rest = self.is_last and (self.rule or self.data[self.data.rfind(b"\n") + 1 :].strip())
        return number + 1 if has_rest else number

    def pieces(self) -> list[Piece]:
        """A blank line is none; its number counts."""
        lines = self.data.split(b"\n")
        rest = lines.pop()
        numbered = enumerate(lines, self.before + 1)
        is_ascii = self.data.isascii()
        is_text = is_ascii or is_utf8(self.data)
        if is_ascii or (is_text and UTF8_MARK not in self.data):
            found = [Piece(number, stripped) for number, line in numbered if (stripped := line.strip())]
        else:
            found = [_line_piece(number, line, is_text) for number, line in numbered if line.strip()]
        number = self.before + len(lines) + 1
        if self.rule:
            # The archive broke within this line, or before it: one piece for what is missing.
            found.append(Piece(number, rule=self.rule))
        elif rest and not rest.isspace():
            is_cut = not is_object(rest.removeprefix(UTF8_MARK)) and is_utf8(rest)
            found.append(Piece(number, rule="truncated") if is_cut else _line_piece(number, rest, is_text))
        if len(self.data) > MAX_LINE:
            return [Piece(p.line, rule="too-large") if len(p.data) > MAX_LINE else p for p in found]
        return found


def _line_block(
    data: bytes | int, before: int, is_last: bool, rule: str | None, place: tuple[Path, int] | None
) -> LineBlock:
    """The block again, in another process: its bytes, or how many there are at its place."""
    if isinstance(data, int):
        assert place is not None
        path, begin = place
        with path.open("rb") as source:
            source.seek(begin)
            data = source.read(data)
    return LineBlock(data, before, is_last, rule, place)


@dataclass(frozen=True)
class ElementBlock:
    """Elements of an array, or entries of the Bundle `scope`, from number `before + 1` on."""

    elements: list[bytes]
    before: int
    scope: str | None = None

    @property
    def size(self) -> int:
        return sum(map(len, self.elements))

    def pieces(self) -> list[Piece]:
        numbered = enumerate(self.elements, self.before + 1)
        if self.scope is None:
            return [item_piece(data, number) for number, data in numbered]
        return [entry_piece(data, number, self.scope) for number, data in numbered]


@dataclass(frozen=True)
class PiecesBlock:
    """Pieces that were taken out of a file already, and how many bytes they are."""

    found: list[Piece]
    size: int

    def __reduce__(self) -> tuple[Any, ...]:
        return _pieces_block, (msgspec.msgpack.encode(self.found), self.size)

    def pieces(self) -> list[Piece]:
        return self.found


_pieces = msgspec.msgpack.Decoder(list[Piece])


def _pieces_block(found: bytes, size: int) -> PiecesBlock:
    return PiecesBlock(_pieces.decode(found), size)


@dataclass(frozen=True)
class DeletionsBlock:
    """A block of which only the deletions are wanted: its resources are counted."""

    block: Block

    @property
    def size(self) -> int:
        return self.block.size

    def pieces(self) -> list[Piece]:
        return [structs.replace(piece, is_only_counted=True) for piece in self.block.pieces()]


@dataclass(frozen=True)
class RefusedBlock:
    """What can't be taken apart: one piece with its rule."""

    line: int
    rule: str
    size: int = 0

    def pieces(self) -> list[Piece]:
        return [Piece(self.line, rule=self.rule)]


def _line_piece(number: int, line: bytes, is_text: bool) -> Piece:
    if not is_text and not is_utf8(line):
        return Piece(number, rule="encoding")
    if line.startswith(UTF8_MARK):
        # Files put together by `cat` have a mark at the beginning of each.
        line = line[3:]
    return Piece(number, line.strip())
