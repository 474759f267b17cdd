"""Files of lines that DuckDB is to read: resources of one type, each with its place."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from flows.exact_numbers import Tree

FLUSH_AT = 1 << 20
LINE_END = b"}\n"

_encode = msgspec.json.Encoder().encode


@dataclass
class Lines:
    """The lines of one site, type and FHIR version: where they are, and how long the longest is.

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
        size = len(place) + len(resource) + len(LINE_END)
        self.held += (place, resource, LINE_END)
        self.held_size += size
        if size > self.longest:
            self.longest = size
        if self.held_size >= FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        if self.target is None:
            self.target = self.path.open("ab")
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


def place_of(
    ordinal: int, file: int, line: int, full_url: str | None, scope: str | None, digest: str
) -> bytes:
    """The beginning of a line of a load: all but the resource and the line's end."""
    url = "" if full_url is None else f'"full_url":{_encode(full_url).decode()},'
    within = "" if scope is None else f'"scope":"{scope}",'
    return f'{{"ordinal":{ordinal},"file":{file},"line":{line},{url}{within}"hash":"{digest}","resource":'.encode()
