"""ConceptMaps that a folder of maps brings as resources: they land as they are, and end when they are taken out.

What ends one is a ConceptMap of the same id that maps nothing, dated when it was missed; what brings it back is a copy
dated anew, since the bytes themselves have landed before. All of it is in the landing zone, so that a build as of a
time gives what was known then.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from flows.home import Home
from flows.landing import LandedFile, files_under, landed_files
from flows.splitting import split

RECEIVED = "received by maps of cove.toml"  # the folder of such files, in the manifests' sources
MADE = "made of maps of cove.toml"  # the folder of what ends them, or brings them back

Content = dict[str, Any]

_decode = msgspec.json.Decoder(Content).decode


def write_successors(
    home: Home, site: str, maps: Path | None, folder: Path, work: Path, landed_at: dt.datetime
) -> None:
    """Writes into `folder` what ends the ConceptMaps that `maps` (None: the key is gone) brought and has no more, and
    what brings back those that it has again. `work` takes what is too large for memory.
    """
    files = landed_files(home, site)
    brought = _by_id(_of_files(_paths(files, RECEIVED), work))
    made = _by_id(_of_files(_paths(files, MADE), work))
    present = _by_id(_of_files(files_under(maps, Counter()), work)) if maps is not None else {}
    for name in sorted(brought.keys() | made.keys()):
        wanted = _body(present[name]) if name in present else _ended(name)
        # Where nothing was ever taken away, what the folder has lands as it is.
        is_in_force = wanted == _body(made[name]) if name in made else name in present
        if not is_in_force:
            known = [one[name] for one in (brought, made, present) if name in one]
            content = {**wanted, "meta": {"lastUpdated": _after(known, landed_at)}}
            path = folder / MADE / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def has_brought(files: Iterable[LandedFile]) -> bool:
    """Whether a folder of maps brought some of the files."""
    return any(file.source.startswith(f"{RECEIVED}/") for file in files)


def _paths(files: Iterable[LandedFile], place: str) -> Iterator[Path]:
    """The landed files from a place, in the order of their landing."""
    of_place = (file for file in files if file.source.startswith(f"{place}/"))
    return (file.path for file in sorted(of_place, key=lambda file: (file.landed_at, file.sha256)))


def _of_files(paths: Iterable[Path], work: Path) -> Iterator[Content]:
    for path in paths:
        for pieces in split(path, work):
            for piece in pieces:
                try:
                    content = _decode(piece.data)
                except (ValueError, RecursionError):
                    # What is no resource is quarantined by the load.
                    continue
                if content.get("resourceType") == "ConceptMap" and isinstance(content.get("id"), str):
                    yield content


def _by_id(contents: Iterable[Content]) -> dict[str, Content]:
    """The newest of each id; of equals the later one."""
    found: dict[str, Content] = {}
    for content in contents:
        former = found.get(content["id"])
        if former is None or _updated(former) <= _updated(content):
            found[content["id"]] = content
    return found


def _body(content: Content) -> Content:
    return {name: value for name, value in content.items() if name != "meta"}


def _ended(name: str) -> Content:
    return {"resourceType": "ConceptMap", "id": name, "status": "retired"}


def _after(known: Iterable[Content], landed_at: dt.datetime) -> str:
    """When this version counts from: now, but after those that it takes the place of, whatever their clock."""
    latest = max((_updated(content) for content in known), default=dt.datetime.min.replace(tzinfo=dt.UTC))
    moment = max(landed_at, latest + dt.timedelta(milliseconds=1))
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _updated(content: Content) -> dt.datetime:
    meta: Mapping[str, Any] = content["meta"] if isinstance(content.get("meta"), dict) else {}
    try:
        found = dt.datetime.fromisoformat(str(meta.get("lastUpdated")))
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
