"""From a landed file to its resources, each with its place: lines of NDJSON, entries of bundles, items of
arrays.

The content decides what a file is, never its name. What can't be taken apart is one refused piece with a
rule, so that every resource received is counted once. Lines are split at LF only and counted from 1, blank
ones too.
"""

import mmap
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from flows.unpacking import BLOCK, HEAD, UTF8_MARK, ArchiveError, Readable, Text, texts_of

MAX_LINE = 128 << 20
DOUBLE_MARKS = (b"\xff\xfe", b"\xfe\xff")  # UTF-16 and, by the same first bytes, UTF-32
CHUNK = 4 << 20

Buffer = bytes | memoryview | mmap.mmap


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One resource as received; or, with a `rule`, what was there and can't be one; or a deletion.

    `line` is the line or the entry. `deleted` is the URL of a deletion's request, `deleted_at` its time as
    text.
    """

    line: int
    data: bytes = b""
    full_url: str | None = None
    rule: str | None = None
    deleted: str | None = None
    deleted_at: str | None = None


class _Bundle(msgspec.Struct):
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


_bundle = msgspec.json.Decoder(_Bundle)
_entry = msgspec.json.Decoder(_Entry)
_items = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def split(path: Path, work: Path) -> Iterator[list[Piece]]:
    """The pieces of a landed file, in batches and in order. `work` takes what is too large for memory.

    Lines of a zip count on through its members.
    """
    for batches in split_texts(path, work):
        yield from batches


def split_texts(path: Path, work: Path) -> Iterator[Iterator[list[Piece]]]:
    """The same, for each text of the file on its own: to be taken in their order, each to its end."""
    last = 0

    def batches(text: Text) -> Iterator[list[Piece]]:
        nonlocal last
        for batch, number in _pieces(text, last, work):
            last = number
            yield batch

    for text in texts_of(path, work):
        yield batches(text)


def bundle_pieces(data: bytes, line: int) -> list[Piece]:
    """The entries of a Bundle that is itself a line or an entry: all have its place."""
    try:
        bundle = _bundle.decode(data)
    except ValueError:
        return [Piece(line, rule="bundle")]
    return [_entry_piece(bytes(raw), line) for raw in bundle.entry or ()]


# Each of the functions below yields batches, with the number of the last line that was used.
Batches = Iterator[tuple[list[Piece], int]]


def _pieces(text: Text, before: int, work: Path) -> Batches:
    head = text.head.removeprefix(UTF8_MARK)
    first = head.lstrip()[:1]
    if head.startswith(DOUBLE_MARKS) or b"\0" in head[:64].lstrip(b" ")[:4]:
        yield from _refused(before, "encoding" if _is_double(head) else "not-json")
    elif first == b"<":
        yield from _refused(before, "html")
    elif first and first not in b"{[" and b"\n{" not in head:
        yield from _refused(before, "not-json")
    elif _begins_lines(head, first):
        yield from _lines(text.head, text.rest, before)
    elif first or len(text.head) == HEAD:
        yield from _document(text, before, work)
    else:
        yield from _blank(text, before)


def _is_double(head: bytes) -> bool:
    return head.startswith(DOUBLE_MARKS) or (b"{" in head[:8] or b"[" in head[:8])


def _refused(before: int, rule: str) -> Batches:
    yield [Piece(before + 1, rule=rule)], before + 1


def _blank(text: Text, before: int) -> Batches:
    """Nothing received; unless the archive broke before its first byte came out."""
    try:
        text.rest.read(1)
    except ArchiveError as error:
        yield from _refused(before, error.rule)


def _begins_lines(head: bytes, first: bytes) -> bool:
    """Whether this is NDJSON for sure: its first line is a whole object, and something follows it."""
    if first != b"{":
        return bool(first) and first != b"["
    line, _, after = head.lstrip().partition(b"\n")
    return bool(after.strip()) and _is_object(line)


def _is_object(line: Buffer) -> bool:
    try:
        _object.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(head: bytes, rest: Readable, before: int) -> Batches:
    """The lines of a stream, as they come. A last line without its end is a line like any other."""
    number, carry, is_skipping = before, [head], False
    held = len(head)
    rule = None
    while True:
        try:
            block = rest.read(BLOCK)
        except ArchiveError as error:
            block, rule = b"", error.rule
        if block:
            carry.append(block)
            held += len(block)
            # Small blocks are gathered: a batch costs the same however small it is.
            if held < CHUNK:
                continue
        chunk = b"".join(carry)
        cut = chunk.rfind(b"\n") + 1 if block else len(chunk)
        if is_skipping and b"\n" in chunk[:cut]:
            number, is_skipping = number + 1, False
            at = chunk.find(b"\n") + 1
            yield [Piece(number, rule="too-large")], number
            chunk, cut = chunk[at:], cut - at
        if is_skipping:
            chunk = b""
        elif cut or not block:
            batch, number = _batch(chunk[:cut], number, is_last=not block, rule=rule)
            yield batch, number
            chunk = chunk[cut:]
        elif len(chunk) > MAX_LINE:
            chunk, is_skipping = b"", True
        carry, held = [chunk], len(chunk)
        if block and len(chunk) >= CHUNK:
            # A long line: gather as much again before looking for its end, so that time stays linear.
            held = CHUNK - len(chunk)
        if not block:
            if is_skipping:
                yield [Piece(number + 1, rule="too-large")], number + 1
            return


def _batch(chunk: bytes, before: int, *, is_last: bool, rule: str | None) -> tuple[list[Piece], int]:
    lines = chunk.split(b"\n")
    remainder = lines.pop()
    is_utf8 = _is_utf8(chunk)
    pieces = [
        _line_piece(number, line, is_utf8)
        for number, line in enumerate(lines, before + 1)
        if line and not line.isspace()
    ]
    number = before + len(lines)
    if not is_last:
        return pieces, number
    if rule:
        # The archive broke within this line, or before it: one piece for what is missing.
        return [*pieces, Piece(number + 1, rule=rule)], number + 1
    if remainder and not remainder.isspace():
        is_cut = not _is_object(remainder.removeprefix(UTF8_MARK)) and _is_utf8(remainder)
        cut = Piece(number + 1, rule="truncated")
        pieces.append(cut if is_cut else _line_piece(number + 1, remainder, is_utf8))
        number += 1
    return pieces, number


def _line_piece(number: int, line: bytes, is_utf8: bool) -> Piece:
    if not is_utf8 and not _is_utf8(line):
        return Piece(number, rule="encoding")
    if line.startswith(UTF8_MARK):
        # Files put together by `cat` have a mark at the beginning of each.
        line = line[3:]
    return Piece(number, line.strip())


def _is_utf8(data: Buffer) -> bool:
    if isinstance(data, bytes) and data.isascii():
        return True
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _document(text: Text, before: int, work: Path) -> Batches:
    """A file that is one JSON value: a Bundle, an array, a resource; or NDJSON whose first line is broken."""
    try:
        content = _content(text, work)
    except ArchiveError as error:
        yield from _refused(before, error.rule)
        return
    with memoryview(content) as whole:
        start = 3 if whole[:3] == UTF8_MARK else 0
        yield from _read_document(whole[start:], before)


def _content(text: Text, work: Path) -> Buffer:
    """The whole text: mapped from its file, or from one made for it, or in memory when it is short."""
    if len(text.head) < HEAD:
        rest = text.rest.read(1)
        if not rest:
            return text.head
        text = Text(text.head + rest, text.rest)
    if text.path is not None:
        with text.path.open("rb") as source:
            return mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    with tempfile.TemporaryFile(dir=work) as spooled:
        spooled.write(text.head)
        while block := text.rest.read(BLOCK):
            spooled.write(block)
        spooled.flush()
        return mmap.mmap(spooled.fileno(), 0, access=mmap.ACCESS_READ)


def _read_document(whole: memoryview, before: int) -> Batches:
    if _first_byte(whole) == b"[":
        items = _decoded(_items, whole)
        yield from _elements(items, before, _item_piece) if items is not None else _salvaged(whole, before)
        return
    bundle = _decoded(_bundle, whole)
    if bundle is None:
        yield from _broken_document(whole, before)
    elif bundle.resourceType == "Bundle":
        yield from _elements(bundle.entry or [], before, _entry_piece)
    else:
        data = bytes(whole)
        resource = data.strip()
        # A lone line of NDJSON keeps its number; a resource over several lines is one, wherever it begins.
        blank = 0 if b"\n" in resource else data[: data.index(resource[:1])].count(b"\n")
        yield [_item_piece(resource, before + blank + 1)], before + blank + 1


def _first_byte(whole: memoryview) -> bytes:
    found = re.search(rb"\S", whole)
    return found[0] if found else b""


def _decoded(decoder: Any, data: Buffer) -> Any:
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError):
        return None


def _elements(elements: list[msgspec.Raw], before: int, piece: Any) -> Batches:
    for start in range(0, len(elements), 4096):
        part = elements[start : start + 4096]
        yield (
            [piece(bytes(raw), before + start + n) for n, raw in enumerate(part, 1)],
            before + start + len(part),
        )


def _item_piece(data: bytes, line: int) -> Piece:
    return Piece(line, data) if _is_utf8(data) else Piece(line, rule="encoding")


def _entry_piece(data: bytes, line: int) -> Piece:
    """The resource of a Bundle's entry, or its outcome, or the deletion that it tells of."""
    if not _is_utf8(data):
        return Piece(line, rule="encoding")
    try:
        entry = _entry.decode(data)
    except msgspec.ValidationError:
        return Piece(line, rule="not-an-entry")
    except (ValueError, RecursionError):
        return Piece(line, rule="not-json")
    url = entry.fullUrl if isinstance(entry.fullUrl, str) else None
    if isinstance(entry.resource, msgspec.Raw) and bytes(entry.resource) != b"null":
        return Piece(line, bytes(entry.resource), url)
    return _empty_entry_piece(entry, data, line, url)


