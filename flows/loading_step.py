"""The first two steps of a run: landing what the user gave, and loading what landed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

from flows.errors import SourceError, UserError
from flows.home import open_home, writing
from flows.landing import find_sites, land_files
from flows.loading import load
from flows.run import Run
from mappers.view import View, read_view

VIEWS = Path(__file__).parent.parent / "mappers" / "views"


@dataclass(frozen=True)
class Told:
    """What a person is told of a step, and what makes the run end with exit code 1, or 3."""

    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    def added_to(self, run: Run) -> Run:
        return replace(
            run,
            notes=(*run.notes, *self.notes),
            problems=(*run.problems, *self.problems),
            failures=(*run.failures, *self.failures),
        )

    @property
    def exit_code(self) -> int:
        if self.failures:
            return SourceError.exit_code
        return 1 if self.problems else 0


def bundled_views() -> list[View]:
    """The ViewDefinitions that come with the package, by name."""
    # Tests read every path of theirs; a load needs only those of the types that it meets.
    return [read_view(path, checks_paths=False) for path in sorted(VIEWS.glob("*.json"))]


def land_folder(root: Path, files: Path, started_at: dt.datetime) -> Told:
    """Lands the files under a folder, each site's in its place in the home at `root`.

    Raises UserError when no FHIR file is there.
    """
    sites = find_sites(files)
    home = open_home(root)
    notes = []
    found = 0
    with writing(home):
        for site, folder in sites.items():
            landing = land_files(home, site, folder, landed_at=started_at)
            new = sum(file.is_new for file in landing.files)
            found += len(landing.files)
            notes.append(f"{site}: {len(landing.files)} files, {new} new")
            notes += [f"{site}: {count} passed over: {why}" for why, count in sorted(landing.ignored.items())]
    if not found:
        raise UserError(
            f"--files {files}: no FHIR file is there; put .ndjson, .json, .gz or .zip files in it"
        )
    return Told(tuple(notes))


def load_home(root: Path) -> Told:
    """Maps every landed file that isn't loaded under the present views. A resource lost is a problem."""
    report = load(open_home(root), views=bundled_views())
    if report.load_id is None:
        return Told(("nothing new",))
    note = (
        f"{report.files} files, {report.resources} resources: {report.mapped} mapped, "
        f"{report.quarantined} quarantined, {report.not_asked_for} not asked for"
    )
    problems = (
        f"{site}: file {file[:12]} holds {landed} resources, and {found} are accounted for"
        for site, file, landed, found in report.mismatches
    )
    return Told((note,), tuple(problems))
