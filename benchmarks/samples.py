"""The files that are measured: real resources, written again and again with ids of their own.

Observations and Patients are those of `synthea-100`, MedicationAdministrations those of the MIMIC demo (Synthea
has none). Each has a `meta.lastUpdated`, as servers give, so that a later version can be told from it.
"""

from __future__ import annotations

import gzip
import itertools
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from flows.splitting import split

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
SYNTHEA = DATA / "synthea-100" / "bundles.zip"
MIMIC = DATA / "mimic-iv-fhir-demo"
SUITE = DATA / "sql-on-fhir"
FIRST_UPDATE = b"2026-01-01T00:00:00Z"
SECOND_UPDATE = b"2026-02-01T00:00:00Z"
IN_EACH_WRITE = 4096

_header = msgspec.json.Decoder(dict[str, msgspec.Raw])


def missing() -> list[str]:
    """The data that isn't here, each with what can't be measured without it."""
    needed = {
        SYNTHEA: "Observations and Patients",
        MIMIC: "MedicationAdministrations",
        SUITE: "conformance cases",
    }
    return [f"{path.name} is not here: no {what}" for path, what in needed.items() if not path.exists()]


def originals(resource_type: str) -> list[bytes]:
    """Each resource of a type as it was received, on one line, with every digit that it had."""
    if resource_type == "MedicationAdministration":
        files = [MIMIC / f"Mimic{name}.ndjson.gz" for name in (resource_type, f"{resource_type}ICU")]
        return [
            _on_one_line(line) for path in files for line in gzip.decompress(path.read_bytes()).splitlines()
        ]
    kind = f'"{resource_type}"'.encode()
    with tempfile.TemporaryDirectory() as work:
        pieces = itertools.chain.from_iterable(split(SYNTHEA, Path(work)))
        return [
            _on_one_line(piece.data)
            for piece in pieces
            if piece.data and bytes(_header.decode(piece.data).get("resourceType", b"")) == kind
        ]


def write_replicated(path: Path, found: list[bytes], count: int) -> None:
    """Writes `count` resources as NDJSON: those found, in their order, over and over."""
    _write(path, (line + b"\n" for line in replicated(found, count)))


def replicated(found: list[bytes], count: int) -> Iterator[bytes]:
    """`count` resources with ids of their own, and the same `meta.lastUpdated`."""
    parts = [_around_id(line) for line in found]
    for copy in range(-(-count // len(parts))):
        suffix = b'-%d","meta":{"versionId":"1","lastUpdated":"%b"}' % (copy, FIRST_UPDATE)
        for before, after in parts[: count - copy * len(parts)]:
            yield b"".join((before, suffix, after))


def write_changed(path: Path, lines: Iterable[bytes], *, every: int, with_unchanged: bool) -> None:
    """Writes every n-th line in a later version with another value; the others as they were, or not at all."""
    _write(path, (_changed(line) if n % every == 0 else line for n, line in enumerate(lines)
                  if with_unchanged or n % every == 0))  # fmt: skip


def write_bundle(path: Path, resources: Iterable[bytes], *, size: int, is_pretty: bool = False) -> None:
    """Writes one Bundle of about `size` bytes, on one line or as a person would read it."""

    def entries() -> Iterator[bytes]:
        written, separator = 0, b'{"resourceType":"Bundle","type":"collection","entry":[\n'
        for number, resource in enumerate(resources):
            entry = b'{"fullUrl":"https://fhir.example/Observation/%d","resource":%b}' % (number, resource)
            entry = msgspec.json.format(entry, indent=2) if is_pretty else entry
            yield separator + entry
            written, separator = written + len(entry) + 2, b",\n" if is_pretty else b","
            if written >= size:
                break
        yield b"]}"

    _write(path, entries())


def _on_one_line(data: bytes) -> bytes:
    return msgspec.json.format(data, indent=-1)


def _around_id(line: bytes) -> tuple[bytes, bytes]:
    """What stands before the end of the id's text and after it, without the resource's own `meta`."""
    members = _header.decode(line)
    members.pop("meta", None)
    kind, identity = bytes(members.pop("resourceType")), bytes(members.pop("id")).strip(b'"')
    return b'{"resourceType":%b,"id":"%b' % (kind, identity), b"," + msgspec.json.encode(members)[1:]


def _changed(line: bytes) -> bytes:
    line = line.replace(b'"versionId":"1","lastUpdated":"' + FIRST_UPDATE,
                        b'"versionId":"2","lastUpdated":"' + SECOND_UPDATE, 1)  # fmt: skip
    return re.sub(rb'"value":-?[0-9][0-9.]*', b'"value":1234.5', line.replace(b'"final"', b'"corrected"', 1))


def _write(path: Path, parts: Iterable[bytes]) -> None:
    remaining = iter(parts)
    with path.open("wb") as target:
        while block := b"".join(itertools.islice(remaining, IN_EACH_WRITE)):
            target.write(block)
