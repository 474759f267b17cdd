"""Files of lines that DuckDB is to read: resources of one type, each with its place."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from flows.exact_numbers import Tree
from flows.pieces import Piece

FLUSH_AT = 1 << 20
LINE_END = b"}\n"

_encode = msgspec.json.Encoder().encode


@dataclass
class Lines:
    """The lines of one site, type and FHIR version: where they are, and how long the longest is at most.

    They can be sent to another process when they are put away.
    """

    path: Path
    resource_type: str
    exact: Tree | None = None
    target: BinaryIO | None = None
    size: int = 0
    longest: int = 0
    held: list[bytes] = field(default_factory=list)
    held_size: int = 0

    def add(self, place: bytes, resource: bytes) -> None:
        """Adds a line, of an object that the place begins and the resource ends."""
        self.held += (place, resource, LINE_END)
        self.held_size += len(place) + len(resource) + len(LINE_END)
        if self.held_size >= FLUSH_AT:
            self.flush()

    def settle(self) -> None:
        """Counts the places, resources and line ends that were put to `held` itself, and writes them when they are
        many.
        """
        self.held_size = sum(map(len, self.held))
        if self.held_size >= FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        if self.target is None:
            self.target = self.path.open("ab")
        places, resources = (max(map(len, self.held[n::3]), default=0) for n in (0, 1))
        self.longest = max(self.longest, places + resources + len(LINE_END))
        lines = b"".join(self.held)
        self.target.write(lines)
        self.size += len(lines)
        self.held.clear()
        self.held_size = 0

    def put_away(self) -> None:
        """Writes what is held, and closes the file; more may be added all the same."""
        self.flush()
        if self.target is not None:
            self.target.close()
            self.target = None


def place_of(ordinal: int, file: int, piece: Piece) -> bytes:
    """The beginning of a line of a load: all but the resource and the line's end."""
    bundle = "" if piece.full_url is None and piece.scope is None else _in_bundle(piece)
    part = f'"part":{piece.part},' if piece.part else ""
    return f'{{"ordinal":{ordinal},"file":{file},"line":{piece.line},{part}{bundle}"resource":'.encode()


def _in_bundle(piece: Piece) -> str:
    url = "" if piece.full_url is None else f'"full_url":{_encode(piece.full_url).decode()},'
    return url if piece.scope is None else f'{url}"scope":"{piece.scope}",'
