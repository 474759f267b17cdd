"""Pages of Bundles, landed as received, from the first to the one without a `next` link."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from flows.bundles import entry_piece
from flows.pull.bundles import read_bundle
from flows.pull.downloads import download, part_for
from flows.pull.failures import Refused, SiteFailure
from flows.pull.http import Ask, Connection
from flows.pull.manifests import next_link
from flows.pull.outcomes import listed, severities
from flows.pull.receiving import Received
from flows.pull.site_pull import SitePull
from flows.pull.tries import http_date
from flows.pull.urls import told

OUTCOME = b"OperationOutcome"  # looked for before an entry is taken apart

AT_ONCE = 0.2  # seconds: an answer within them was made when its `Date` says

Paging = dict[str, Any]


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
                pull.state.change(paging, next=None)
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
        counts: Counter[str] = Counter()

        def look(entry: bytes) -> None:
            if OUTCOME in entry:
                counts.update(severities([entry_piece(entry, 0, "").data]))

        members = read_bundle(part, told(url), look)
        found.next = next_link(members.get("link"), response.url)
        found.date = _found_at(response)
        if counts:
            pull.note(
                f"the server reports {listed(counts)} in a page of {told(pages.url)}; "
                f"see landed file {received.sha256[:12]}"
            )

    part = part_for(pull.folder, url)
    received = download(connection, Ask(url, pages.step), part, check)
    pull.land(part, received, kind=pages.kind, resource_type=pages.resource_type, url=url)
    return found


def _found_at(response: requests.Response) -> str | None:
    """When the server found what is on a page, by its own clock: a page that it took long to make may lack what
    changed in the seconds before its `Date`.
    """
    date = http_date(response.headers.get("Date", ""))
    if date is None:
        return None
    taken = response.elapsed.total_seconds()
    if taken > AT_ONCE:
        date -= dt.timedelta(seconds=math.ceil(taken))
    return date.isoformat().replace("+00:00", "Z")
