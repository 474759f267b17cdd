"""Bulk exports: kicked off, polled, landed file by file, and deleted at the server when done or given up.

What has come so far is in the site's state before and after each step, so that a run that was killed, or
failed, is gone on from with the same export.
"""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from flows.config import Site
from flows.pull.downloads import download, finish, part_for
from flows.pull.failures import FailedTry, Refused, ServerFailure, SiteFailure, WaitTooLong, refusal
from flows.pull.http import FHIR_JSON, JSON, NDJSON, Ask, Connection, Document
from flows.pull.manifests import Manifest, ManifestFile, check_manifest, read_manifest
from flows.pull.missing import MEDICATION
from flows.pull.outcomes import tell_outcomes
from flows.pull.receiving import Received
from flows.pull.site_pull import SitePull
from flows.pull.tries import checked_wait, retry_after
from flows.pull.urls import fingerprint, joined, told, with_query

TYPES_REFUSED = {400, 422}
LEAST_BETWEEN_POLLS = 1.0  # seconds, whatever the server says
WORTH_A_LINE = 10  # seconds between polls: whoever looks at the log then wonders
MOST_FAILED = 3  # files: then the server isn't well, and the others are left for the next run

Export = dict[str, Any]


class GoneError(Exception):
    """The server doesn't know the export any more."""


def new_exports(since: dict[str, str | None]) -> list[Export]:
    """An export for each lower bound, of the types that have it."""
    bounds = list(dict.fromkeys(since.values()))
    return [
        {"types": [name for name, own in since.items() if own == bound], "since": bound, "status": None}
        for bound in bounds
    ]


def pull_exports(pull: SitePull, connection: Connection, exports: list[Export]) -> dict[str, str | None]:
    """Lands the exports of a pull, one after the other; gives each type's next lower bound.

    Raises SiteFailure. The state then tells how far it came.
    """
    for number, export in enumerate(exports):
        if not export.get("is_done"):
            _pull_export(_Job(pull, connection, export, str(number)))
        delete_export(pull, connection, export)
    return {
        name: export["transaction_time"]
        for export in exports
        for name in (*export["types"], *export.get("left_out", ()))
    }


def delete_export(pull: SitePull, connection: Connection, export: Export) -> None:
    """Tells the server that an export isn't needed any more; it may know that already, or not care."""
    if export.get("status") is None:
        return
    try:
        connection.document(Ask(export["status"], "delete", method="DELETE", keeps_window=False))
    except Refused:
        pass
    except (FailedTry, SiteFailure) as failed:
        pull.note(f"the export couldn't be deleted at the server: {failed}")
    pull.state.change(export, status=None)


class _Job:
    """An export being pulled."""

    def __init__(self, pull: SitePull, connection: Connection, export: Export, name: str) -> None:
        self.pull, self.connection, self.export, self.name = pull, connection, export, name
        self.site = pull.site


def _pull_export(job: _Job) -> None:
    try:
        manifest = _manifest(job)
        _land_files(job, manifest)
    except (ServerFailure, WaitTooLong) as failure:
        if not _is_over(job):
            raise
        delete_export(job.pull, job.connection, job.export)
        # An export that failed at the server answers so for ever.
        raise SiteFailure(
            failure.step,
            f"{failure.happened}, and the export is older than `timeout.export`, so that it is given up",
            "the next run starts a new one",
        ) from failure
    except GoneError as gone:
        delete_export(job.pull, job.connection, job.export)
        raise SiteFailure(
            "file", f"{gone}, so that the export is given up", "the next run starts a new one"
        ) from gone
    job.pull.state.change(job.export, is_done=True, transaction_time=manifest.transaction_time)


def _is_over(job: _Job) -> bool:
    return job.export.get("status") is not None and job.pull.clock.now() >= _ends_at(job)


def _ends_at(job: _Job) -> dt.datetime:
    kicked_off_at = dt.datetime.fromisoformat(job.export["kicked_off_at"])
    return kicked_off_at + dt.timedelta(seconds=job.site.timeout.export)


def _manifest(job: _Job) -> Manifest:
    """The manifest, after an export that the server has forgotten was started once more."""
    for is_last in (False, True):
        if job.export["status"] is None:
            _kick_off(job)
        try:
            return read_manifest(job.connection, _poll(job))
        except Refused as refused:
            if not refused.is_gone or is_last:
                raise refusal("status", refused) from refused
            job.pull.say(f"{job.site.name}: the server has lost the export; it is started once more")
            job.pull.state.change(job.export, status=None)
    raise AssertionError("an export is started twice at most")


def kick_off_url(site: Site, types: list[str], since: str | None) -> str:
    """The address that starts an export of the types."""
    level = {"system": "", "patient": "/Patient", "group": f"/Group/{quote(site.group or '', safe='')}"}
    filters = [one for one in site.type_filter if one.partition("?")[0] in types]
    parameters = [
        ("_type", ",".join(types)),
        *([("_since", since)] if since else []),
        *(("_typeFilter", one) for one in filters),
    ]
    return with_query(f"{site.url}{level[site.level]}/$export", parameters)


def _kick_off(job: _Job) -> None:
    url = kick_off_url(job.site, job.export["types"], job.export["since"])
    ask = Ask(url, "kick-off", accept=FHIR_JSON, headers={"Prefer": "respond-async"})

    def check(document: Document) -> None:
        if "Content-Location" not in document.headers and document.status != 202:
            raise FailedTry(f"{told(url)} started no export")

    try:
        document = job.connection.tried(ask, check)
    except Refused as refused:
        if not _leaves_out(job, refused):
            raise refusal("kick-off", refused) from refused
        _kick_off(job)
        return
    if "Content-Location" not in document.headers:
        raise SiteFailure("kick-off", f"{told(url)} doesn't say where its export is", "tell the hospital")
    status = joined(document.url, document.headers["Content-Location"])
    if status is None:
        raise SiteFailure("kick-off", f"{told(url)} names an address that is none", "tell the hospital")
    # First: a run that is killed in between must not take the former export's files for this one's.
    job.pull.state.drop_files(job.name)
    job.pull.state.change(job.export, status=status, kicked_off_at=job.pull.clock.now().isoformat())
    job.pull.say(f"{job.site.name}: export started")


