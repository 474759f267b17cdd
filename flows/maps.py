"""A site's code maps: files of a folder that the configuration names, landed as ConceptMaps of the site.

ConceptMaps land as they are (`map_resources` ends those that are taken out). A CSV becomes a ConceptMap that lists its
rows, and lands as that: it is then read, traced, counted and dated (`--as-of`) as any other, with no second way for
codes. Its id comes from the file's name, and it is written when the rows differ from what was last landed, so that a
file that was changed, changed back or taken away takes the place of its former version. Where a site has no `maps` any
more, all of its files were taken away.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from flows.config import Config, ConfigError, Site
from flows.errors import UserError
from flows.home import Home, open_home, writing
from flows.landing import land_files, landed_files
from flows.loading_step import Told
from flows.map_resources import RECEIVED, has_brought, write_successors

HEADER = ["source_system", "source_code", "target_system", "target_code"]
SUFFIX = ".csv"
SOURCE = "maps of cove.toml"  # the folder of what is made here, in the manifests' sources

Row = tuple[str, str, str, str]


def check_maps(config: Config | None) -> None:
    """Raises UserError, a line for each error, when a folder of maps or a CSV in it is wrong."""
    errors: list[str] = []
    for site in config.sites if config else ():
        if site.maps is not None:
            for path in _csv_files(site, site.maps):
                try:
                    read_csv_map(path)
                except ConfigError as error:
                    errors += error.errors
    if errors:
        raise ConfigError(*errors)


def read_csv_map(path: Path) -> list[Row]:
    """The rows of a CSV map, each once, sorted: source system and code, target system and code.

    Raises ConfigError with a line for each error: file, line, what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read ({error.strerror}); give the user that runs cove access"
        ) from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8; save the file as UTF-8") from None
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: set[Row] = set()
    errors: list[str] = []
    try:
        if next(lines, None) != HEADER:
            raise ConfigError(f"{path} line 1: not the header of a map; begin with {','.join(HEADER)}")
        for fields in lines:
            wrong = _wrong(fields)
            if wrong:
                errors.append(f"{path} line {lines.line_num}: {wrong}")
            elif fields:
                rows.add((fields[0], fields[1], fields[2], fields[3]))
    except csv.Error as error:
        errors.append(f"{path} line {lines.line_num}: no CSV ({error}); check the quotes there")
    if errors:
        raise ConfigError(*errors)
    return sorted(rows)


def _wrong(fields: list[str]) -> str | None:
    if not fields:
        return None
    if len(fields) != len(HEADER):
        return f"{len(fields)} fields; write {len(HEADER)}: {','.join(HEADER)}"
    for name, field in zip(HEADER, fields, strict=True):
        if not field or field != field.strip() or not field.isprintable():
            return f"{name} is empty, or has spaces around it; write it as the data have it"
    return None


def land_maps(config: Config, root: Path, landed_at: dt.datetime) -> Told:
    """Lands the maps of every site that has some, or had some: what is new, changed or gone.

    Raises UserError as `check_maps`.
    """
    check_maps(config)
    sites = [site for site in config.sites if site.maps is not None or _had_maps(Home(root), site.name)]
    if not sites:
        return Told()
    home = open_home(root)
    notes = []
    with writing(home) as work:
        for site in sites:
            new = _land_site(home, site, work / "maps" / site.name, landed_at)
            if new and site.maps is None:
                notes.append(f"{site.name}: has no `maps` any more; {new} code maps that it had are ended")
            elif new:
                notes.append(f"{site.name}: {new} new files of code maps")
    return Told(tuple(notes))


def _had_maps(home: Home, site: str) -> bool:
    if not (home.landing / site).is_dir():
        return False
    files = landed_files(home, site)
    return has_brought(files) or any(file.source.startswith(f"{SOURCE}/") for file in files)


def _land_site(home: Home, site: Site, folder: Path, landed_at: dt.datetime) -> int:
    (home.landing / site.name).mkdir(mode=0o700, exist_ok=True)
    paths = _csv_files(site, site.maps) if site.maps is not None else []
    wanted = {path.relative_to(site.maps or path).as_posix(): read_csv_map(path) for path in paths}
    landed = _landed_maps(home, site.name)
    # A file that was taken away maps nothing any more.
    wanted |= {name: [] for name in landed if name not in wanted}
    for name, rows in sorted(wanted.items()):
        if rows != landed.get(name, []):
            path = folder / SOURCE / f"{name}.json"
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(
                json.dumps(concept_map(name, rows, landed_at), ensure_ascii=False), encoding="utf-8"
            )
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_successors(home, site.name, site.maps, folder, folder.parent, landed_at)
    landings = []
    if site.maps is not None:
        landings.append(land_files(home, site.name, site.maps, landed_at=landed_at, place=RECEIVED))
    if folder.exists():
        landings.append(land_files(home, site.name, folder, landed_at=landed_at))
    return sum(file.is_new for landing in landings for file in landing.files)


def concept_map(name: str, rows: list[Row], landed_at: dt.datetime) -> dict[str, Any]:
    """A CSV's rows as a ConceptMap; its id is that of the file's name, its version the time of landing."""
    groups = [
        {"source": source, "target": target, "element": list(_elements(list(of_pair)))}
        for (source, target), of_pair in groupby(sorted(rows, key=_by_pair), key=_systems)
    ]
    content: dict[str, Any] = {
        "resourceType": "ConceptMap",
        "id": f"csv-{hashlib.sha256(name.encode()).hexdigest()[:32]}",
        "meta": {
            "lastUpdated": landed_at.astimezone(dt.UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        },
        "status": "active",
    }
    # FHIR has no empty lists.
    return content | ({"group": groups} if groups else {})


def _by_pair(row: Row) -> tuple[str, ...]:
    return (row[0], row[2], row[1], row[3])


def _systems(row: Row) -> tuple[str, str]:
    return (row[0], row[2])


def _elements(rows: list[Row]) -> Iterator[dict[str, Any]]:
    for code, of_code in groupby(rows, key=lambda row: row[1]):
        targets = [{"code": row[3], "equivalence": "equivalent"} for row in of_code]
        yield {"code": code, "target": targets}


def _csv_files(site: Site, folder: Path) -> list[Path]:
    """The CSV files of a folder of maps. Raises UserError where it isn't one."""
    if not folder.is_dir():
        raise UserError(
            f'site "{site.name}": maps {folder}: there is no such folder; make it, or take maps out'
        )
    found = (path for path in folder.rglob(f"*{SUFFIX}") if path.is_file())
    return sorted(path for path in found if not _is_hidden(path.relative_to(folder)))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _landed_maps(home: Home, site: str) -> Mapping[str, list[Row]]:
    """The rows of each CSV by its name, as last landed."""
    begins, ends = f"{SOURCE}/", f"{SUFFIX}.json"
    files = [
        file
        for file in landed_files(home, site)
        if file.source.startswith(begins) and file.source.endswith(ends)
    ]
    files.sort(key=lambda file: file.landed_at)
    return {
        file.source.removeprefix(begins).removesuffix(".json"): _rows(json.loads(file.path.read_bytes()))
        for file in files
    }


def _rows(content: Mapping[str, Any]) -> list[Row]:
    return sorted(
        (group["source"], element["code"], group["target"], target["code"])
        for group in content.get("group", [])
        for element in group["element"]
        for target in element["target"]
    )
