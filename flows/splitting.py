"""From a landed file to its resources, each with its place: lines of NDJSON, entries of bundles, items of
arrays.

The content decides what a file is, never its name. What can't be taken apart is one refused piece with a
rule, so that every resource received is counted once.
"""

from collections.abc import Iterator
from pathlib import Path

from flows.blocks import Block, RefusedBlock
from flows.documents import document_blocks
from flows.line_splitting import Blocks, line_blocks
from flows.pieces import Piece, is_object
from flows.unpacking import HEAD, UTF8_MARK, ArchiveError, Text, texts_of

DOUBLE_MARKS = (b"\xff\xfe", b"\xfe\xff")  # UTF-16 and, by the same first bytes, UTF-32


def split(path: Path, work: Path) -> Iterator[list[Piece]]:
    """The pieces of a landed file, in batches and in order. `work` takes what is too large for memory.

    Lines of a zip count on through its members.
    """
    return (block.pieces() for block in blocks_of(path, work))


def blocks_of(path: Path, work: Path) -> Iterator[Block]:
    """The same, in blocks that are still to be taken apart."""
    for blocks in _blocks_by_text(path, work):
        yield from blocks


def split_texts(path: Path, work: Path) -> Iterator[Iterator[list[Piece]]]:
    """The pieces of each text of the file on its own: to be taken in their order, each to its end."""
    for blocks in _blocks_by_text(path, work):
        yield (block.pieces() for block in blocks)


def _blocks_by_text(path: Path, work: Path) -> Iterator[Iterator[Block]]:
    last = 0

    def blocks(text: Text) -> Iterator[Block]:
        nonlocal last
        for block, number in _blocks(text, last, work):
            last = number
            yield block

    for text in texts_of(path, work):
        yield blocks(text)


def _blocks(text: Text, before: int, work: Path) -> Blocks:
    head = text.head.removeprefix(UTF8_MARK)
    first = head.lstrip()[:1]
    if head.startswith(DOUBLE_MARKS) or b"\0" in head[:64].lstrip(b" ")[:4]:
        yield _refused(before, "encoding" if _is_double(head) else "not-json")
    elif first == b"<":
        yield _refused(before, "html")
    elif first and first not in b"{[" and b"\n{" not in head:
        yield _refused(before, "not-json")
    elif _begins_lines(head, first):
        yield from line_blocks(text.head, text.rest, before, text.path)
    elif first or len(text.head) == HEAD:
        yield from document_blocks(text, before, work)
    else:
        yield from _blank(text, before)


def _is_double(head: bytes) -> bool:
    return head.startswith(DOUBLE_MARKS) or (b"{" in head[:8] or b"[" in head[:8])


def _refused(before: int, rule: str) -> tuple[Block, int]:
    return RefusedBlock(before + 1, rule), before + 1


def _blank(text: Text, before: int) -> Blocks:
    """Nothing received; unless the archive broke before its first byte came out."""
    try:
        text.rest.read(1)
    except ArchiveError as error:
        yield _refused(before, error.rule)


def _begins_lines(head: bytes, first: bytes) -> bool:
    """Whether this is NDJSON for sure: its first line is a whole object, and something follows it."""
    if first != b"{":
        return bool(first) and first != b"["
    line, _, after = head.lstrip().partition(b"\n")
    return bool(after.strip()) and is_object(line)
