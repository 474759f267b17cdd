"""Pages of Bundles, landed as received, from the first to the one without a `next` link."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import requests

from flows.pieces import Bundle, entry_piece
from flows.pull.downloads import download, part_for
from flows.pull.failures import FailedTry, Refused, SiteFailure
from flows.pull.http import Ask, Connection, unzipped
from flows.pull.manifests import next_link
from flows.pull.outcomes import SEVERITIES, severities
from flows.pull.receiving import Received
from flows.pull.site_pull import SitePull
from flows.pull.tries import http_date
from flows.pull.urls import told

OUTCOME = b"OperationOutcome"  # looked for before an entry is taken apart

Paging = dict[str, Any]


class _Page(Bundle):
    link: Any = None


@dataclass(frozen=True)
class Pages:
    """A search or a history: where it begins, and what its pages are told and noted by."""

    url: str
    step: str
    kind: str
    resource_type: str | None


@dataclass
class Page:
    """What a landed page says: the next one's address, and the server's clock."""

    next: str | None = None
    date: str | None = None


def new_paging() -> Paging:
    """The state of pages of which none has come: the next one's address (None: the first), and the server's
    time when the first was asked for.
    """
    return {"next": None, "bound": None, "is_done": False}


def land_pages(pull: SitePull, connection: Connection, pages: Pages, paging: Paging) -> None:
    """Lands the pages that haven't landed; `paging` is a part of the site's state.

    A page that is gone (404, 410) has everything read once more from the start. Raises Refused for the first
    page, SiteFailure for any other and for a link to a page that was read already.
    """
    url, seen, is_restarted = paging["next"] or pages.url, set[str](), False
    while not paging["is_done"]:
        seen.add(url)
        try:
            page = _land_page(pull, connection, pages, url)
        except Refused as refused:
            if url == pages.url:
                raise
            if is_restarted or not refused.is_gone:
                raise SiteFailure(
                    pages.step,
                    f"{refused} for a page of its own",
                    "the next run searches again; tell the hospital",
                ) from refused
            pull.say(f"{pull.site.name}: a page is gone; {told(pages.url)} is read from the start")
            url, seen, is_restarted = pages.url, set(), True
            pull.state.change(paging, next=None)
            continue
        if page.next in seen:
            pull.state.change(paging, next=None, bound=None)
            raise SiteFailure(
                pages.step,
                f"{told(pages.url)}: a `next` link leads back to a page already read",
                "what was read has landed; tell the hospital, then run again",
            )
        pull.state.change(
            paging, next=page.next, bound=paging["bound"] or page.date, is_done=page.next is None
        )
        url = page.next or ""


def _land_page(pull: SitePull, connection: Connection, pages: Pages, url: str) -> Page:
    found = Page()

    def check(part: Path, received: Received, response: requests.Response) -> None:
        bundle = _read(part, url)
        link = next_link(bundle.link, response.url)
        found.next = link
        date = http_date(response.headers.get("Date", ""))
        found.date = date.isoformat().replace("+00:00", "Z") if date else None
        counts = severities(
            entry_piece(bytes(raw), 0, "").data for raw in bundle.entry or () if OUTCOME in bytes(raw)
        )
        if counts:
            reported = ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name])
            pull.note(
                f"the server reports {reported} in a page of {told(pages.url)}; "
                f"see landed file {received.sha256[:12]}"
            )

    part = part_for(pull.folder, url)
    received = download(connection, Ask(url, pages.step), part, check)
    pull.land(part, received, kind=pages.kind, resource_type=pages.resource_type, url=url)
    return found


_decode = msgspec.json.Decoder(_Page).decode


def _read(part: Path, url: str) -> _Page:
    """The Bundle of a page. Raises FailedTry where it is something else."""
    text = unzipped(part.read_bytes(), url, limit=0).removeprefix(b"\xef\xbb\xbf")
    try:
        bundle = _decode(text)
    except (ValueError, RecursionError):
        raise FailedTry(f"{told(url)} answered with something else than a Bundle") from None
    if bundle.resourceType != "Bundle":
        raise FailedTry(f"{told(url)} answered with something else than a Bundle")
    return bundle
