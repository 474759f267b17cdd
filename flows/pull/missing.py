"""Medications that doses refer to and a pull left out, as exports of patients and groups may: fetched by id.

What is missing is known from what landed: the references in the files of drug records and Medications, less
the Medications that came in this pull or a former one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from flows.bundles import entry_piece
from flows.pull.bundles import BundleReader
from flows.pull.failures import Refused, SiteFailure
from flows.pull.http import Connection
from flows.pull.pages import Pages, land_pages, new_paging
from flows.pull.site_pull import SitePull
from flows.pull.state import PulledFile
from flows.pull.urls import with_query
from flows.splitting import split

MEDICATION = "Medication"
DRUG_RECORDS = ("MedicationRequest", "MedicationAdministration", "MedicationDispense", "MedicationStatement")
BATCH = 50  # ids of a request: its address stays within what servers take
MOST_ROUNDS = 5  # a mix's ingredients may be mixes
REFERENCE = re.compile(
    rb'"reference"\s*:\s*"([^"#?]*\\?/)?Medication\\?/([A-Za-z0-9.-]{1,64})(?:\\?/_history\\?/[^"/]*)?"'
)


class _Resource(msgspec.Struct):
    resourceType: Any = None  # noqa: N815
    id: Any = None


_decode = msgspec.json.Decoder(_Resource).decode


def fetch_missing(pull: SitePull, connection: Connection, is_whole: bool) -> None:
    """Fetches the Medications that the pull's files refer to and that aren't there.

    Where the pull is the whole truth (`is_whole`), those of former pulls don't count. What the server
    refuses to give is noted; the references stay unresolved, which is a finding. Raises SiteFailure.
    """
    content = pull.state.content
    known = set() if is_whole else set(content.get("medications", ()))
    # Those that the server didn't give are asked for in each pull: the hospital may have granted access.
    unresolved = set() if is_whole else set(content.get("unresolved_medications", ()))
    asked: set[str] = set()
    read: set[str] = set()
    for _ in range(MOST_ROUNDS):
        files = [file for file in pull.state.files() if file.sha256 not in read]
        read |= {file.sha256 for file in files}
        wanted, found = _look_into(pull, files)
        known |= found
        unresolved |= wanted
        missing = sorted(unresolved - known - asked)
        if not missing:
            break
        asked |= set(missing)
        if not _fetch(pull, connection, missing):
            break
    pull.state.change(content, medications=sorted(known), unresolved_medications=sorted(unresolved - known))


def _fetch(pull: SitePull, connection: Connection, ids: list[str]) -> bool:
    pull.say(f"{pull.site.name}: {len(ids)} medications are fetched that the pull left out")
    for start in range(0, len(ids), BATCH):
        query = [("_id", ",".join(ids[start : start + BATCH]))]
        pages = Pages(
            with_query(f"{pull.site.url}/{MEDICATION}", query), "medications", "medication", MEDICATION
        )
        try:
            land_pages(pull, connection, pages, new_paging())
        except Refused as refused:
            pull.note(
                f"{refused}: medications that doses refer to are missing, and are findings; "
                "ask the hospital for access to Medication"
            )
            return False
        except SiteFailure as failure:
            if failure.step != "token":
                raise
            pull.note(f"{failure}: medications that doses refer to are missing, and are findings")
            return False
    return True


def _look_into(pull: SitePull, files: Iterable[PulledFile]) -> tuple[set[str], set[str]]:
    """The ids of the Medications that the files refer to, and of those that they hold."""
    wanted, found = set[str](), set[str]()
    for file in files:
        if file.kind not in ("output", "page", "medication"):
            continue
        # A page may include Medications; an export's file says what it holds, if it says anything.
        may_refer = file.resource_type in (*DRUG_RECORDS, MEDICATION, None)
        may_hold = file.resource_type in (MEDICATION, None) or file.kind != "output"
        if may_refer or may_hold:
            for data in _resources(pull.folder / file.sha256, file.kind):
                if may_refer:
                    wanted |= set(_references(data, pull.site.url or ""))
                if may_hold and b'"Medication"' in data:
                    found |= set(_identity(data))
    return wanted, found


def _resources(path: Path, kind: str) -> Iterator[bytes]:
    if kind != "output":
        # A page is a Bundle, which may be too large to be held.
        yield from (entry_piece(entry, 0, "").data for entry in BundleReader(path).entries())
        return
    with TemporaryDirectory(prefix="cove-") as work:
        for pieces in split(path, Path(work)):
            for piece in pieces:
                yield piece.data


def _references(data: bytes, base: str) -> Iterator[str]:
    """Ids of this server's Medications; another server's are not to be asked for here."""
    for before, identity in REFERENCE.findall(data):
        if before.replace(b"\\/", b"/").decode(errors="replace").rstrip("/") in ("", base):
            yield identity.decode()


def _identity(data: bytes) -> Iterator[str]:
    try:
        resource = _decode(data)
    except (ValueError, RecursionError):
        # What is no resource is quarantined by the load.
        return
    if resource.resourceType == MEDICATION and isinstance(resource.id, str):
        yield resource.id
