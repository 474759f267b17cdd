"""A stream of text, cut at line ends into blocks: split at LF only, lines counted from 1, blank ones too."""

from collections.abc import Iterator
from pathlib import Path

from flows.blocks import MAX_LINE, Block, LineBlock, RefusedBlock
from flows.unpacking import BLOCK, ArchiveError, Readable

CHUNK = 1 << 20

# Blocks, each with the number of the last line that was used.
Blocks = Iterator[tuple[Block, int]]


def line_blocks(head: bytes, rest: Readable, before: int, path: Path | None = None) -> Blocks:
    """The lines of a stream, as they come. A last line without its end is a line like any other. `path` is the
    file that holds the stream as it is, where there is one.

    A line that is longer than MAX_LINE is refused, and passed over without being held.
    """
    number, carry, is_skipping = before, [head], False
    held = len(head)
    begin = 0  # of what is carried, within the stream
    rule = None
    while True:
        try:
            part = rest.read(BLOCK)
        except ArchiveError as error:
            part, rule = b"", error.rule
        if part:
            carry.append(part)
            held += len(part)
            # Small parts are gathered: a block costs the same however small it is.
            if held < CHUNK:
                continue
        chunk = b"".join(carry)
        cut = chunk.rfind(b"\n") + 1 if part else len(chunk)
        if is_skipping and b"\n" in chunk[:cut]:
            number, is_skipping = number + 1, False
            at = chunk.find(b"\n") + 1
            yield RefusedBlock(number, "too-large"), number
            chunk, cut, begin = chunk[at:], cut - at, begin + at
        if is_skipping:
            begin += len(chunk)
            chunk = b""
        elif cut or not part:
            place = None if path is None else (path, begin)
            block = LineBlock(chunk[:cut], number, is_last=not part, rule=rule, place=place)
            number = block.last_line()
            yield block, number
            chunk, begin = chunk[cut:], begin + cut
        elif len(chunk) > MAX_LINE:
            begin += len(chunk)
            chunk, is_skipping = b"", True
        carry, held = [chunk], len(chunk)
        if part and len(chunk) >= CHUNK:
            # A long line: gather as much again before looking for its end, so that time stays linear.
            held = CHUNK - len(chunk)
        if not part:
            if is_skipping:
                yield RefusedBlock(number + 1, "too-large"), number + 1
            return
