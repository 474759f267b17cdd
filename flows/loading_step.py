"""The first two steps of a run: landing what the user gave, and loading what landed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flows.errors import UserError
from flows.home import open_home
from flows.landing import find_sites, land_files
from flows.loading import load
from flows.run import Run
from mappers.view import View, read_view

VIEWS = Path(__file__).parent.parent / "mappers" / "views"


def bundled_views() -> list[View]:
    """The ViewDefinitions that come with the package, by name."""
    return [read_view(path) for path in sorted(VIEWS.glob("*.json"))]


def land_request(run: Run) -> Run:
    """Lands the files under the request's folder, each site's in its place. Without a folder nothing is landed."""
    request = run.request
    if request.files is None:
        return run
    sites = find_sites(request.files)
    home = open_home(request.home)
    notes = []
    found = 0
    for site, folder in sites.items():
        landing = land_files(home, site, folder, landed_at=request.started_at)
        new = sum(file.is_new for file in landing.files)
        found += len(landing.files)
        notes.append(f"{site}: {len(landing.files)} files, {new} new")
        notes += [f"{site}: {count} passed over: {why}" for why, count in sorted(landing.ignored.items())]
    if not found:
        raise UserError(
            f"--files {request.files}: no FHIR file is there; put .ndjson, .json, .gz or .zip files in it, a folder a site"
        )
    return replace(run, notes=(*run.notes, *notes))


def load_landed(run: Run) -> Run:
    """Maps every landed file that isn't loaded under the present views. An unaccounted resource is a problem."""
    report = load(open_home(run.request.home), views=bundled_views())
    if report.load_id is None:
        return replace(run, notes=(*run.notes, "nothing new"))
    note = (
        f"{report.files} files, {report.resources} resources: {report.mapped} mapped, "
        f"{report.quarantined} quarantined, {report.not_asked_for} not asked for"
    )
    problems = [
        f"{site}: file {file[:12]} holds {landed} resources, and {found} are accounted for"
        for site, file, landed, found in report.mismatches
    ]
    return replace(run, notes=(*run.notes, note), problems=(*run.problems, *problems))
