"""A file that is one JSON value: a Bundle, an array, a resource; whole or broken."""

import mmap
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from flows.blocks import ElementBlock, PiecesBlock, RefusedBlock
from flows.bundles import ENTRY, Entry, bundle_decoder, entries_at_once, piece_of
from flows.line_splitting import CHUNK, Blocks, line_blocks
from flows.pieces import is_object
from flows.unpacking import BLOCK, HEAD, UTF8_MARK, ArchiveError, Text
from mappers.json_keys import TOKEN, Buffer, has_key_twice

Item = TypeVar("Item")

_items = msgspec.json.Decoder(list[msgspec.Raw])


def document_blocks(text: Text, before: int, work: Path) -> Blocks:
    """The elements of the one value; or the lines, where this is NDJSON whose first line is broken.

    `work` takes a text that is in no file of its own and too large for memory.
    """
    try:
        content = _content(text, work)
    except ArchiveError as error:
        yield RefusedBlock(before + 1, error.rule), before + 1
        return
    with memoryview(content) as whole:
        start = 3 if whole[:3] == UTF8_MARK else 0
        yield from _blocks(whole[start:], before)


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


def _blocks(whole: memoryview, before: int) -> Blocks:
    entries = entries_at_once(whole)
    if entries is not None:
        yield from _entry_blocks(entries, before)
    elif _first_byte(whole) == b"[":
        items = _decoded(_items, whole)
        if items is None:
            yield from _salvaged(whole, before)
        else:
            yield from _element_blocks(items, before, None)
    else:
        yield from _object_blocks(whole, before)


def _object_blocks(whole: memoryview, before: int) -> Blocks:
    """Of one object that is no Bundle, or of which not every entry is as it should be."""
    bundle = _decoded(bundle_decoder, whole)
    if bundle is None:
        yield from _broken(whole, before)
    elif bundle.resourceType == "Bundle" and has_key_twice(whole, ENTRY):
        yield RefusedBlock(before + 1, "unreadable"), before + 1
    elif bundle.resourceType == "Bundle":
        yield from _element_blocks(bundle.entry or [], before, _scope(before))
    else:
        data = bytes(whole)
        resource = data.strip()
        # A lone line of NDJSON keeps its number; a resource over several lines is one, wherever it begins.
        blank = 0 if b"\n" in resource else data[: data.index(resource[:1])].count(b"\n")
        yield ElementBlock([resource], before + blank), before + blank + 1


def _first_byte(whole: memoryview) -> bytes:
    found = re.search(rb"\S", whole)
    return found[0] if found else b""


def _decoded(decoder: Any, data: Buffer) -> Any:
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError):
        return None


def _scope(before: int) -> str:
    """A name for the Bundle that a text is: texts of one file begin after different lines."""
    return f"after {before}"


def _element_blocks(elements: list[msgspec.Raw], before: int, scope: str | None) -> Blocks:
    for held, _, number in _chunks(map(bytes, elements), len, before):
        yield ElementBlock(held, number - len(held), scope), number


def _entry_blocks(entries: list[Entry], before: int) -> Blocks:
    scope = _scope(before)
    pieces = (piece_of(entry, number, scope) for number, entry in enumerate(entries, before + 1))
    for held, size, number in _chunks(pieces, lambda piece: len(piece.data), before):
        yield PiecesBlock(held, size), number


def _chunks(
    items: Iterable[Item], size_of: Callable[[Item], int], before: int
) -> Iterator[tuple[list[Item], int, int]]:
    """Items that are together as large as a block, their bytes, and the number of the last; the first of all is
    number `before + 1`."""
    held: list[Item] = []
    size, number = 0, before
    for number, item in enumerate(items, before + 1):
        held.append(item)
        size += size_of(item)
        if size >= CHUNK:
            yield held, size, number
            held, size = [], 0
    if held:
        yield held, size, number


def _broken(whole: memoryview, before: int) -> Blocks:
    if _has_lines(whole):
        yield from line_blocks(b"", _Buffered(whole), before)
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
        elif is_object(line):
            return True
        else:
            begun += 1
    return begun > 1 and not others


def _salvaged(whole: memoryview, before: int) -> Blocks:
    """The complete elements of a broken Bundle or array, and one refused piece when its end is missing."""
    is_array = _first_byte(whole) == b"["
    scope = None if is_array else _scope(before)
    number = before
    for start, end in _spans(whole, list_depth=1 if is_array else 2):
        number += 1
        if end is None:
            yield RefusedBlock(number, "truncated"), number
        else:
            yield ElementBlock([bytes(whole[start:end])], number - 1, scope), number
    if number == before:
        yield RefusedBlock(before + 1, "not-json"), before + 1


def _spans(whole: memoryview, list_depth: int) -> Iterator[tuple[int, int | None]]:
    """Where each object of the list begins and ends; a last one without an end where the text is cut.

    The list is the array itself (depth 1), or the Bundle's `entry` (depth 2).
    """
    depth, name, start, is_inside = 0, b"", 0, False
    for token in TOKEN.finditer(whole):
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
