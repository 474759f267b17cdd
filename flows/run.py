"""A run: what the user asked for, checked before anything is written, and what the steps made of it."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flows.config import Config
from flows.errors import SourceError, UserError
from flows.landing import find_sites
from studies.reading import Study

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Request:
    """What was asked for. `started_at` is the run's only clock; paths are absolute.

    `config` has references to secrets, never a secret.
    """

    study: Study
    home: Path
    out: Path | None
    files: Path | None
    started_at: dt.datetime
    data_cutoff: dt.date | None = None
    as_of: dt.datetime | None = None
    simulated: bool = False
    config: Config | None = None


def nobody(_: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Run:
    """A request and what its steps have made so far; each step returns a new one.

    `problems` are what a check found, `failures` a line for each source that couldn't be read;
    `tell` shows a person that a long step goes on.
    """

    request: Request
    warehouse: Path | None = None
    staging: Path | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    failures: tuple[str, ...] = ()
    tell: Callable[[str], None] = nobody

    @property
    def exit_code(self) -> int:
        if self.failures:
            return SourceError.exit_code
        return 1 if self.problems else 0


def check_folders(*, home: Path, out: Path | None, files: Path | None, config: Config | None = None) -> None:
    """Raises UserError, before anything is written, where one of a run's folders can't be used."""
    check_drops(config, home, out)
    if files is not None:
        _check_files(files)
        find_sites(files)
        if home.is_relative_to(files) or files.is_relative_to(home):
            raise UserError(f"--home {home} and --files {files} lie in one another; choose another --home")
    if out is not None:
        _check_out(out, home, files)
    _check_writable(home, "home")


def parse_date(text: str, name: str) -> dt.date:
    """A whole date `YYYY-MM-DD`. Raises UserError when the text is none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"{name} is no date: {text!r}; write it as 2024-12-31") from error


def parse_instant(text: str, name: str) -> dt.datetime:
    """A time with an offset, or a whole date meaning the end of that day in UTC. Raises UserError."""
    try:
        if len(text) == 10:
            day = dt.date.fromisoformat(text)
            return dt.datetime.combine(day, dt.time.max, tzinfo=dt.UTC)
        instant = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"{name} is no time: {text!r}; write it as 2024-12-31T18:00:00+09:00") from error
    if instant.tzinfo is None:
        raise UserError(f"{name} has no time zone: {text!r}; add an offset such as +09:00, or Z")
    return instant


def dropped_folders(config: Config | None) -> list[Path]:
    """The folders that files are dropped into, links followed."""
    sites = config.sites if config else ()
    return [site.path.resolve() for site in sites if site.path is not None]


def check_drops(config: Config | None, home: Path, out: Path | None = None) -> None:
    """Raises UserError where a drop folder and the home, or the report, lie in one another."""
    for drop in dropped_folders(config):
        _check_apart(drop, home, out)


def _check_apart(drop: Path, home: Path, out: Path | None) -> None:
    """A drop folder holds neither the home nor the report, which would be taken for files, nor lies in them."""
    for place, name in ((home, "home"), (out, "out")):
        if place is not None and (place.is_relative_to(drop) or drop.is_relative_to(place)):
            raise UserError(f"--{name} {place} and the drop folder {drop} lie in one another; choose another")


def _check_files(folder: Path) -> None:
    if not folder.exists():
        raise UserError(
            f"--files {folder}: there is no such folder; name the folder that holds the FHIR files"
        )
    if not folder.is_dir():
        raise UserError(f"--files {folder}: this is a file; name the folder that holds it")
    if not any(path.is_file() for path in folder.rglob("*")):
        raise UserError(f"--files {folder}: the folder is empty; put FHIR files there, one sub-folder a site")


def _check_out(out: Path, home: Path, files: Path | None) -> None:
    if home == out or home.is_relative_to(out):
        raise UserError(
            f"--home {home} lies inside --out {out}, which is replaced as a whole; choose another"
        )
    for inside in ("landing", "fhir", "versions", "runs", "work"):
        if out.is_relative_to(home / inside) or out == home / inside:
            raise UserError(
                f"--out {out} lies in the home's folder {inside}, which is Cove's own; choose another"
            )
    if files is not None and (files == out or files.is_relative_to(out) or out.is_relative_to(files)):
        raise UserError(f"--out {out} and --files {files} lie in one another; choose another --out")
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}: this is a file; name a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise UserError(
            f"--out {out}: the folder holds other things than a report and would be replaced; choose another"
        )
    _check_writable(out.parent, "out")


def _check_writable(folder: Path, name: str) -> None:
    """A folder can be made and written at this place: tried, since rights don't tell for every user."""
    nearest = folder
    while not nearest.exists():
        nearest = nearest.parent
    try:
        Path(tempfile.mkdtemp(prefix=".cove-", dir=nearest)).rmdir()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError(
            f"--{name} {folder}: {nearest} can't be written ({reason}); choose another place"
        ) from error
