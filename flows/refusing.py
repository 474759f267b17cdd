"""Takes out of a file of lines those that DuckDB's reader refuses, so that they cost themselves only."""

from collections.abc import Callable
from pathlib import Path

PROBED = 4096  # lines that are tried at once


def take_out_refused(path: Path, is_readable: Callable[[Path, int], bool]) -> list[bytes]:
    """Rewrites the file without the lines that can't be read, and returns those.

    `is_readable` tries a file of lines, given the length of the longest.
    """
    kept, probe = path.with_suffix(".kept"), path.with_suffix(".probe")
    refused: list[bytes] = []
    with path.open("rb") as source, kept.open("wb") as target:
        while block := [line for _, line in zip(range(PROBED), source, strict=False)]:
            bad = _refused(block, probe, is_readable)
            target.writelines(line for n, line in enumerate(block) if n not in bad)
            refused += [block[n] for n in sorted(bad)]
    kept.replace(path)
    probe.unlink(missing_ok=True)
    return refused


def _refused(block: list[bytes], probe: Path, is_readable: Callable[[Path, int], bool]) -> set[int]:
    """Positions of the lines that can't be read: the block is halved until they stand alone."""
    pending, found = [(0, len(block))], set()
    while pending:
        start, end = pending.pop()
        probe.write_bytes(b"".join(block[start:end]))
        if is_readable(probe, max(map(len, block[start:end]))):
            continue
        if end - start == 1:
            found.add(start)
        else:
            middle = (start + end) // 2
            pending += [(start, middle), (middle, end)]
    return found
