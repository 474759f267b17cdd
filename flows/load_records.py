"""The records of loads: which landed files they took, under which views, and the Parquet that came of it.

A load becomes visible by one rename, that of its record. Loads belong to a generation: the views, the key and
the rules by which files were mapped.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.empty_files import is_empty_file
from flows.home import Home, make_private, read_key, sync, write_whole
from flows.landing import LandedFile
from flows.rules import load_rules


@dataclass(frozen=True)
class LoadRecord:
    """One load. `files` are pairs of site and hash, `parquet` and `replaces` paths within `fhir/`; the last are
    files of former loads whose rows stand in one of this. `identified` is what `Views.known_identified` gave.
    """

    load_id: str
    generation: str
    views: Mapping[str, str]
    files: frozenset[tuple[str, str]]
    parquet: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    identified: Mapping[str, Sequence[str]] = field(default_factory=dict)


def generation_of(home: Home, hashes: Mapping[str, str]) -> str:
    """The identity of everything by which a landed file is mapped; `hashes` are the mappings' own, by name."""
    key = hashlib.sha256(b"generation" + read_key(home)).hexdigest()
    parts = {
        "views": dict(hashes),
        "rules": load_rules(),
        "key": key,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def load_id_of(generation: str, files: Iterable[LandedFile]) -> str:
    """The same for the same files under the same views, so that a load done again replaces its own pieces."""
    parts = "\n".join([generation, *sorted(f"{file.site}/{file.sha256}" for file in files)])
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def records_of(home: Home, generation: str | None) -> list[LoadRecord]:
    """The finished loads of a generation, in no order of time."""
    if generation is None:
        return []
    paths = sorted((home.fhir / "_loads" / generation).glob("*.json"))
    return [_record(json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def current_generation(home: Home) -> str | None:
    """The generation that is read; None before the first load."""
    path = home.fhir / "_loads" / "current"
    return path.read_text() if path.exists() else None


def parquet_of(records: Iterable[LoadRecord]) -> set[str]:
    """The files that hold the rows of the loads, as paths within `fhir/`."""
    known = list(records)
    written = {path for record in known for path in record.parquet}
    return written - {path for record in known for path in record.replaces}


def fhir_relations(home: Home) -> dict[str, list[Path]]:
    """Relation → its Parquet files, of the loads that are finished and current: each view, and the ledgers.

    The ledgers are `_resource`, `_quarantine`, `_finding`, `_alias`, `_deletion`, `_file`; and
    `_concept_map`.
    """
    relations: dict[str, list[Path]] = defaultdict(list)
    for relative in sorted(parquet_of(records_of(home, current_generation(home)))):
        relations[Path(relative).parts[0]].append(home.fhir / relative)
    return dict(sorted(relations.items()))


def commit_load(home: Home, record: LoadRecord) -> None:
    """Makes a load visible, and its generation the current one. Its Parquet is there."""
    content = {
        "load": record.load_id,
        "generation": record.generation,
        "views": dict(record.views),
        "files": sorted(list(pair) for pair in record.files),
        "parquet": sorted(record.parquet),
        "replaces": sorted(record.replaces),
        "identified": dict(record.identified),
    }
    # The record must not outlive a power cut that its files did not.
    for path in record.parquet:
        if not is_empty_file(path):
            sync(home.fhir / path)
    folder = home.fhir / "_loads" / record.generation
    make_private(folder)
    text = json.dumps(content, ensure_ascii=False, indent=1).encode()
    write_whole(folder / f"{record.load_id}.json", text)
    write_whole(home.fhir / "_loads" / "current", record.generation.encode())


def _record(content: dict[str, Any]) -> LoadRecord:
    return LoadRecord(
        content["load"],
        content["generation"],
        content["views"],
        frozenset((site, file) for site, file in content["files"]),
        tuple(content["parquet"]),
        # A record of a former release has neither.
        tuple(content.get("replaces", ())),
        content.get("identified", {}),
    )
