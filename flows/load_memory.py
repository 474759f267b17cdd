"""What a load worked out and the next under the same views and rules needs again: compiled views, and the fields of
the types that it met. It may be lost at any time, and is worked out again then.
"""

from pathlib import Path

import msgspec

from flows.home import Home, make_private, write_whole
from flows.mapping import CompiledMapping
from mappers.shapes import Shapes

# FHIR version → the view's name → the view, compiled.
Mappings = dict[str, dict[str, CompiledMapping]]


class Memory(msgspec.Struct, frozen=True):
    """Compiled views, the fields of types by FHIR version, and the versions that have a type of the views."""

    mappings: Mappings = {}
    shapes: Shapes = {}
    versions: tuple[str, ...] = ()


NOTHING = Memory()

_decoder = msgspec.json.Decoder(Memory)


def recall(home: Home, generation: str) -> Memory:
    """What the loads of this generation worked out; nothing where that can't be read."""
    try:
        return _decoder.decode(_path(home, generation).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return NOTHING


def remember(home: Home, generation: str, memory: Memory) -> None:
    """Keeps it for the next load of the generation."""
    path = _path(home, generation)
    make_private(path.parent)
    write_whole(path, msgspec.json.encode(memory))


def _path(home: Home, generation: str) -> Path:
    return home.fhir / "_loads" / generation / "memory"
