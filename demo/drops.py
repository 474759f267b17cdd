"""What the hospitals that send files put into their drop folders, and the code maps of the one that has its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from demo.history import History
from demo.hospitals import DIALECTS, held, hospital_name, of_hospital, packing, write_site
from demo.hospitals.concept_maps import concept_maps

BY_FILES = ("c", "g", "h")
OWN_CODES = "f"
MAPS = "maps"
LATER = "a-month-later"


def drop_first(folder: Path, histories: Sequence[History], at: datetime) -> None:
    """Everything that the hospitals know, in their files of that instant."""
    for letter in BY_FILES:
        write_site(letter, of_hospital(letter, histories), folder / hospital_name(letter))
    _date(folder, at)


def drop_news(
    folder: Path, earlier: Sequence[History], current: Sequence[History], at: datetime
) -> dict[str, int]:
    """What changed since, in new files beside the former; gives how many files by hospital."""
    dropped = {}
    for letter in BY_FILES:
        target = folder / hospital_name(letter) / LATER
        known = of_hospital(letter, earlier)
        changed = [history for history in of_hospital(letter, current) if history not in known]
        if changed:
            _write_news(letter, known, changed, target)
            _date(target, at)
        dropped[hospital_name(letter)] = sum(path.is_file() for path in target.rglob("*"))
    return dropped


def _write_news(letter: str, known: Sequence[History], changed: Sequence[History], target: Path) -> None:
    """The old system exports the changed resources; the others write each changed person's file again."""
    if letter != "h":
        write_site(letter, changed, target)
        return
    before = held(letter, known)
    target.mkdir()
    packing.write_old_ndjson(
        target / "NEWS.NDJSON", [row for row in held(letter, changed) if row not in before]
    )


def write_maps(folder: Path) -> None:
    """The ConceptMaps of the hospital with codes of its own."""
    target = folder / MAPS / hospital_name(OWN_CODES) / "ConceptMap.ndjson"
    packing.write_ndjson(target, concept_maps(DIALECTS[OWN_CODES]))


def _date(folder: Path, at: datetime) -> None:
    """The files are of the simulated night: finished long ago, as far as a pull can see."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (at.timestamp(), at.timestamp()))
