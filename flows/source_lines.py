"""Finds the lines as received that rows came from."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from flows.errors import UserError
from flows.home import Home
from flows.splitting import split

Place = tuple[str, str, int]  # site, file, line


def source_lines(home: Home, places: Iterable[Place]) -> dict[Place, str]:
    """The resource at each place, as received but for its line breaks; a file is read once.

    Raises UserError when a file, or a line of it, isn't in the landing zone any more.
    """
    wanted: dict[tuple[str, str], set[int]] = defaultdict(set)
    for site, file, line in places:
        wanted[site, file].add(line)
    return {
        (site, file, line): text
        for (site, file), lines in wanted.items()
        for line, text in _lines_of(home, site, file, lines).items()
    }


def _lines_of(home: Home, site: str, file: str, wanted: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    try:
        with tempfile.TemporaryDirectory(dir=home.root, prefix=".trace-") as work:
            for batch in split(home.landing / site / file, Path(work)):
                for piece in batch:
                    if piece.line in wanted:
                        found.setdefault(piece.line, _text(piece.data))
    except OSError as error:
        raise UserError(f"{home.landing}: file {file} can't be read ({error.strerror})") from error
    if missing := wanted - found.keys():
        raise UserError(f"{home.landing}: file {file} has no line {min(missing)}; was the home restored?")
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace").replace("\r", "").replace("\n", " ")
