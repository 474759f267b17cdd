"""One resource as received, and the blocks of a file that give such pieces.

A block is cut from a file without a look into its lines or entries, so that blocks can be taken apart in
several processes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import structs

from flows.unpacking import UTF8_MARK
from mappers.json_keys import Buffer, has_key_twice

MAX_LINE = 128 << 20  # bytes


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One resource as received; or, with a `rule`, what was there and can't be one; or a deletion.

    `line` is the line or the entry. `scope` names the Bundle within which a `urn:` is meant, and is the same in
    no other Bundle of the file. `deleted` is the URL of a deletion's request, `deleted_at` its time as text.
    `is_only_counted` where nobody asked for the resource, whatever its type.
    """

    line: int
    data: bytes = b""
    full_url: str | None = None
    rule: str | None = None
    deleted: str | None = None
    deleted_at: str | None = None
    scope: str | None = None
    is_only_counted: bool = False


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
        is_utf8 = is_ascii or _is_utf8(self.data)
        if is_ascii or (is_utf8 and UTF8_MARK not in self.data):
            found = [Piece(number, stripped) for number, line in numbered if (stripped := line.strip())]
        else:
            found = [_line_piece(number, line, is_utf8) for number, line in numbered if line.strip()]
        number = self.before + len(lines) + 1
        if self.rule:
            # The archive broke within this line, or before it: one piece for what is missing.
            found.append(Piece(number, rule=self.rule))
        elif rest and not rest.isspace():
            is_cut = not is_object(rest.removeprefix(UTF8_MARK)) and _is_utf8(rest)
            found.append(Piece(number, rule="truncated") if is_cut else _line_piece(number, rest, is_utf8))
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


class Bundle(msgspec.Struct):
    """What says that an object is a Bundle, and its entries as they stand."""

    resourceType: Any = None  # noqa: N815
    entry: list[msgspec.Raw] | None = None


class _Entry(msgspec.Struct):
    fullUrl: Any = None  # noqa: N815
    resource: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    request: Any = None
    response: Any = None


class _Outcome(msgspec.Struct):
    outcome: msgspec.Raw


class _Response(msgspec.Struct):
    response: _Outcome


bundle_decoder = msgspec.json.Decoder(Bundle)
_entry = msgspec.json.Decoder(_Entry)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def bundle_pieces(data: bytes, line: int, scope: str) -> list[Piece]:
    """The entries of a Bundle that is itself a line or an entry: all have its place, and a scope of their own."""
    if has_key_twice(data, b"entry"):
        return [Piece(line, rule="unreadable")]
    try:
        bundle = bundle_decoder.decode(data)
    except ValueError:
        return [Piece(line, rule="bundle")]
    return [entry_piece(bytes(raw), line, scope) for raw in bundle.entry or ()]


def is_bundle(data: bytes) -> bool:
    """Whether the text is a Bundle, however its type's name is spelt."""
    try:
        return bool(bundle_decoder.decode(data).resourceType == "Bundle")
    except (ValueError, RecursionError):
        return False


def is_object(text: Buffer) -> bool:
    """Whether the text is a JSON object."""
    try:
        _object.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def item_piece(data: bytes, line: int) -> Piece:
    """An element of an array, or a resource that is a file of its own."""
    return Piece(line, data) if _is_utf8(data) else Piece(line, rule="encoding")


def entry_piece(data: bytes, line: int, scope: str) -> Piece:
    """The resource of a Bundle's entry, or its outcome, or the deletion that it tells of."""
    if not _is_utf8(data):
        return Piece(line, rule="encoding")
    if has_key_twice(data, b"fullUrl", b"resource"):
        return Piece(line, rule="unreadable")
    try:
        entry = _entry.decode(data)
    except msgspec.ValidationError:
        return Piece(line, rule="not-an-entry")
    except (ValueError, RecursionError):
        return Piece(line, rule="not-json")
    url = entry.fullUrl if isinstance(entry.fullUrl, str) else None
    request = entry.request if isinstance(entry.request, dict) else {}
    response = entry.response if isinstance(entry.response, dict) else {}
    if request.get("method") == "DELETE":
        # Some servers repeat in a history what was deleted: it is no resource that they send.
        return Piece(
            line,
            full_url=url,
            deleted=_text(request, "url") or "",
            deleted_at=_text(response, "lastModified"),
        )
    if isinstance(entry.resource, msgspec.Raw) and bytes(entry.resource) != b"null":
        return Piece(line, bytes(entry.resource), url, scope=scope)
    if isinstance(response.get("outcome"), dict):
        return Piece(line, bytes(msgspec.json.decode(data, type=_Response).response.outcome), url)
    return Piece(line, rule="no-resource")


def _text(value: dict[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


def _line_piece(number: int, line: bytes, is_utf8: bool) -> Piece:
    if not is_utf8 and not _is_utf8(line):
        return Piece(number, rule="encoding")
    if line.startswith(UTF8_MARK):
        # Files put together by `cat` have a mark at the beginning of each.
        line = line[3:]
    return Piece(number, line.strip())


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