def _empty_entry_piece(entry: _Entry, data: bytes, line: int, url: str | None) -> Piece:
    request = entry.request if isinstance(entry.request, dict) else {}
    response = entry.response if isinstance(entry.response, dict) else {}
    if request.get("method") == "DELETE":
        return Piece(
            line,
            full_url=url,
            deleted=str(request.get("url", "")),
            deleted_at=_text(response, "lastModified"),
        )
    if isinstance(response.get("outcome"), dict):
        return Piece(line, bytes(msgspec.json.decode(data, type=_Response).response.outcome), url)
    return Piece(line, rule="no-resource")


def _text(value: dict[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


def _broken_document(whole: memoryview, before: int) -> Batches:
    if _has_lines(whole):
        yield from _lines(b"", _Buffered(whole), before)
    else:
        yield from _salvaged(whole, before)


class _Buffered:
    """A buffer, read as a stream."""

    def __init__(self, whole: memoryview) -> None:
        self._whole, self._at = whole, 0

    def read(self, size: int, /) -> bytes:
        block = bytes(self._whole[self._at : self._at + size])
        self._at += len(block)
        return block


def _has_lines(whole: memoryview) -> bool:
    """Whether some line is an object of its own, or each begins as one: then it is NDJSON with broken
    lines.
    """
    begun, others = 0, 0
    for found in re.finditer(rb"(?m)^[^\n]+", whole):
        line = whole[found.start() : found.end()]
        if line[:1] != b"{":
            others += bool(found[0].strip()) if len(line) < HEAD else 1
        elif _is_object(line):
            return True
        else:
            begun += 1
    return begun > 1 and not others


# A string ends with its line at the latest: a missing quote costs one entry of a pretty-printed bundle.
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*+"|[{}\[\]]')


def _salvaged(whole: memoryview, before: int) -> Batches:
    """The complete elements of a broken Bundle or array, and one refused piece when its end is missing."""
    pieces: list[Piece] = []
    is_array = _first_byte(whole) == b"["
    make = _item_piece if is_array else _entry_piece
    number = before
    for start, end in _spans(whole, list_depth=1 if is_array else 2):
        number += 1
        if end is None:
            pieces.append(Piece(number, rule="truncated"))
        else:
            pieces.append(make(bytes(whole[start:end]), number))
    yield pieces or [Piece(before + 1, rule="not-json")], max(number, before + 1)


def _spans(whole: memoryview, list_depth: int) -> Iterator[tuple[int, int | None]]:
    """Where each object of the list begins and ends; a last one without an end where the text is cut.

    The list is the array itself (depth 1), or the Bundle's `entry` (depth 2).
    """
    depth, name, start, is_inside = 0, b"", 0, False
    for token in _TOKEN.finditer(whole):
        kind = token[0][:1]
        if kind == b'"':
            name = token[0] if depth == 1 else name
        elif kind in b"{[":
            depth += 1
            if kind == b"[" and depth == list_depth and (depth == 1 or name == b'"entry"'):
                is_inside = True
            elif kind == b"{" and is_inside and depth == list_depth + 1:
                start = token.start()
        else:
            if is_inside and kind == b"}" and depth == list_depth + 1:
                yield start, token.end()
            depth -= 1
            if is_inside and depth < list_depth:
                is_inside = False
    if depth > 0:
        yield start, None