def _leaves_out(job: _Job, refused: Refused) -> bool:
    """Whether the export can be asked for without Medication, which some servers refuse below system level: it
    belongs to no patient. Those that doses refer to are fetched by their ids.
    """
    others = [name for name in job.export["types"] if name != MEDICATION]
    is_about_types = job.site.level != "system" and refused.status in TYPES_REFUSED
    if not is_about_types or not others or len(others) == len(job.export["types"]):
        return False
    job.pull.state.change(job.export, types=others, left_out=[MEDICATION])
    job.pull.note(f"the server exports no {MEDICATION} at this level; those that doses refer to are fetched")
    return True


def _poll(job: _Job) -> Document:
    """The first page of the manifest, when the export has ended. Raises Refused where the server forgot it."""
    retry, clock = job.site.retry, job.pull.clock
    ends_at, own, shown, waited = _ends_at(job), retry.wait, "", 0.0
    while True:
        document = job.connection.tried(Ask(job.export["status"], "status", accept=JSON), check_manifest)
        if document.status != 202:
            return document
        progress = _shown(document.headers.get("X-Progress", ""))
        if progress and progress != shown:
            job.pull.say(f"{job.site.name}: export: {progress}")
            shown = progress
        remaining = (ends_at - clock.now()).total_seconds()
        if remaining <= 0:
            _give_up_waiting(job)
        wait = checked_wait(retry, "status", retry_after(document.headers, clock), own)
        # Who says 0, or a date that is past, doesn't mean a thousand times a second.
        wait = max(wait, min(retry.wait, LEAST_BETWEEN_POLLS))
        if wait >= WORTH_A_LINE and wait != waited:
            job.pull.say(f"{job.site.name}: export: not ready; asked again every {wait:.0f} seconds")
            waited = wait
        clock.wait(min(wait, remaining))
        if clock.now() >= ends_at:
            _give_up_waiting(job)
        own *= 2


def _give_up_waiting(job: _Job) -> None:
    delete_export(job.pull, job.connection, job.export)
    seconds = job.site.timeout.export
    raise SiteFailure(
        "status",
        f"the export didn't end within `timeout.export` ({seconds:g} seconds), and is given up",
        "ask the hospital, or raise it; the next run starts a new one",
    )


def _shown(progress: str) -> str:
    return "".join(character for character in progress if character.isprintable())[:100]


def _land_files(job: _Job, manifest: Manifest) -> None:
    """Lands the files that haven't landed, several at once. Raises GoneError or SiteFailure."""
    landed = {(one.kind, one.url_fingerprint) for one in job.pull.state.files() if one.asked_by == job.name}
    waiting = [file for file in manifest.files if (file.kind, fingerprint(file.url)) not in landed]
    failures: list[BaseException] = []
    is_over = threading.Event()

    def land(file: ManifestFile) -> None:
        if is_over.is_set():
            return
        try:
            _land_file(job, manifest, file)
        except (GoneError, SiteFailure, OSError) as failure:
            failures.append(failure)
            is_one_of_few = isinstance(failure, SiteFailure) and len(failures) < MOST_FAILED
            if not is_one_of_few:
                is_over.set()

    with ThreadPoolExecutor(job.site.rate.concurrent) as pool:
        done = list(pool.map(land, waiting))
    assert len(done) == len(waiting)
    gone = [failure for failure in failures if isinstance(failure, GoneError)]
    for failure in (*gone, *failures):
        raise failure


def _land_file(job: _Job, manifest: Manifest, file: ManifestFile) -> None:
    ask = Ask(file.url, "file", accept=NDJSON, has_credentials=manifest.requires_access_token)
    part = part_for(job.pull.folder, f"{file.kind} {file.url}")
    try:
        received = download(job.connection, ask, part)
        if file.count is not None and received.lines != file.count:
            received = _fetch_again(job, ask, file, received)
    except Refused as refused:
        if refused.is_gone and file.kind == "error":
            job.pull.note(f"{refused}: what the server says of its export can't be read; the data is whole")
            return
        if refused.is_gone:
            raise GoneError(str(refused)) from refused
        raise refusal("file", refused) from refused
    landed = job.pull.land(
        part, received, kind=file.kind, resource_type=file.resource_type, url=file.url, asked_by=job.name
    )
    if file.kind == "error":
        tell_outcomes(job.pull, landed, "in its export")
    job.pull.say(f"{job.site.name}: {file.resource_type or 'file'}: {received.lines} lines landed")


def _fetch_again(job: _Job, ask: Ask, file: ManifestFile, former: Received) -> Received:
    """A file with another number of lines than its manifest says: right now, or the same bytes again."""
    part = part_for(job.pull.folder, f"{file.kind} {file.url}")
    for _ in range(job.site.retry.attempts):
        finish(part)
        received = download(job.connection, ask, part)
        if received.lines == file.count:
            return received
        if received.sha256 == former.sha256:
            job.pull.problem(
                f"file {received.sha256[:12]} has {received.lines} lines, and the export's manifest says "
                f"{file.count}; it was fetched twice and landed as it is; ask the hospital"
            )
            return received
        former = received
    finish(part)
    raise SiteFailure(
        "file", f"{told(file.url)} is another each time, and never as its manifest says", "ask the hospital"
    )
